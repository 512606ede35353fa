"""What a call needs to be allowed: its IAM actions and the ARNs they are asked for, as the service authorization
reference names them.

Covers what ministack's own tables do not know: SageMaker, Glue's crawlers, Transcribe's jobs and the tasks of a state
machine. Does not know who calls, nor what is allowed.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

SAGEMAKER_ROLE_SERVICE = "sagemaker.amazonaws.com"

# Several at once need the right to one of them.
RENAMED = {
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:SendMessageBatch": "sqs:SendMessage",
}

_INVOCATION = re.compile(r"/endpoints/([^/]+)/(?:async-)?invocations(?:-response-stream)?")
_TASK = re.compile(r"arn:aws:states:::(?P<service>[a-z0-9]+):(?P<action>[A-Za-z]+)(?P<mode>\.[A-Za-z]+)?(?::\d)?$")

_SDK_TASK = re.compile(r"arn:aws:states:::aws-sdk:(?P<service>[A-Za-z0-9]+):(?P<action>[A-Za-z0-9]+)")
# Where the IAM namespace is not the SDK's name.
_SDK_NAMESPACES = {
    "cloudwatchlogs": "logs",
    "eventbridge": "events",
    "sagemakerruntime": "sagemaker",
    "sesv2": "ses",
    "sfn": "states",
}

# The member that names a resource, and the kind of its ARN.
_SAGEMAKER_KINDS = {
    "AutoMLJobName": "automl-job",
    "EndpointConfigName": "endpoint-config",
    "EndpointName": "endpoint",
    "FeatureGroupName": "feature-group",
    "HyperParameterTuningJobName": "hyper-parameter-tuning-job",
    "ModelPackageGroupName": "model-package-group",
    "ModelPackageName": "model-package",
    "ModelName": "model",
    "MonitoringScheduleName": "monitoring-schedule",
    "PipelineName": "pipeline",
    "ProcessingJobName": "processing-job",
    "TrainingJobName": "training-job",
    "TransformJobName": "transform-job",
}
# Lists of what belongs to one resource, by the member that names it.
_LISTS_OF_ONE = {
    "ListCandidatesForAutoMLJob": "AutoMLJobName",
    "ListTrainingJobsForHyperParameterTuningJob": "HyperParameterTuningJobName",
}
_CRAWLER_OPERATIONS = frozenset({"CreateCrawler", "DeleteCrawler", "GetCrawler", "StartCrawler", "StopCrawler"})
# Step Functions follows a job by events, through a rule of its own.
_FOLLOWED_AS = {"HyperParameterTuningJob": "TuningJob"}
_FOLLOWING = ("events:DescribeRule", "events:PutRule", "events:PutTargets")


@dataclass(frozen=True, kw_only=True)
class Need:
    """One action on one resource; ``context`` holds the condition keys that the call gives."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)


def sagemaker_resource(operation: str, path: str, body: Mapping[str, Any], region: str, account: str) -> str:
    """The ARN that a SageMaker call is asked for; ``*`` where the reference names none, as for lists."""
    prefix = f"arn:aws:sagemaker:{region}:{account}"
    if invoked := _INVOCATION.fullmatch(path):
        return f"{prefix}:endpoint/{invoked[1]}"
    if operation in ("AddTags", "DeleteTags", "ListTags"):
        return str(body.get("ResourceArn", "*"))
    if operation == "CreateModelPackage" and "ModelPackageGroupName" in body:
        return f"{prefix}:model-package/{_last(body['ModelPackageGroupName'])}/*"
    if operation == "ListModelPackages" and "ModelPackageGroupName" in body:
        return f"{prefix}:model-package-group/{_last(body['ModelPackageGroupName'])}"
    if operation == "UpdateModelPackage":
        return str(body.get("ModelPackageArn", "*"))
    if operation.startswith("List") and operation not in _LISTS_OF_ONE:
        return "*"
    for member, kind in _SAGEMAKER_KINDS.items():
        is_its_own = _LISTS_OF_ONE.get(operation) == member or operation.removesuffix("V2").endswith(
            member.removesuffix("Name")
        )
        if member in body and (is_its_own or operation == "UpdateEndpointWeightsAndCapacities"):
            name = str(body[member])
            return name if name.startswith("arn:") else f"{prefix}:{kind}/{name}"
    return "*"


def _last(name_or_arn: object) -> str:
    return str(name_or_arn).rpartition("/")[2]


