"""A release in the States Language: inspect, begin, compare and look until the update ended, take back what is bad.

Knows the order and what a person reads when a release fails. The release function gets back, at every later call, what
it answered before; its `check` answers {"status": "RUNNING" | "RELEASED" | "FAILED", "reason": text}. The canary
function's `compare` answers {"verdict": "WAITING" | "GOOD" | "BAD", "reason": text}; a bad verdict ends nothing by
itself while the endpoint is updated: the alarms on the same figures take the model back, SageMaker and CloudFormation
roll back in order, and the verdict says why. A model that is judged bad only when the update is complete is taken back.
"""

from collections.abc import Sequence

from stacks.constructs.pipeline.states import LAMBDA_HICCUP, State

IS_COMPARED = "$mode = 'release'"
IS_BAD = "$canary.verdict = 'BAD'"
WHY = f"(({IS_BAD} ? $canary.reason & ' ' : '') & $reason)"
BAD_ARTIFACTS = ("RefusedArtifactError", "UnregisteredArtifactsError", "IncompleteReleaseError")
STATUS_IS = "{{% $states.input.status = '{}' %}}"
# The alarms on an earlier model's figures look back over a minute or three.
ALARMS_CALM_DOWN: State = {
    "ErrorEquals": ["AlarmsRingError"],
    "IntervalSeconds": 5,
    "MaxAttempts": 48,
    "BackoffRate": 1,
}
NOT_ASKED: State = {"verdict": "WAITING", "reason": ""}


