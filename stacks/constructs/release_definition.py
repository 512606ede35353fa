"""A release in the States Language: begin, look until the update ended, undo where CloudFormation rolled it back.

Knows the order and what a person reads when a release fails. The function behind it gets back, at every later call,
what its `begin` answered; `check` answers {"status": "RUNNING" | "RELEASED" | "FAILED", "reason": text}.
"""

from stacks.constructs.pipeline_definition import LAMBDA_HICCUP, State


def release_definition(function: str, *, poll_seconds: int) -> State:
    """The definition as one JSON object. Input: {"model_package_arn": ...}."""
    return {
        "Comment": "Serve an approved model by an update of the Endpoint stack with its previous template",
        "QueryLanguage": "JSONata",
        "StartAt": "Begin",
        "States": {
            "Begin": {
                **_call(function, {"action": "begin", "model_package_arn": "{% $states.input.model_package_arn %}"}),
                "Assign": {
                    "package": "{% $states.input.model_package_arn %}",
                    "begun": "{% $states.result.Payload %}",
                },
                "Catch": [_failure(next_state="Failed")],
                "Next": "Wait",
            },
            "Wait": {"Type": "Wait", "Seconds": poll_seconds, "Next": "Check"},
            "Check": {
                **_call(function, _again("check")),
                "Assign": {
                    "reason": "{% $states.result.Payload.reason ? $states.result.Payload.reason : 'no reason given' %}"
                },
                "Output": "{% $states.result.Payload %}",
                "Catch": [_failure(next_state="Undo")],
                "Next": "Ended",
            },
            "Ended": {
                "Type": "Choice",
                "Choices": [
                    {"Condition": "{% $states.input.status = 'RUNNING' %}", "Next": "Wait"},
                    {"Condition": "{% $states.input.status = 'RELEASED' %}", "Next": "Released"},
                ],
                "Default": "Undo",
            },
            "Undo": {**_call(function, _again("undo")), "Catch": [_failure(next_state="Failed")], "Next": "Failed"},
            "Released": {"Type": "Succeed", "Output": {"model_package_arn": "{% $package %}"}},
            "Failed": {
                "Type": "Fail",
                "Error": "ReleaseFailed",
                "Cause": "{% 'The model was not released: ' & $reason %}",
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


def _again(action: str) -> str:
    return f"{{% $merge([$begun, {{'action': '{action}', 'model_package_arn': $package}}]) %}}"


def _failure(*, next_state: str) -> State:
    return {
        "ErrorEquals": ["States.ALL"],
        "Assign": {"reason": "{% $states.errorOutput.Cause ? $states.errorOutput.Cause : $states.errorOutput.Error %}"},
        "Next": next_state,
    }
