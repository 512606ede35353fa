"""Step Functions tasks that ministack lacks: SageMaker's optimised integrations, and ``aws-sdk`` for any service.

An ``aws-sdk`` task is a boto3 call to the local AWS by the action's name, so every service that answers over the wire
can be called from a state machine. Knows nothing of what the calls do.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import botocore.exceptions
import botocore.loaders

from local.aws import seams, shapes
from local.aws.clients import client
from local.sagemaker.errors import AwsError

Call = Callable[[str, dict[str, Any]], dict[str, Any]]

_OPTIMISED = "arn:aws:states:::sagemaker:"
_SDK = ":aws-sdk:"
_POLL_SECONDS = 0.5

# ministack answers these itself, but with wire names and errors where Step Functions has names of its own.
_BETTER_HERE = frozenset({"glue", "s3", "ssm", "athena", "cloudwatch"})

# The rest of the names that the SDK for Java has for a service and boto3 has not.
_BOTO3_NAMES = {
    "cloudwatchlogs": "logs",
    "cognitoidentityprovider": "cognito-idp",
    "costexplorer": "ce",
    "databasemigration": "dms",
    "ecrpublic": "ecr-public",
    "elasticloadbalancingv2": "elbv2",
    "eventbridge": "events",
    "sfn": "stepfunctions",
}


@dataclass(frozen=True, kw_only=True)
class Job:
    """A kind of run that ``.sync`` waits for."""

    describe: str
    name: str
    status: str
    good: str = "Completed"
    over: frozenset[str] = frozenset({"Completed", "Failed", "Stopped"})


_JOBS = {
    "createTrainingJob": Job(describe="DescribeTrainingJob", name="TrainingJobName", status="TrainingJobStatus"),
    "createProcessingJob": Job(
        describe="DescribeProcessingJob", name="ProcessingJobName", status="ProcessingJobStatus"
    ),
    "createTransformJob": Job(describe="DescribeTransformJob", name="TransformJobName", status="TransformJobStatus"),
    "createHyperParameterTuningJob": Job(
        describe="DescribeHyperParameterTuningJob",
        name="HyperParameterTuningJobName",
        status="HyperParameterTuningJobStatus",
    ),
}


def register(call: Call, native_services: frozenset[str]) -> None:
    """Take over SageMaker's tasks, and every ``aws-sdk`` task that ministack has no service for."""

    def takes(resource: str) -> bool:
        service = _sdk_call(resource)[0]
        return service in _BETTER_HERE or service not in native_services

    seams.register_task(_OPTIMISED, lambda resource, data: _sagemaker_task(call, resource, data))
    seams.register_sdk_task(takes, _sdk_task)


def _sagemaker_task(call: Call, resource: str, data: dict[str, Any]) -> Any:
    action, _, mode = resource.removeprefix(_OPTIMISED).partition(".")
    operation = action[:1].upper() + action[1:]
    try:
        answer = call(operation, data)
        if mode.startswith("sync"):
            return _outcome(call, action, data)
    except AwsError as refusal:
        raise seams.task_failure(
            f"SageMaker.{_exception_name(refusal.code, 'AmazonSageMaker')}", refusal.message
        ) from None
    return shapes.to_task(answer, shapes.output_shape("sagemaker", operation), shapes.epoch_milliseconds)


def _outcome(call: Call, action: str, data: dict[str, Any]) -> Any:
    if action not in _JOBS:
        raise seams.task_failure("States.Runtime", f"sagemaker:{action} has no .sync form.")
    job = _JOBS[action]
    while (described := call(job.describe, {job.name: data[job.name]}))[job.status] not in job.over:
        time.sleep(_POLL_SECONDS)
    result = shapes.to_task(described, shapes.output_shape("sagemaker", job.describe), shapes.epoch_milliseconds)
    if described[job.status] != job.good:
        raise seams.task_failure("States.TaskFailed", json.dumps(result))
    return result


def _sdk_call(resource: str) -> tuple[str, str]:
    service, _, action = resource.partition(_SDK)[2].partition(":")
    return service.lower(), action.partition(".")[0]


def _sdk_task(resource: str, data: dict[str, Any]) -> Any:
    service, action = _sdk_call(resource)
    name = _boto3_name(service)
    if name is None:
        raise seams.task_failure("States.Runtime", f"The service {service!r} of {resource} does not exist.")
    api = client(name)
    methods = {operation: method for method, operation in api.meta.method_to_api_mapping.items()}
    operation = action[:1].upper() + action[1:]
    if operation not in methods:
        raise seams.task_failure("States.Runtime", f"The action {action!r} of {resource} does not exist.")
    model = api.meta.service_model.operation_model(operation)
    request = shapes.from_task(data or {}, model.input_shape) if model.input_shape else {}
    prefix = _error_prefix(api.meta.service_model.service_id)
    try:
        answer = getattr(api, methods[operation])(**request)
    except botocore.exceptions.ParamValidationError as problem:
        raise seams.task_failure("States.Runtime", str(problem)) from None
    except botocore.exceptions.ClientError as problem:
        code = problem.response["Error"].get("Code", "")
        message = problem.response["Error"].get("Message", str(problem))
        raise seams.task_failure(f"{prefix}.{_exception_name(code, prefix)}", message) from None
    except botocore.exceptions.BotoCoreError as problem:
        raise seams.task_failure(f"{prefix}.SdkClientException", str(problem)) from None
    answer.pop("ResponseMetadata", None)
    return shapes.to_task(answer, model.output_shape, shapes.iso_8601) if model.output_shape else {}


@cache
def _boto3_name(service: str) -> str | None:
    if service in _BOTO3_NAMES:
        return _BOTO3_NAMES[service]
    known = botocore.loaders.Loader().list_available_services("service-2")
    return next((name for name in known if name.replace("-", "") == service), None)


def _error_prefix(service_id: str) -> str:
    return "".join(word.capitalize() if word.isupper() and len(word) > 2 else word for word in service_id.split())


def _exception_name(code: str, otherwise: str) -> str:
    """Errors carry the names of the SDK for Java: always an exception, the service's own where there is no better."""
    if not code or code in ("ValidationError", "ValidationException"):
        return f"{otherwise}Exception"
    return code if code.endswith("Exception") else f"{code}Exception"
