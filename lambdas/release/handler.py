"""The tasks of the release state machine: translates between it and the steps of a release."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from lambdas.aws.clients import client
from lambdas.aws.lake import Lake
from lambdas.aws.registry import describe_package
from lambdas.containers import release_prefix
from lambdas.release.artifacts import verify_artifacts
from lambdas.release.releasing import ReleaseStatus, begin, check, undo
from lambdas.release.settings import Settings
from lambdas.release.stack import EndpointStack
from lambdas.telemetry import LambdaContext, count, log


class UnknownActionError(ValueError):
    """The state machine asks for something that is none of begin, check and undo."""


class NotApprovedError(RuntimeError):
    """The model package is not approved, so it is not released."""


def handle(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Do one step. What is needed by the next one is in the answer, together with all that came in."""
    match event.get("action"):
        case "begin":
            answer = _begin(event["model_package_arn"])
        case "check":
            answer = _check(event, context)
        case "undo":
            answer = _undo(event, context)
        case action:
            raise UnknownActionError(f"There is no action {action!r}.")
    log("INFO", "A step of a release.", action=event["action"], status=answer.get("status"))
    return {**event, **answer}


def _begin(arn: str) -> dict[str, Any]:
    package = describe_package(arn, sagemaker=client("sagemaker", read_seconds=10.0))
    if package.get("ModelApprovalStatus") != "Approved":
        raise NotApprovedError(f"The model package {arn} is not approved.")
    containers = package["InferenceSpecification"]["Containers"]
    prefix = release_prefix([container["ModelDataUrl"] for container in containers])
    verify_artifacts(prefix, lake=_lake())
    begun = begin(prefix, stack=_stack())
    return {"release": begun.release, "previous": begun.previous, "status": begun.status.value}


def _check(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    if event.get("status") == ReleaseStatus.RELEASED.value:  # begin found nothing to update
        return {}
    checked = check(stack=_stack())
    count(
        context,
        ModelsReleased=int(checked.status is ReleaseStatus.RELEASED),
        ReleasesFailed=int(checked.status is ReleaseStatus.FAILED),
    )
    return {"status": checked.status.value, "reason": checked.reason}


def _undo(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    restored = undo(release=event["release"], previous=event["previous"], stack=_stack())
    count(context, ReleasesUndone=int(restored))
    return {"status": ReleaseStatus.FAILED.value, "restored": restored}


@cache
def _settings() -> Settings:
    return Settings.from_env()


@cache
def _lake() -> Lake:
    return Lake(s3=client("s3"))


@cache
def _stack() -> EndpointStack:
    return EndpointStack(
        name=_settings().endpoint_stack,
        parameter=_settings().release_parameter,
        cloudformation=client("cloudformation", read_seconds=20.0),
        ssm=client("ssm"),
    )