def release_definition(release: str, canary: str, *, poll_seconds: int) -> State:
    """The definition as one JSON object over the two functions' ARNs.

    Input: {"model_package_arn"?: ..., "mode"?: "release" | "rollback" | "beside" | "alone", "share"?: number}.
    """
    wait = {"Type": "Wait", "Seconds": poll_seconds}
    return {
        "Comment": "Serve another model by an update of the Endpoint stack with its previous template",
        "QueryLanguage": "JSONata",
        "StartAt": "Request",
        "States": {
            "Request": {
                "Type": "Pass",
                "Assign": {
                    "package": "{% $exists($states.input.model_package_arn) ? $states.input.model_package_arn : '' %}"
                },
                "Next": "Inspect",
            },
            "Inspect": {
                **_call(release, "{% $merge([{'mode': 'release'}, $states.input, {'action': 'inspect'}]) %}"),
                "Assign": {
                    "mode": "{% $states.result.Payload.mode %}",
                    "change": "{% $states.result.Payload %}",
                    "baseline": {},
                    "canary": NOT_ASKED,
                },
                "Catch": [
                    _failure(next_state="Reject", errors=BAD_ARTIFACTS, canary=NOT_ASKED),
                    _failure(next_state="Failed", canary=NOT_ASKED),
                ],
                "Next": "IsCompared",
            },
            "IsCompared": {
                "Type": "Choice",
                "Choices": [{"Condition": f"{{% {IS_COMPARED} %}}", "Next": "Baseline"}],
                "Default": "Begin",
            },
            # A served model that cannot answer must not stand in the way of the next one.
            "Baseline": {
                **_call(canary, {"action": "baseline", "release": "{% $change.release %}"}),
                "Assign": {"baseline": "{% $states.result.Payload %}"},
                "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Begin"}],
                "Next": "Begin",
            },
            "Begin": {
                **_call(release, _again("begin")),
                "Retry": [LAMBDA_HICCUP, ALARMS_CALM_DOWN],
                "Assign": {"change": "{% $states.result.Payload %}"},
                "Catch": [_failure(next_state="Failed")],
                "Next": "Wait",
            },
            "Wait": {**wait, "Next": "Check"},
            "Check": {
                **_call(release, _again("check")),
                "Assign": {"reason": _reason("$states.result.Payload.reason")},
                "Output": "{% $states.result.Payload %}",
                "Catch": [_failure(next_state="Undo")],
                "Next": "Ended",
            },
            "Ended": {
                "Type": "Choice",
                "Choices": [
                    {"Condition": f"{{% $states.input.status = 'RUNNING' and {IS_COMPARED} %}}", "Next": "Canary"},
                    {"Condition": STATUS_IS.format("RUNNING"), "Next": "Wait"},
                    {"Condition": f"{{% $states.input.status = 'RELEASED' and {IS_COMPARED} %}}", "Next": "LastLook"},
                    {"Condition": STATUS_IS.format("RELEASED"), "Next": "Released"},
                ],
                "Default": "Undo",
            },
            "Canary": _compare(canary, next_state="Wait"),
            # Only the new model answers by now: whatever the canary could not see in time it sees here.
            "LastLook": _compare(canary, next_state="IsGood"),
            "IsGood": {
                "Type": "Choice",
                "Choices": [{"Condition": f"{{% {IS_BAD} %}}", "Next": "TakeBack"}],
                "Default": "Released",
            },
            "TakeBack": {
                **_call(release, _again("take_back")),
                "Assign": {"reason": "It was taken back after the update."},
                "Catch": [_failure(next_state="Failed")],
                "Next": "WaitForTheOld",
            },
            "WaitForTheOld": {**wait, "Next": "CheckTheOld"},
            "CheckTheOld": {
                **_call(release, _again("check")),
                "Output": "{% $states.result.Payload %}",
                "Catch": [_failure(next_state="Failed")],
                "Next": "IsTheOldServed",
            },
            "IsTheOldServed": {
                "Type": "Choice",
                "Choices": [{"Condition": STATUS_IS.format("RUNNING"), "Next": "WaitForTheOld"}],
                "Default": "Reject",
            },
            "Undo": {**_call(release, _again("undo")), "Catch": [_failure(next_state="Failed")], "Next": "IsBad"},
            "IsBad": {
                "Type": "Choice",
                "Choices": [{"Condition": f"{{% {IS_BAD} %}}", "Next": "Reject"}],
                "Default": "Failed",
            },
            # What failed for another reason stays approved: a stack that was busy says nothing about the model.
            "Reject": {
                **_call(
                    release,
                    {"action": "reject", "model_package_arn": "{% $package %}", "reason": f"{{% {WHY} %}}"},
                ),
                "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Failed"}],
                "Next": "Failed",
            },
            "Released": {
                "Type": "Succeed",
                "Output": {"release": "{% $change.release %}", "slot": "{% $change.slot %}"},
            },
            "Failed": {
                "Type": "Fail",
                "Error": "ReleaseFailed",
                "Cause": (f"{{% 'The model was not released: ' & ({IS_BAD} ? $canary.reason & ' ' : '') & $reason %}}"),
            },
        },
    }


def _call(function: str, payload: State | str) -> State:
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": function, "Payload": payload},
        "Retry": [LAMBDA_HICCUP],
    }


def _compare(canary: str, *, next_state: str) -> State:
    """One comparison; a bad verdict stays. A canary that fails itself stops no release: other alarms still watch."""
    payload = "{% {'action': 'compare', 'release': $change.release, 'baseline': $baseline} %}"
    return {
        **_call(canary, payload),
        "Assign": {"canary": f"{{% {IS_BAD} ? $canary : $states.result.Payload %}}"},
        "Output": "{% $states.result.Payload %}",
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": next_state}],
        "Next": next_state,
    }


def _again(action: str) -> str:
    return f"{{% $merge([$change, {{'action': '{action}'}}]) %}}"


def _failure(*, next_state: str, errors: Sequence[str] = ("States.ALL",), **assigned: State) -> State:
    """A function's error arrives as a JSON object with the sentence inside."""
    return {
        "ErrorEquals": list(errors),
        "Assign": {
            **assigned,
            "reason": (
                "{% ($cause := $states.errorOutput.Cause ? $states.errorOutput.Cause : $states.errorOutput.Error; "
                "$contains($cause, '\"errorMessage\"') ? $parse($cause).errorMessage : $cause) %}"
            ),
        },
        "Next": next_state,
    }


def _reason(value: str) -> str:
    return f"{{% {value} ? {value} : 'no reason given' %}}"
