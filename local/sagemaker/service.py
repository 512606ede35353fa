"""The local SageMaker as one object: AWS's wire format in and out, and each operation to the part that has it.

Knows HTTP as far as AWS JSON 1.1 and the runtime's paths go. Knows no server, no ministack and no operation's inside:
a part joins with a dictionary of the operations that it answers.
"""

import json
import logging
import re
import uuid
from urllib.parse import unquote

from local.sagemaker import shapes
from local.sagemaker.automl import AutoMLJobs
from local.sagemaker.context import Context
from local.sagemaker.errors import AwsError
from local.sagemaker.hosting import Hosting
from local.sagemaker.jobs.processing import ProcessingJobs
from local.sagemaker.jobs.runner import Runner
from local.sagemaker.jobs.training import TrainingJobs
from local.sagemaker.jobs.transform import TransformJobs
from local.sagemaker.kinds import PLAIN
from local.sagemaker.registry import Registry
from local.sagemaker.resources import Operations, Records, Resources
from local.sagemaker.schedules import Schedules
from local.sagemaker.shapes import Fields
from local.sagemaker.store import Store
from local.sagemaker.tags import Tags
from local.sagemaker.tuning import TuningJobs

_log = logging.getLogger(__name__)

Answer = tuple[int, dict[str, str], bytes]

AWS_STOP_GRACE_SECONDS = 120.0
TARGET_PREFIX = "SageMaker."
CONTROL_CONTENT_TYPE = "application/x-amz-json-1.1"
RUNTIME_CONTENT_TYPE = "application/json"
INVOCATIONS = re.compile(r"/endpoints/([^/]+)/(invocations|async-invocations)")


class SageMaker:
    """Control plane, jobs, registry and hosting over one store, between ``start`` and ``close``."""

    def __init__(self, context: Context, *, stop_grace_seconds: float = AWS_STOP_GRACE_SECONDS) -> None:
        self._store = Store(context.home / "sagemaker.sqlite3")
        records = Records(context=context, store=self._store)
        tags = Tags(self._store)
        self._runner = Runner(at_once=context.jobs_at_once)
        self._training = TrainingJobs(records, tags, self._runner, grace_seconds=stop_grace_seconds)
        self._processing = ProcessingJobs(records, tags, self._runner, grace_seconds=stop_grace_seconds)
        self._automl = AutoMLJobs(records, tags, self._runner, grace_seconds=stop_grace_seconds)
        self._tuning = TuningJobs(records, tags, self._runner, self._training)
        self._hosting = Hosting(context, self._store)
        self._transforms = TransformJobs(records, tags, self._runner, self._hosting.serving)
        self._operations: Operations = {
            **tags.operations(),
            **{
                name: handler for kind in PLAIN for name, handler in Resources(kind, records, tags).operations().items()
            },
            **Schedules(records).operations(),
            **Registry(records, tags).operations(),
            **self._training.operations(),
            **self._processing.operations(),
            **self._automl.operations(),
            **self._tuning.operations(),
            **self._transforms.operations(),
            **_hosting_operations(self._hosting),
        }

    def start(self) -> None:
        """Take up where the last process ended: interrupted jobs are noted as failed, endpoints hosted again."""
        self._training.start()
        self._processing.start()
        self._automl.start()
        self._tuning.start()
        self._transforms.start()
        self._hosting.start()

    def close(self) -> None:
        """End every child process and release the store."""
        self._runner.close()
        self._hosting.close()
        self._store.close()

    def processes(self) -> list[tuple[int, str]]:
        """The child processes: their ids and what each is."""
        return [*self._runner.processes(), *self._hosting.processes()]

    def call(self, operation: str, request: Fields) -> Fields:
        """One operation of the control plane, times as seconds since 1970; raises AwsError."""
        handler = self._operations.get(operation)
        if handler is None:
            known = shapes.is_operation(operation)
            raise AwsError(
                "UnknownOperationException",
                f"The local SageMaker does not implement {operation}."
                if known
                else f"SageMaker has no operation {operation!r}.",
            )
        present = {member: value for member, value in request.items() if value is not None}
        shapes.validate(operation, present)
        return shapes.project(operation, handler(present))

    def handle(self, method: str, path: str, headers: dict[str, str], body: bytes, query: object = None) -> Answer:
        """One HTTP request to SageMaker or its runtime. Every fault becomes an answer."""
        named = {name.lower(): value for name, value in headers.items()}
        plain_path = path.partition("?")[0]
        target = named.get("x-amz-target", "")
        if not target:
            return self._runtime(method, plain_path, named, body)
        try:
            answer = self.call(target.removeprefix(TARGET_PREFIX), _read(body))
        except Exception as error:
            refused = _as_aws_error(error, target)
            problem = {"__type": refused.code, "message": refused.message}
            return refused.status, _headers(CONTROL_CONTENT_TYPE), json.dumps(problem).encode()
        return 200, _headers(CONTROL_CONTENT_TYPE), json.dumps(answer).encode()

    def _runtime(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        match = INVOCATIONS.fullmatch(path)
        try:
            if method != "POST" or match is None:
                raise AwsError(
                    "UnknownOperationException", f"The local SageMaker does not implement {method} {path}.", 404
                )
            if match[2] == "async-invocations":
                return self._hosting.invoke_asynchronously(unquote(match[1]), headers)
            return self._hosting.invoke(unquote(match[1]), headers, body)
        except Exception as error:
            refused = _as_aws_error(error, path)
            problem = json.dumps({"Message": refused.message}).encode()
            return refused.status, {**_headers(RUNTIME_CONTENT_TYPE), "x-amzn-errortype": refused.code}, problem


def _hosting_operations(hosting: Hosting) -> Operations:
    return {
        "CreateEndpoint": hosting.create_endpoint,
        "UpdateEndpoint": hosting.update_endpoint,
        "DeleteEndpoint": hosting.delete_endpoint,
        "DescribeEndpoint": hosting.describe_endpoint,
        "ListEndpoints": hosting.list_endpoints,
        "UpdateEndpointWeightsAndCapacities": hosting.update_weights_and_capacities,
    }


def _read(body: bytes) -> Fields:
    try:
        request = json.loads(body or b"{}")
    except ValueError as error:
        raise AwsError("SerializationException", f"The request is not JSON: {error}") from error
    if not isinstance(request, dict):
        raise AwsError("SerializationException", "The request is not a JSON object.")
    return request


def _as_aws_error(error: Exception, what: str) -> AwsError:
    if isinstance(error, AwsError):
        return error
    _log.error("the local SageMaker failed at %s", what, exc_info=error)
    return AwsError("InternalFailure", f"The local SageMaker failed: {type(error).__name__}: {error}", 500)


def _headers(content_type: str) -> dict[str, str]:
    return {"content-type": content_type, "x-amzn-requestid": str(uuid.uuid4())}
