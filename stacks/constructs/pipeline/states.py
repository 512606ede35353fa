"""What states have in common: retries, and failures that end as one sentence.

A failure is handed on as a state's input, `{"step", "failure": {"Error", "Cause"}}`, and never as a variable: what a
branch assigns must not have the name of a variable outside, and is not seen there.

https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html
"""

State = dict[str, object]

THROTTLED = {
    "ErrorEquals": ["ThrottlingException", "SageMaker.ThrottlingException", "Glue.ThrottlingException"],
    "IntervalSeconds": 5,
    "MaxAttempts": 5,
    "BackoffRate": 2,
    "JitterStrategy": "FULL",
}
LAMBDA_HICCUP = {
    "ErrorEquals": [
        "Lambda.ServiceException",
        "Lambda.AWSLambdaException",
        "Lambda.SdkClientException",
        "Lambda.TooManyRequestsException",
    ],
    "IntervalSeconds": 2,
    "MaxAttempts": 4,
    "BackoffRate": 2,
    "JitterStrategy": "FULL",
}
SCORED, FAILED, SKIPPED = "scored", "failed", "skipped"


def failure_of(step: str, *, leads_to: str) -> State:
    """A catcher that hands on which step failed, and how."""
    return {
        "ErrorEquals": ["States.ALL"],
        "Output": {"step": step, "failure": "{% $states.errorOutput %}"},
        "Next": leads_to,
    }


def failure_sentence(subject: str) -> str:
    """JSONata for the reason of the failure in the state's input, behind `subject`, which is JSONata too.

    A job's failure arrives as its whole description; what its program left as a message is the best of it.
    """
    return (
        "{% ($failure := $states.input.failure; "
        "$cause := $failure.Cause ? $failure.Cause : $failure.Error; "
        "$job := $contains($cause, '\"FailureReason\"') ? $parse($cause) : {}; "
        "$told := $job.ExitMessage ? $job.ExitMessage : $job.FailureReason; "
        "$reason := $told ? $told : $cause; "
        f"{subject} & ' failed: ' & $reason) %}}"
    )


def run_failed() -> State:
    """The end of a run by one step's failure."""
    return {
        "Type": "Fail",
        "Error": "{% $states.input.step & 'Failed' %}",
        "Cause": failure_sentence("'The step ' & $states.input.step & ' of run ' & $run"),
    }


def candidate_failed(name: str) -> State:
    """The end of a branch whose failure the run survives."""
    return {
        "Type": "Pass",
        "Output": {
            "name": name,
            "status": FAILED,
            "reason": failure_sentence(f"'The step ' & $states.input.step & ' of {name}'"),
        },
        "End": True,
    }


def job_done(name: str) -> State:
    """Fields of the last task of a branch."""
    return {"Output": {"name": name, "status": SCORED}, "End": True}
