"""IAM in the local AWS: what is done with a role's credentials needs a policy of the role that allows it.

Requests are judged by ministack, with names from here; what the local AWS does for a role without a request (tasks of a
state machine, targets of event rules, event source mappings) is judged here. Every decision is recorded. Keys such as
``test`` are an administrator's. What is not judged is listed in `local/aws/inert.py`. Knows no role of the product.
"""

import secrets
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local.aws import iam_requests, seams
from local.aws.iam_record import Decision, Record
from local.aws.iam_requests import Need
from local.environment import ACCOUNT, REGION

RECORD = "iam.jsonl"

# What an event rule does with a target, by the service in the target's ARN.
_TARGET_ACTIONS = {
    "events": "events:PutEvents",
    "firehose": "firehose:PutRecord",
    "kinesis": "kinesis:PutRecord",
    "lambda": "lambda:InvokeFunction",
    "sagemaker": "sagemaker:StartPipelineExecution",
    "states": "states:StartExecution",
}
# Lambda looks at these when a mapping is made: https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html
_SOURCE_ACTIONS = {
    "sqs": ("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"),
    "dynamodb": ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"),
}
_MAPPING = "AWS::Lambda::EventSourceMapping"


class AccessControl:
    """Judges what roles do, and gives out their credentials."""

    def __init__(self, data_dir: Path) -> None:
        self._record = Record(data_dir / RECORD)
        self._sessions: dict[str, Mapping[str, str]] = {}
        self._lock = threading.Lock()

    def register(self) -> None:
        """Have the requests, tasks, targets and mappings of roles judged from now on."""
        seams.name_iam_actions("sagemaker", "sagemaker", ("sagemaker-runtime", "sagemaker-featurestore-runtime"))
        seams.name_iam_actions("application-autoscaling", "application-autoscaling")
        seams.rename_iam_actions(iam_requests.RENAMED)
        seams.name_iam_resources(_resource)
        seams.take_loopback_for_tls()
        seams.observe_iam_decisions(self._note)
        seams.check_tasks(self._check_task)
        seams.check_targets(self._may_call)
        seams.observe_provisioning(self._check_mapping)

    def credentials(self, role_arn: str) -> Mapping[str, str]:
        """The environment variables of credentials of a role, as SageMaker gives them to its jobs."""
        role = _name(role_arn)
        with self._lock:
            if role not in self._sessions:
                key_id, secret, token = (
                    f"ASIA{secrets.token_hex(8).upper()}",
                    secrets.token_hex(20),
                    secrets.token_hex(32),
                )
                with seams.request_scope(ACCOUNT, REGION):
                    seams.open_role_session(role, "SageMaker", key_id, secret, token)
                self._sessions[role] = {
                    "AWS_ACCESS_KEY_ID": key_id,
                    "AWS_SECRET_ACCESS_KEY": secret,
                    "AWS_SESSION_TOKEN": token,
                }
            return self._sessions[role]

    def _note(self, role: str, action: str, resource: str, *, allowed: bool) -> None:
        self._record.note(Decision(role=role, action=action, resource=resource, allowed=allowed))

    def _may(self, role_arn: str, need: Need) -> bool:
        role = _name(role_arn)
        allowed = seams.judge(role, need.action, need.resource, need.context)
        self._note(role, need.action, need.resource, allowed=allowed)
        return allowed

    def _check_task(self, role_arn: str, resource: str, data: Mapping[str, Any]) -> None:
        for need in iam_requests.of_task(resource, data, REGION, ACCOUNT):
            if not self._may(role_arn, need):
                raise seams.task_failure("States.Permissions", _denial(role_arn, need))

    def _may_call(self, role_arn: str, target_arn: str) -> bool:
        action = _TARGET_ACTIONS.get(target_arn.split(":")[2])
        return action is None or self._may(role_arn, Need(action=action, resource=target_arn))

    def _check_mapping(self, resource_type: str, logical_id: str, properties: Mapping[str, Any]) -> None:
        if resource_type != _MAPPING:
            return
        role_arn = seams.function_role(str(properties["FunctionName"]))
        source = str(properties.get("EventSourceArn", ""))
        service = source.split(":")[2] if source.startswith("arn:") else ""
        for action in _SOURCE_ACTIONS.get(service, ()):
            need = Need(action=action, resource=source)
            if role_arn and not self._may(role_arn, need):
                raise PermissionError(f"{logical_id}: {_denial(role_arn, need)}")


def _resource(service: str, operation: str, path: str, body: bytes) -> str | None:
    if service == "sagemaker":
        return iam_requests.sagemaker_resource(operation, path, iam_requests.json_of(body), REGION, ACCOUNT)
    if service == "glue":
        return iam_requests.crawler_resource(operation, iam_requests.json_of(body), REGION, ACCOUNT)
    if service == "transcribe":
        return iam_requests.transcription_resource(operation, iam_requests.json_of(body), REGION, ACCOUNT)
    if service == "monitoring" and operation == "DescribeAlarms":
        return f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:*"
    return None


def _name(role_arn: str) -> str:
    return role_arn.rpartition("/")[2]


def _denial(role_arn: str, need: Need) -> str:
    return f"The role {_name(role_arn)} is not authorized to perform {need.action} on {need.resource}."
