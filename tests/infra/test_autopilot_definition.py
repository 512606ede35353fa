"""Autopilot's branch of the pipeline: every request is one that the service would take, and every end leads on.

That the whole pipeline's requests are, test_model_pipeline.py says; here are the limits of this one.
"""

from dataclasses import replace
from typing import Any

import pytest

from stacks.constructs.autopilot_definition import (
    LABEL_KEYS,
    START,
    AutopilotPlan,
    autopilot_states,
    candidate_seconds,
    model_request,
    scoring_arguments,
    scoring_inputs,
    search_request,
    transform_request,
)
from tests.infra.shapes import complaints
from training_code.candidates import autopilot, views

RUN = "20260301-100000"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
PLAN = AutopilotPlan(
    job_prefix="earshot-prod",
    features="'s3://lake/curated/features/' & $run & '/'",
    output="'s3://artifacts/autopilot/'",
    role="arn:aws:iam::123456789012:role/Autopilot",
    model_role="arn:aws:iam::123456789012:role/AutopilotModel",
    key=KEY,
    minutes=60,
    candidates=50,
    instance_type="ml.m5.xlarge",
    has_own_disks=False,
    poll_seconds=30,
)
CONTAINERS = [
    {"Image": "i", "ModelDataUrl": f"s3://a/{place}.tar.gz", "Environment": {"SAGEMAKER_INFERENCE_OUTPUT": "x"}}
    for place in range(3)
]


def evaluated(value: Any) -> Any:
    """The request with its expressions worked out: concatenations, containers, and merges."""
    if isinstance(value, dict):
        return {name: evaluated(item) for name, item in value.items()}
    if isinstance(value, list):
        return [evaluated(item) for item in value]
    if not (isinstance(value, str) and value.startswith("{%")):
        return value
    expression = value.removeprefix("{%").removesuffix("%}").strip()
    if expression.startswith("$merge(["):
        return {"SAGEMAKER_PROGRAM": "sagemaker_serve"}
    if expression.startswith("$autopilotContainers["):
        place, _, member = expression.removeprefix("$autopilotContainers[").partition("].")
        return CONTAINERS[int(place)][member]
    parts = [RUN if part == "$run" else part.strip("'") for part in expression.split(" & ")]
    return "".join(parts)


@pytest.mark.parametrize(
    ("operation", "request_of"),
    [
        ("CreateAutoMLJobV2", search_request),
        ("CreateModel", model_request),
        ("CreateTransformJob", transform_request),
    ],
)
def test_sagemaker_would_take_each_request(operation: str, request_of: Any) -> None:
    assert complaints("sagemaker", operation, evaluated(request_of(PLAN))) == []


def test_the_search_reads_what_the_views_hold() -> None:
    request = evaluated(search_request(PLAN))
    assert request["AutoMLProblemTypeConfig"]["TabularJobConfig"]["TargetAttributeName"] == views.TARGET
    uris = [channel["DataSource"]["S3DataSource"]["S3Uri"] for channel in request["AutoMLJobInputDataConfig"]]
    assert uris == [
        f"s3://lake/curated/features/{RUN}/views/autopilot/{folder}/" for folder in (views.TRAIN, views.VALIDATION)
    ]
    asked = evaluated(transform_request(PLAN))["TransformInput"]
    assert asked["DataSource"]["S3DataSource"]["S3Uri"].endswith("/views/autopilot/scoring/")


def test_everything_that_is_written_is_encrypted_with_our_key() -> None:
    search, transform = evaluated(search_request(PLAN)), evaluated(transform_request(PLAN))
    assert search["OutputDataConfig"]["KmsKeyId"] == KEY
    assert search["SecurityConfig"] == {"VolumeKmsKeyId": KEY, "EnableInterContainerTrafficEncryption": True}
    assert transform["TransformOutput"]["KmsKeyId"] == KEY
    assert transform["TransformResources"]["VolumeKmsKeyId"] == KEY
    own_disks = evaluated(transform_request(replace(PLAN, has_own_disks=True)))
    assert "VolumeKmsKeyId" not in own_disks["TransformResources"]


@pytest.mark.parametrize(("minutes", "seconds"), [(2, 120), (10, 300), (60, 900)])
def test_one_candidate_never_has_more_time_than_all(minutes: int, seconds: int) -> None:
    assert candidate_seconds(replace(PLAN, minutes=minutes)) == seconds


def test_the_last_container_gives_what_the_scoring_reads() -> None:
    assert tuple(LABEL_KEYS.split(",")) == autopilot.KEYS
    merge = str(model_request(PLAN)["Containers"][2]["Environment"])  # type: ignore[index]
    assert f"'SAGEMAKER_INFERENCE_OUTPUT': '{LABEL_KEYS}'" in merge


def test_the_scoring_job_takes_its_arguments() -> None:
    arguments = [evaluated(word) for word in scoring_arguments(exit_message="/opt/ml/output/message")]
    assert arguments[0] == "training_code.candidates.autopilot"
    for name in scoring_inputs(PLAN):
        assert f"/opt/ml/processing/input/{name}" in arguments
    assert all(len(word) <= 256 for word in arguments)


def states(**changes: Any) -> dict[str, Any]:
    plan = replace(PLAN, **changes)
    return autopilot_states(
        plan,
        retry=[{"ErrorEquals": ["ThrottlingException"]}],
        failure_of=lambda step: {
            "ErrorEquals": ["States.ALL"],
            "Output": {"step": step, "failure": "{% $states.errorOutput %}"},
            "Next": "Failed",
        },
        failed="Failed",
        scoring={"Type": "Pass", "End": True},
    )


def test_every_state_is_reached_and_every_task_is_caught() -> None:
    branch = states()
    reached = {START}
    for name, state in branch.items():
        reached |= {state[member] for member in ("Next", "Default") if member in state}
        reached |= {rule["Next"] for rule in (*state.get("Choices", []), *state.get("Catch", []))}
        if state["Type"] == "Task":
            assert state["Catch"][-1]["ErrorEquals"] == ["States.ALL"], name
            assert state["Retry"], name
    assert reached == {*branch, "Failed"}


def test_a_model_whose_transform_job_failed_is_deleted_before_the_branch_ends() -> None:
    branch = states()
    (caught,) = branch["AskBest"]["Catch"]
    assert caught["Next"] == "ForgetUnasked"
    assert branch["ForgetUnasked"]["Resource"].endswith(":deleteModel")
    assert branch["ForgetUnasked"]["Output"] == "{% $states.input %}", "the failure is handed on"
    assert branch["ForgetUnasked"]["Next"] == "Failed"