def crawler_resource(operation: str, body: Mapping[str, Any], region: str, account: str) -> str | None:
    """The crawler's ARN, where the call is one about a crawler."""
    if operation not in _CRAWLER_OPERATIONS or "Name" not in body:
        return None
    return f"arn:aws:glue:{region}:{account}:crawler/{body['Name']}"


def transcription_resource(operation: str, body: Mapping[str, Any], region: str, account: str) -> str | None:
    """The transcription job's ARN, where the call names one."""
    if "TranscriptionJobName" not in body or operation.startswith("List"):
        return None
    return f"arn:aws:transcribe:{region}:{account}:transcription-job/{body['TranscriptionJobName']}"


def passing(role_arn: str, service: str) -> Need:
    """The right to hand a role to a service."""
    return Need(action="iam:PassRole", resource=role_arn, context={"iam:passedtoservice": service})


def of_sagemaker(operation: str, body: Mapping[str, Any]) -> Iterator[Need]:
    """What a SageMaker call needs beside its own action: the right to pass the role that it names."""
    if not operation.startswith(("Create", "Update")):
        return
    # A tuning job has no role of its own, its training jobs have.
    trainings = [body.get("TrainingJobDefinition") or {}, *(body.get("TrainingJobDefinitions") or [])]
    roles = [body.get("RoleArn") or body.get("ExecutionRoleArn"), *(training.get("RoleArn") for training in trainings)]
    for role in dict.fromkeys(role for role in roles if role):
        yield passing(str(role), SAGEMAKER_ROLE_SERVICE)


def of_task(resource: str, data: Mapping[str, Any], region: str, account: str) -> Iterator[Need]:
    """What a state machine's role needs for one task."""
    if resource.startswith("arn:aws:lambda:"):
        yield Need(action="lambda:InvokeFunction", resource=resource)
        return
    if sdk := _SDK_TASK.match(resource):
        need = _sdk_call(sdk["service"].lower(), sdk["action"], data, region, account)
        yield need
        if need.action.startswith("sagemaker:"):
            yield from of_sagemaker(need.action.removeprefix("sagemaker:"), data)
        return
    task = _TASK.match(resource)
    if task is None:
        return
    service, action, mode = task["service"], task["action"], task["mode"] or ""
    operation = action[:1].upper() + action[1:]
    if service == "lambda":
        name = str(data.get("FunctionName", ""))
        arn = name if name.startswith("arn:") else f"arn:aws:lambda:{region}:{account}:function:{name}"
        yield Need(action="lambda:InvokeFunction", resource=arn)
    elif service == "sagemaker":
        resource_arn = sagemaker_resource(operation, "", data, region, account)
        yield Need(action=f"sagemaker:{operation}", resource=resource_arn)
        yield from of_sagemaker(operation, data)
        if mode.startswith(".sync"):
            yield from _following(operation.removeprefix("Create"), resource_arn, region, account)
    else:
        yield Need(action=f"{service}:{operation}", resource=_named(data))


def _sdk_call(service: str, action: str, data: Mapping[str, Any], region: str, account: str) -> Need:
    operation = action[:1].upper() + action[1:]
    resource = _named(data)
    if (service, operation) == ("s3", "ListObjectsV2"):
        prefix = {"s3:prefix": str(data.get("Prefix", ""))}
        return Need(action="s3:ListBucket", resource=f"arn:aws:s3:::{data['Bucket']}", context=prefix)
    if service == "glue":
        resource = crawler_resource(operation, data, region, account) or resource
    elif service == "sagemaker":
        resource = sagemaker_resource(operation, "", data, region, account)
    return Need(action=f"{_SDK_NAMESPACES.get(service, service)}:{operation}", resource=resource)


def _following(kind: str, job_arn: str, region: str, account: str) -> Iterator[Need]:
    """https://docs.aws.amazon.com/step-functions/latest/dg/connect-sagemaker.html."""
    yield Need(action=f"sagemaker:Describe{kind}", resource=job_arn)
    yield Need(action="sagemaker:AddTags", resource=job_arn)
    named = _FOLLOWED_AS.get(kind, kind)
    rule = f"arn:aws:events:{region}:{account}:rule/StepFunctionsGetEventsForSageMaker{named}sRule"
    for action in _FOLLOWING:
        yield Need(action=action, resource=rule)


def _named(data: Mapping[str, Any]) -> str:
    """The first member that holds an ARN is what the task is about."""
    return next((value for value in data.values() if isinstance(value, str) and value.startswith("arn:")), "*")


def json_of(body: bytes) -> dict[str, Any]:
    """A request's JSON object; an empty one where it is something else."""
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
