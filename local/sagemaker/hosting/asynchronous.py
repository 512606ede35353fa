"""Asynchronous endpoints: requests that lie in S3, answered in their turn, with the answers put into S3.

What was accepted is kept in the store until it is done, so that a restart loses nothing; an endpoint that is not up
yet is waited for, as a queue on AWS waits for an instance. Knows InvokeEndpointAsync's headers and answers; who
answers a request is handed in.
"""

import json
import logging
import queue
import re
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local.sagemaker import objects
from local.sagemaker.hosting import runtime
from local.sagemaker.store import Record, Store

KIND = "asynchronous-invocation"
WORKERS = 4
RETRY_SECONDS = 1.0
DEFAULT_LIFE_SECONDS = 21_600
MAXIMUM_INPUT_BYTES = 1024**3

INPUT_LOCATION = "x-amzn-sagemaker-inputlocation"
LIFE = "x-amzn-sagemaker-requestttlseconds"
FORWARDED = {"x-amzn-sagemaker-content-type": "content-type", "x-amzn-sagemaker-accept": "accept"}
_S3_URI = re.compile(r"s3://[^/]+/.+")

_log = logging.getLogger(__name__)

# (endpoint, headers, body) -> the answer of its containers
Invoke = Callable[[str, dict[str, str], bytes], runtime.Answer]


class Asynchronous:
    """All asynchronous requests of the local SageMaker. ``s3`` and ``sns`` are clients of the local AWS."""

    def __init__(self, store: Store, invoke: Invoke, *, s3: Any, sns: Callable[[], Any]) -> None:
        self._store = store
        self._invoke = invoke
        self._s3 = s3
        self._sns = sns
        self._waiting: queue.Queue[str] = queue.Queue()
        self._closing = threading.Event()
        self._workers: list[threading.Thread] = []
        self._starting = threading.Lock()

    def start(self) -> None:
        """Take up what was accepted and not answered when the process last ended."""
        for record in sorted(self._store.list(KIND), key=lambda record: record["AcceptedAt"]):
            self._enqueue(record["Id"])

    def close(self) -> None:
        """Stop; what is not answered stays in the store."""
        self._closing.set()
        for worker in self._workers:
            worker.join(RETRY_SECONDS * 2)

    def accept(self, endpoint_name: str, config: Record, headers: Mapping[str, str]) -> runtime.Answer:
        """InvokeEndpointAsync: 202 with the places of the answer. Header names are in lower case."""
        source = headers.get(INPUT_LOCATION, "")
        if not _S3_URI.fullmatch(source):
            return runtime.validation_error("InputLocation must be the S3 URI of an object.")
        output = config["OutputConfig"]
        if "S3OutputPath" not in output:
            return runtime.validation_error(f"Endpoint {endpoint_name} has no S3OutputPath.")
        id_ = str(uuid.uuid4())
        inference_id = headers.get(runtime.INFERENCE_ID, id_)
        record: Record = {
            "Id": id_,
            "InferenceId": inference_id,
            "EndpointName": endpoint_name,
            "InputLocation": source,
            "OutputLocation": f"{output['S3OutputPath'].rstrip('/')}/{id_}.out",
            "FailureLocation": f"{(output.get('S3FailurePath') or output['S3OutputPath']).rstrip('/')}/{id_}-error.out",
            "Topics": output.get("NotificationConfig", {}),
            "Headers": {plain: headers[name] for name, plain in FORWARDED.items() if name in headers},
            "AcceptedAt": time.time(),
            "LifeSeconds": int(headers.get(LIFE, DEFAULT_LIFE_SECONDS)),
        }
        self._store.put(KIND, id_, record)
        self._enqueue(id_)
        places = {
            "content-type": "application/json",
            "x-amzn-sagemaker-outputlocation": record["OutputLocation"],
            "x-amzn-sagemaker-failurelocation": record["FailureLocation"],
            "x-amzn-requestid": str(uuid.uuid4()),
        }
        return 202, places, json.dumps({"InferenceId": inference_id}).encode()

    def _enqueue(self, id_: str) -> None:
        with self._starting:
            if not self._workers:
                self._workers = [
                    threading.Thread(target=self._work, name=f"asynchronous-{number}", daemon=True)
                    for number in range(WORKERS)
                ]
                for worker in self._workers:
                    worker.start()
        self._waiting.put(id_)

    def _work(self) -> None:
        while not self._closing.is_set():
            try:
                id_ = self._waiting.get(timeout=RETRY_SECONDS)
            except queue.Empty:
                continue
            record = self._store.get(KIND, id_)
            if record is None:
                continue
            try:
                is_done = self._answer(record)
            except (BotoCoreError, ClientError, objects.ObjectError) as error:
                _log.warning("asynchronous request %s: %s", id_, error)
                is_done = False
            except Exception:
                # One request that cannot be handled must not end the worker for the others; its time to live ends it.
                _log.exception("asynchronous request %s broke off", id_)
                is_done = False
            if is_done:
                self._store.delete(KIND, id_)
            else:
                self._closing.wait(RETRY_SECONDS)
                self._waiting.put(id_)

    def _answer(self, record: Record) -> bool:
        """Answer one request; False where the endpoint is not up and there is time left."""
        if time.time() > record["AcceptedAt"] + record["LifeSeconds"]:
            self._fail(record, "The request's time to live ended before it was answered.")
            return True
        try:
            body = objects.read(record["InputLocation"], s3=self._s3)
        except objects.ObjectError as error:
            self._fail(record, str(error))
            return True
        if len(body) > MAXIMUM_INPUT_BYTES:
            self._fail(record, f"The input of {len(body)} bytes exceeds the limit of {MAXIMUM_INPUT_BYTES} bytes.")
            return True
        status, headers, answer = self._invoke(record["EndpointName"], dict(record["Headers"]), body)
        if status == 503:
            return False
        if status != 200:
            self._fail(record, json.loads(answer).get("OriginalMessage") or json.loads(answer).get("Message", ""))
            return True
        self._put(record["OutputLocation"], answer, headers["content-type"])
        self._tell(record, "SuccessTopic", "Completed", {"outputLocation": record["OutputLocation"]})
        return True

    def _fail(self, record: Record, reason: str) -> None:
        self._put(record["FailureLocation"], reason.encode(), "text/plain")
        self._tell(record, "ErrorTopic", "Failed", {"failureReason": reason})

    def _put(self, uri: str, content: bytes, content_type: str) -> None:
        place = objects.Address.parse(uri)
        self._s3.put_object(Bucket=place.bucket, Key=place.key, Body=content, ContentType=content_type)

    def _tell(self, record: Record, topic: str, status: str, more: Mapping[str, str]) -> None:
        if topic in record["Topics"]:
            message = {
                "invocationStatus": status,
                "inferenceId": record["InferenceId"],
                "requestParameters": {
                    "endpointName": record["EndpointName"],
                    "inputLocation": record["InputLocation"],
                },
                "responseParameters": more if status == "Completed" else {},
                **({} if status == "Completed" else more),
            }
            self._sns().publish(TopicArn=record["Topics"][topic], Message=json.dumps(message))
