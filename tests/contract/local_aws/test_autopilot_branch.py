"""Autopilot's branch of the pipeline as a state machine of the local AWS: from the views to a candidate's folder, and
how it ends where the search fails."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from stacks.constructs.autopilot_definition import START, AutopilotPlan, autopilot_states
from tests.unit.local_sagemaker import automl_kit
from tests.unit.training_code.candidates.features_kit import write_split
from training_code.candidates import autopilot, views
from training_code.candidates.predictions import read
from training_code.feature_rows import read_split

from .conftest import LocalAws, eventually

ROWS = {"train": 500, "validation": 120, "test": 60}
SEARCH_SECONDS = 120


@pytest.fixture
def run(aws: LocalAws) -> Any:
    """Run the branch over views in the bucket; the finished execution."""

    def execute(bucket: str) -> Any:
        name = uuid4().hex[:8]
        role = "arn:aws:iam::000000000000:role/earshot-machine"
        plan = AutopilotPlan(
            job_prefix="earshot",
            features=f"'s3://{bucket}/features/'",
            output=f"'s3://{bucket}/autopilot/'",
            role=role,
            model_role=role,
            key="arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555",
            minutes=2,
            candidates=2,
            instance_type="ml.m5.large",
            has_own_disks=False,
            poll_seconds=1,
        )
        branch = autopilot_states(
            plan,
            retry=[],
            failure_of=lambda step: {
                "ErrorEquals": ["States.ALL"],
                "Output": {"step": step, "failure": "{% $states.errorOutput %}"},
                "Next": "Failed",
            },
            failed="Failed",
            scoring={"Type": "Pass", "Output": "{% $autopilotJob %}", "End": True},
        )
        branch["Failed"] = {"Type": "Pass", "Output": "{% $states.input %}", "End": True}
        # As in the pipeline: the run's name is a variable of the machine, the branch one of several in a Parallel.
        machine = {
            "QueryLanguage": "JSONata",
            "StartAt": "Names",
            "States": {
                "Names": {"Type": "Pass", "Assign": {"run": name}, "Next": "All"},
                "All": {"Type": "Parallel", "Branches": [{"StartAt": START, "States": branch}], "End": True},
            },
        }
        stepfunctions = aws.client("stepfunctions")
        arn = stepfunctions.create_state_machine(name=f"branch-{name}", definition=json.dumps(machine), roleArn=role)
        execution = stepfunctions.start_execution(stateMachineArn=arn["stateMachineArn"], input="{}")["executionArn"]

        def over() -> Any:
            described = stepfunctions.describe_execution(executionArn=execution)
            return None if described["status"] == "RUNNING" else (name, described)

        return eventually(over, SEARCH_SECONDS)

    return execute


def test_the_branch_ends_with_answers_to_every_row(aws: LocalAws, run: Any, tmp_path: Path) -> None:
    features = _features(tmp_path / "features")
    views.write_views(features)
    bucket = f"autopilot-{uuid4().hex[:8]}"
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=bucket)
    for path in sorted((features / "views" / "autopilot").rglob("*.csv")):
        s3.upload_file(str(path), bucket, path.relative_to(tmp_path).as_posix())

    name, done = run(bucket)

    assert done["status"] == "SUCCEEDED", (done.get("error"), done.get("cause"))
    (told,) = json.loads(done["output"])
    assert told["name"] == f"earshot-{name}", told
    assert (told["metric"], told["value"] > 0.5, told["seconds"] > 0) == ("F1macro", True, True)
    assert aws.client("sagemaker").list_models(NameContains=name)["Models"] == []
    answers = tmp_path / "answers"
    answers.mkdir()
    for split in ("validation", "test"):
        s3.download_file(bucket, f"autopilot/answers/{name}/{split}.csv.out", str(answers / f"{split}.csv.out"))
    autopilot.score_answers(answers=answers, features=features, output=tmp_path / "candidate")
    candidate, predictions = read(tmp_path / "candidate")
    assert candidate.trained_rows == ROWS["train"]
    test = predictions.of("test")
    truth = read_split(features / "test", split="test").classes
    assert (test.answers == truth).mean() > 0.7


def test_a_failed_search_ends_the_branch_with_its_sentence(aws: LocalAws, run: Any) -> None:
    bucket = f"autopilot-{uuid4().hex[:8]}"
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=bucket)
    for split in ("train", "validation"):
        body = automl_kit.table(automl_kit.rows(20))
        s3.put_object(Bucket=bucket, Key=f"features/views/autopilot/{split}/{split}.csv", Body=body)

    _, done = run(bucket)

    assert done["status"] == "SUCCEEDED", (done.get("error"), done.get("cause"))
    (told,) = json.loads(done["output"])
    assert told["step"] == START
    assert told["failure"]["Cause"] == ("ClientError: the training data has 20 rows, and a job needs at least 500")


def _features(folder: Path) -> Path:
    for seed, (split, count) in enumerate(ROWS.items()):
        records = automl_kit.rows(count, seed=seed)
        write_split(
            folder / split,
            [
                {
                    "text_id": f"{split}-{number}",
                    "text": f"{text}\nand more",
                    "stars": 3,
                    "sentiment": automl_kit.LABELS.index(label) - 1,
                    "product_id": "p",
                    "category": category,
                    "channel": "web",
                    "created_at": "2026-01-02T03:04:05Z",
                    "language": "en",
                    "words": len(text.split()),
                    "age_band": ("25-34", "45-54")[number % 2],
                }
                for number, (text, category, _, label) in enumerate(records)
            ],
        )
    return folder
