"""Batch transform: a model's containers for the length of a job, objects of S3 in, an ``.out`` object for each.

Objects are cut into requests and answers put together as AWS does it, several requests at a time, each object's answers
in the order of its records. Knows the job and its records; what serves the model is handed in.
"""

import gzip
import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from local.sagemaker import objects
from local.sagemaker.context import Context
from local.sagemaker.errors import AwsError, validation
from local.sagemaker.hosting.chain import ANY_TYPE, Chain, ChainBrokenError, ChainError
from local.sagemaker.hosting.fleet import HostingError
from local.sagemaker.jobs import reasons
from local.sagemaker.jobs.records import RESTARTED, JobRecords
from local.sagemaker.jobs.runner import Run, Runner, ShutDown, Stopped
from local.sagemaker.kinds import MODEL
from local.sagemaker.resources import Kind, Operations, Records
from local.sagemaker.shapes import Fields, is_operation
from local.sagemaker.tags import Tags

_log = logging.getLogger(__name__)

LOG_GROUP = "/aws/sagemaker/TransformJobs"
EVENT = "SageMaker Transform Job State Change"
MEBIBYTE = 1024 * 1024
DEFAULT_PAYLOAD_MEBIBYTES = 6
DEFAULT_RETRIES = 3
DEFAULT_TIMEOUT_SECONDS = 600
RETRY_SECONDS = 0.5

TRANSFORM_JOB = Kind(
    noun="TransformJob",
    kind="transform-job",
    missing=("ValidationException", 'Could not find requested job with name: "{name}"'),
    taken=(
        "ResourceInUse",
        "Job name must be unique within an AWS account and region, and a job with this name already exists ({arn})",
    ),
)


class ServeModel(Protocol):
    """The containers of a stored model, up as long as the block lasts."""

    def __call__(self, what: str, model_name: str, *, log_group: str) -> AbstractContextManager[Chain]:
        """HostingError where they do not come up."""


class TransformJobs:
    """The operations on batch transform jobs, and their running. ``s3`` is a client of the local AWS unless given."""

    def __init__(self, records: Records, tags: Tags, runner: Runner, serve: ServeModel, *, s3: Any = None) -> None:
        self._context: Context = records.context
        self._records = records
        self._jobs = JobRecords(TRANSFORM_JOB, EVENT, records, tags)
        self._runner = runner
        self._serve = serve
        self._s3 = s3

    def operations(self) -> Operations:
        """What this part of SageMaker answers."""
        named: Operations = {
            "CreateTransformJob": self.create,
            "DescribeTransformJob": lambda request: self._jobs.find(request["TransformJobName"]),
            "ListTransformJobs": self._jobs.page,
            "StopTransformJob": self.stop,
        }
        return {operation: handler for operation, handler in named.items() if is_operation(operation)}

    def start(self) -> None:
        """Note as failed what was running when the local AWS last ended."""
        for name in self._jobs.interrupted():
            self._finish(name, "Failed", FailureReason=RESTARTED)

    def create(self, request: Fields) -> Fields:
        """Write the job down and let it run."""
        _refuse_what_is_not_here(request)
        self._records.find(MODEL, request["ModelName"])
        record = self._jobs.add(request, {})
        name = record["TransformJobName"]
        self._runner.start(TRANSFORM_JOB.kind, name, lambda run: self._work(run, record))
        return {"TransformJobArn": record["TransformJobArn"]}

    def stop(self, request: Fields) -> Fields:
        """Ask the job to stop: after the requests that are under way. What it has written stays."""
        name = request["TransformJobName"]
        self._jobs.begin_stop(name, lambda record: {})
        self._runner.stop(TRANSFORM_JOB.kind, name)
        return {}

    def _finish(self, name: str, status: str, **more: Any) -> None:
        self._jobs.change(name, lambda record: {"TransformJobStatus": status, "TransformEndTime": time.time(), **more})

    def _work(self, run: Run, record: Fields) -> None:
        """The job's life; every end but the local AWS's own is written down."""
        name = record["TransformJobName"]
        transforming = _Transforming(record, self._s3 or objects.client(self._context), run)
        try:
            keys = transforming.keys()
            with run.turn(), self._serve(name, record["ModelName"], log_group=LOG_GROUP) as chain:
                self._jobs.change(name, lambda record: {"TransformStartTime": time.time()})
                for key in keys:
                    transforming.transform(key, chain)
            self._finish(name, "Completed")
        except Stopped:
            self._finish(name, "Stopped")
        except ShutDown:
            raise
        except (TransformError, objects.ObjectError) as error:
            self._fail(run, name, reasons.other_error("ClientError", str(error)))
        except ChainError as error:
            self._fail(run, name, reasons.other_error("AlgorithmError", str(error)))
        except HostingError as error:
            self._fail(run, name, reasons.other_error("InternalServerError", str(error)))
        except Exception as error:
            if not run.is_closing:
                _log.exception("transform job %s failed", name)
            self._fail(run, name, reasons.other_error("InternalServerError", f"{type(error).__name__}: {error}"))

    def _fail(self, run: Run, name: str, reason: str) -> None:
        if run.is_closing:
            raise ShutDown
        self._finish(name, "Failed", FailureReason=reason)


class TransformError(Exception):
    """The job's input cannot be transformed as it asks; the message is one sentence for its owner."""


