"""The tasks of the release state machine: translates between it and the steps of a release."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from lambdas.aws.clients import client
from lambdas.aws.lake import Lake
from lambdas.aws.registry import describe_package, reject_package
from lambdas.release.inspecting import Mode, change_for
from lambdas.release.releasing import Change, ReleaseStatus, begin, check, undo
from lambdas.release.settings import Settings
from lambdas.release.stack import EndpointStack, ParameterNames, Slot
from lambdas.telemetry import LambdaContext, count, log


class UnknownActionError(ValueError):
    """The state machine asks for something that is none of its tasks."""


def handle(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Do one step. What is needed by the next one is in the answer, together with all that came in."""
    match event.get("action"):
        case "inspect":
            answer = _inspect(event)
        case "begin":
            answer = _begin(_change(event))
        case "check":
            answer = _check(event, context)
        case "undo":
            answer = _undo(event, context)
        case "take_back":
            answer = _take_back(event, context)
        case "reject":
            answer = _reject(event, context)
        case action:
            raise UnknownActionError(f"There is no action {action!r}.")
    log("INFO", "A step of a release.", action=event["action"], status=answer.get("status"))
    return {**event, **answer}


def _inspect(event: Mapping[str, Any]) -> dict[str, Any]:
    arn = event.get("model_package_arn")
    change = change_for(
        Mode(event.get("mode", Mode.RELEASE.value)),
        describe_package(arn, sagemaker=client("sagemaker", read_seconds=10.0)) if arn else None,
        share=event.get("share"),
        stack=_stack(),
        lake=_lake(),
    )
    return {
        "slot": change.slot.value,
        "release": change.release,
        "is_guarded": change.is_guarded,
        "share": change.share,
    }


def _change(event: Mapping[str, Any]) -> Change:
    """The change that ``inspect`` answered."""
    return Change(
        slot=Slot(event["slot"]), release=event["release"], is_guarded=event["is_guarded"], share=event["share"]
    )


def _begin(change: Change) -> dict[str, Any]:
    begun = begin(change, stack=_stack())
    return {"previous": begun.previous, "status": begun.status.value}


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
    restored = undo(_change(event), previous=event["previous"], stack=_stack())
    count(context, ReleasesUndone=int(restored))
    return {"status": ReleaseStatus.FAILED.value, "restored": restored}


def _take_back(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    slot = Slot(event["slot"])
    begun = begin(Change(slot=slot, release=event["previous"], is_guarded=False), stack=_stack())
    count(context, ReleasesUndone=1)
    return {"status": begun.status.value}


def _reject(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    reject_package(event["model_package_arn"], event["reason"], sagemaker=client("sagemaker", read_seconds=10.0))
    count(context, ModelsRejected=1)
    return {"status": ReleaseStatus.FAILED.value}


@cache
def _settings() -> Settings:
    return Settings.from_env()


@cache
def _lake() -> Lake:
    return Lake(s3=client("s3"))


@cache
def _stack() -> EndpointStack:
    settings = _settings()
    return EndpointStack(
        name=settings.endpoint_stack,
        parameters=ParameterNames(
            release=settings.release_parameter,
            beside=settings.beside_parameter,
            guardrail=settings.guardrail_parameter,
        ),
        alarms=settings.rollback_alarms.split(","),
        cloudformation=client("cloudformation", read_seconds=20.0),
        cloudwatch=client("cloudwatch"),
        ssm=client("ssm"),
    )
