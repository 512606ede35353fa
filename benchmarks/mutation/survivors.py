"""Mutations that no rule should catch where they survive, each with the reason; every other survivor is open."""

from benchmarks.mutation.score import Outcome

# (mutation, start of the logical id): why it is right that nothing is found.
REASONS = {
    ("rule-disabled", ""): "A rule may be switched off on purpose: a schedule, say, until its first run is wanted",
    ("alarm-deleted", "EndpointOverload"): "It warns before the endpoint is slow; its latency and errors have alarms",
    ("training-isolation-off", "ModelPipelineWorkflow"): (
        "The acknowledgement is of all jobs of the machine; a test pins the isolation of the one that is isolated"
    ),
    ("dead-letters-deleted", "JobDeadLetters"): "Its source names it by an ARN: the queue may be in another stack",
}


def reason(outcome: Outcome) -> str:
    """Why nothing is found; nothing where that is open."""
    return next(
        (
            why
            for (mutation, start), why in REASONS.items()
            if mutation == outcome.mutation.id and outcome.logical_id.startswith(start)
        ),
        "",
    )