@dataclass(frozen=True, kw_only=True)
class Cutting:
    """How an object becomes requests."""

    by_line: bool
    one_record_each: bool
    maximum_bytes: int

    def requests(self, content: bytes) -> Iterator[bytes]:
        """The requests in order; TransformError for a record above the payload limit."""
        if not self.by_line:
            yield self._within_limit(content)
            return
        batch: list[bytes] = []
        size = 0
        for line in content.splitlines(keepends=True):
            record = self._within_limit(line)
            if batch and (self.one_record_each or size + len(record) > self.maximum_bytes):
                yield b"".join(batch)
                batch, size = [], 0
            batch.append(record)
            size += len(record)
        if batch:
            yield b"".join(batch)

    def _within_limit(self, record: bytes) -> bytes:
        if len(record) > self.maximum_bytes:
            raise TransformError(
                f"a record of {len(record)} bytes is above the payload limit of {self.maximum_bytes} bytes "
                "(MaxPayloadInMB)"
            )
        return record


class _Transforming:
    """One job at work on its objects."""

    def __init__(self, record: Fields, s3: Any, run: Run) -> None:
        given, wanted = record["TransformInput"], record["TransformOutput"]
        client = record.get("ModelClientConfig", {})
        self._s3 = s3
        self._run = run
        self._prefix = objects.Address.parse(given["DataSource"]["S3DataSource"]["S3Uri"])
        self._is_compressed = given.get("CompressionType", "None") == "Gzip"
        self._content_type = given.get("ContentType", "application/octet-stream")
        self._output = objects.Address.parse(wanted["S3OutputPath"])
        self._accept = wanted.get("Accept", ANY_TYPE)
        self._adds_newline = wanted.get("AssembleWith", "None") == "Line"
        self._retries = client.get("InvocationsMaxRetries", DEFAULT_RETRIES)
        self._timeout_seconds = client.get("InvocationsTimeoutInSeconds", DEFAULT_TIMEOUT_SECONDS)
        self._at_once = max(1, record.get("MaxConcurrentTransforms", 1))
        self._cutting = Cutting(
            by_line=given.get("SplitType", "None") == "Line",
            one_record_each=record.get("BatchStrategy", "MultiRecord") == "SingleRecord",
            maximum_bytes=(record.get("MaxPayloadInMB") or DEFAULT_PAYLOAD_MEBIBYTES) * MEBIBYTE,
        )

    def keys(self) -> list[str]:
        """What there is to transform; TransformError where that is nothing."""
        found = objects.keys(self._prefix, s3=self._s3)
        if not found:
            raise TransformError(f"there is no object under {self._prefix}")
        return found

    def transform(self, key: str, chain: Chain) -> None:
        """Write the answers for one object."""
        content = objects.read(str(objects.Address(bucket=self._prefix.bucket, key=key)), s3=self._s3)
        if self._is_compressed:
            try:
                content = gzip.decompress(content)
            except (OSError, EOFError) as error:
                raise TransformError(f"{key} is not gzip: {error}") from error

        def answer(request: bytes) -> bytes:
            self._run.checkpoint()
            reply = self._ask(chain, request)
            return reply + b"\n" if self._adds_newline and not reply.endswith(b"\n") else reply

        with ThreadPoolExecutor(max_workers=self._at_once) as pool:
            answers = b"".join(pool.map(answer, self._cutting.requests(content)))
        place = self._output.below(f"{objects.relative(key, self._prefix.key)}.out")
        self._s3.put_object(Bucket=place.bucket, Key=place.key, Body=answers)

    def _ask(self, chain: Chain, request: bytes) -> bytes:
        for attempt in range(self._retries + 1):
            try:
                return chain.invoke(
                    request,
                    content_type=self._content_type,
                    accept=self._accept,
                    timeout_seconds=self._timeout_seconds,
                ).body
            except ChainError as error:
                is_passing = isinstance(error, ChainBrokenError) or error.status >= 500
                if attempt == self._retries or not is_passing:
                    raise
                time.sleep(RETRY_SECONDS * 2**attempt)
        raise AssertionError("the last attempt returns or raises")


def _refuse_what_is_not_here(request: Fields) -> None:
    if request["TransformResources"].get("InstanceCount", 1) > 1:
        raise AwsError("ResourceLimitExceeded", "The local SageMaker runs a job on one instance: InstanceCount is 1.")
    source = request["TransformInput"]["DataSource"]["S3DataSource"]
    if source["S3DataType"] != "S3Prefix":
        raise validation("The local SageMaker transforms S3Prefix inputs only.")
    if request["TransformInput"].get("SplitType", "None") not in ("None", "Line"):
        raise validation("The local SageMaker splits by Line or not at all.")
    processing = request.get("DataProcessing", {})
    if processing.get("JoinSource", "None") != "None" or {"InputFilter", "OutputFilter"} & processing.keys():
        raise validation("The local SageMaker neither filters nor joins: leave DataProcessing out.")
    if request.get("Environment"):
        raise validation(
            "The local SageMaker gives a transform job the model's environment only: leave Environment out."
        )
    for place in (source["S3Uri"], request["TransformOutput"]["S3OutputPath"]):
        try:
            objects.Address.parse(place)
        except objects.ObjectError as error:
            raise validation(str(error)) from error
