"""Starting, following and repeating a run of the model pipeline."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import executions
from cli import train as train_command
from cli.app import app
from cli.connection import AwsConnection
from cli.errors import BadInput, Problem
from cli.log_events import LogTail
from cli.pipeline_jobs import branches
from cli.train import Training, fingerprint, fingerprint_of_run, job_tails, run_pipeline, running_same, start
from tests.unit.cli.fakes import (
    OUTPUTS,
    FakeLogs,
    FakeRegistry,
    FakeS3,
    FakeSsm,
    FakeStates,
    RecordedStep,
    connection,
    evaluation,
)

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
DEFINITION = {
    "States": {
        "Features": {
            "Resource": "arn:aws:states:::sagemaker:createProcessingJob.sync",
            "Arguments": {"ProcessingJobName": "{% 'earshot-dev-features-' & $run %}"},
        },
        "Candidates": {
            "Branches": [
                {
                    "States": {
                        "IsBertWanted": {"Type": "Choice"},
                        "Train": {
                            "Resource": "arn:aws:states:::sagemaker:createTrainingJob.sync",
                            "Arguments": {"TrainingJobName": "{% 'earshot-dev-train-' & $run %}"},
                        },
                    }
                },
                {
                    "States": {
                        "IsTunedWanted": {"Type": "Choice"},
                        "Tune": {
                            "Resource": "arn:aws:states:::sagemaker:createHyperParameterTuningJob.sync",
                            "Arguments": {"HyperParameterTuningJobName": "{% 'earshot-dev-' & $run %}"},
                        },
                        "Best": {"Resource": "arn:aws:states:::aws-sdk:sagemaker:describeTrainingJob"},
                    }
                },
            ]
        },
        "Gate": {"Resource": "arn:aws:states:::lambda:invoke"},
    }
}


def event(kind: str, name: str, seconds: int) -> dict[str, Any]:
    details = "stateEnteredEventDetails" if kind.endswith("Entered") else "stateExitedEventDetails"
    return {"type": kind, "timestamp": NOON + timedelta(seconds=seconds), details: {"name": name}}


@pytest.fixture
def states() -> FakeStates:
    return FakeStates(
        definition=DEFINITION,
        events=[event("TaskStateEntered", "Train", 0), event("TaskStateExited", "Train", 75)],
    )


@pytest.fixture
def s3() -> FakeS3:
    return FakeS3({"raw/reviews/ingest_date=2026-01-01/abc.parquet": b""})


def stage(states: FakeStates, s3: FakeS3, **others: Any) -> AwsConnection:
    return connection({"stepfunctions": states, "s3": s3, "logs": FakeLogs(), "ssm": FakeSsm(), **others})


def test_a_run_is_asked_only_for_what_was_given(states: FakeStates, s3: FakeS3) -> None:
    training = Training(max_rows=500, hyperparameters={"epochs": "2"})
    run = start(stage(states, s3), training)
    (started,) = states.started
    assert started["machine"] == OUTPUTS["training"]["ModelPipeline"]
    assert started["name"] == run
    assert started["input"] == {"max_rows": "500", "hyperparameters": {"epochs": "2"}}


def test_a_run_over_an_empty_lake_is_refused_before_it_starts(states: FakeStates) -> None:
    with pytest.raises(BadInput, match="load some with `earshot ingest FILE`"):
        start(stage(states, FakeS3()), Training())
    assert states.started == []


def test_a_run_remembers_what_it_was_made_from(states: FakeStates, s3: FakeS3) -> None:
    aws = stage(states, s3)
    run = start(aws, Training())
    assert fingerprint_of_run(aws, run) == fingerprint(aws, Training())
    assert fingerprint_of_run(aws, "another") is None
    assert fingerprint(aws, Training(max_rows=5)) != fingerprint(aws, Training())
    before = fingerprint(aws, Training())
    s3.objects["raw/reviews/ingest_date=2026-01-02/def.parquet"] = b""
    assert fingerprint(aws, Training()) != before
    states.definition = {"States": {}}
    assert fingerprint(aws, Training(reviews_prefix="raw/reviews/ingest_date=2026-01-01/")) != before


def test_a_run_that_does_the_same_at_this_moment_is_joined(states: FakeStates, s3: FakeS3) -> None:
    aws = stage(states, s3)
    assert running_same(aws, Training()) is None
    run = start(aws, Training())
    states.executions[run] = {"name": run, "status": "RUNNING", "startDate": NOON}
    assert running_same(aws, Training()) == run
    assert running_same(aws, Training(max_rows=1)) is None
    states.executions[run]["status"] = "FAILED"
    assert running_same(aws, Training()) is None


def test_following_shows_each_state_with_its_time_and_the_lines_of_its_job(states: FakeStates, s3: FakeS3) -> None:
    logs = FakeLogs([{"eventId": "1", "timestamp": 5, "logStreamName": "job/algo-1", "message": "epoch 1 loss 0.5\n"}])
    aws = stage(states, s3, logs=logs)
    states.executions["run"] = {"status": "SUCCEEDED", "output": json.dumps({"run": "r"})}
    said: list[str] = []
    tails = {"Train": LogTail(connection=aws, group="g", stream_prefix="job")}
    assert executions.follow(aws, "run", say=said.append, now=lambda _: None, tails=tails) == {"run": "r"}
    assert said == ["Train", "Train | epoch 1 loss 0.5", "Train took 75 s"]


@pytest.mark.parametrize(
    ("cause", "sentence"),
    [
        ("The gate refused run r: macro-F1 is 0.2.", "The gate refused run r: macro-F1 is 0.2."),
        (json.dumps({"TrainingJobName": "x", "FailureReason": "no rows"}), "no rows"),
        (json.dumps({"errorMessage": "broken", "errorType": "E"}), "broken"),
    ],
)
def test_a_failed_run_ends_with_its_reason(states: FakeStates, s3: FakeS3, cause: str, sentence: str) -> None:
    states.executions["a:run"] = {"status": "FAILED", "cause": cause, "error": "E"}
    with pytest.raises(Problem) as failed:
        executions.follow(stage(states, s3), "a:run", say=lambda _: None, now=lambda _: None)
    assert failed.value.message == f"The run run failed: {sentence}"


def test_the_reason_is_looked_up_in_the_history_where_the_description_has_none(states: FakeStates, s3: FakeS3) -> None:
    states.events.append(
        {"type": "ExecutionFailed", "timestamp": NOON, "executionFailedEventDetails": {"cause": "it broke"}}
    )
    states.executions["a:run"] = {"status": "FAILED"}
    with pytest.raises(Problem, match="it broke"):
        executions.follow(stage(states, s3), "a:run", say=lambda _: None, now=lambda _: None)


def test_the_logs_of_the_states_that_run_jobs_are_followed(states: FakeStates, s3: FakeS3) -> None:
    tails = job_tails(stage(states, s3), OUTPUTS["training"]["ModelPipeline"], "r1")
    assert {name: (tail.group, tail.stream_prefix) for name, tail in tails.items()} == {
        "Features": ("/aws/sagemaker/ProcessingJobs", "earshot-dev-features-r1"),
        "Train": ("/aws/sagemaker/TrainingJobs", "earshot-dev-train-r1"),
        "Tune": ("/aws/sagemaker/TrainingJobs", "earshot-dev-r1-0"),
    }


def test_branches_are_known_by_the_states_in_them() -> None:
    assert branches(DEFINITION) == {"Candidates": {"IsBertWanted", "Train", "IsTunedWanted", "Tune", "Best"}}


def lines_of(job: str) -> FakeLogs:
    return FakeLogs(
        [{"eventId": "1", "timestamp": 5, "logStreamName": f"{job}/algo-1", "message": "epoch 1 loss 0.5\n"}]
    )


def followed(states: FakeStates, s3: FakeS3, logs: FakeLogs) -> list[str]:
    aws = stage(states, s3, logs=logs)
    states.executions["run"] = {"status": "SUCCEEDED"}
    said: list[str] = []
    tails = {
        name: LogTail(connection=aws, group="g", stream_prefix=name.lower()) for name in ("Train", "Tune", "Features")
    }
    executions.follow(
        aws, "run", say=said.append, now=lambda _: None, tails=tails, branches=branches(DEFINITION), poll_seconds=0
    )
    return said


def test_states_of_branches_are_shown_as_they_go(states: FakeStates, s3: FakeS3) -> None:
    states.events[:] = [
        event("ParallelStateEntered", "Candidates", 0),
        event("ChoiceStateEntered", "IsBertWanted", 0),
        event("ChoiceStateExited", "IsBertWanted", 0),
        event("TaskStateEntered", "Train", 1),
        event("TaskStateExited", "Train", 31),
        event("ParallelStateExited", "Candidates", 31),
    ]
    said = followed(states, s3, lines_of("train"))
    assert said == ["Candidates", "Train", "Train | epoch 1 loss 0.5", "Train took 30 s"]


def test_a_job_in_a_branch_that_the_history_does_not_tell_of_is_known_by_its_first_line(
    states: FakeStates, s3: FakeS3
) -> None:
    """The local AWS writes no history of branches."""
    states.events[:] = [event("ParallelStateEntered", "Candidates", 0)]
    assert followed(states, s3, lines_of("tune")) == ["Candidates", "Tune", "Tune | epoch 1 loss 0.5"]
    assert followed(states, s3, lines_of("features")) == ["Candidates"], "it is in no branch that is under way"


def test_candidates_are_asked_for_in_one_order_and_full_means_all_but_the_tuning_job(
    states: FakeStates, s3: FakeS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_command, "connect", lambda _: stage(states, s3))
    for arguments in (["--candidates", "bert, baselines"], ["--full"], []):
        result = CliRunner().invoke(app, ["train", "--no-wait", *arguments])
        assert result.exit_code == 0, result.stderr
    asked = [started["input"].get("candidates") for started in states.started]
    assert asked == [["baselines", "bert"], ["baselines", "blazingtext", "autopilot", "bert"], None]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("bert,forest", "There is no candidate 'forest': candidates are baselines,"),
        ("baselines", "A run needs a candidate that can be served: add bert or tuned."),
    ],
)
def test_candidates_that_make_no_run_are_refused_before_it_starts(
    given: str, sentence: str, states: FakeStates, s3: FakeS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_command, "connect", lambda _: stage(states, s3))
    result = CliRunner().invoke(app, ["train", "--candidates", given])
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert states.started == []


def test_a_run_ends_with_the_package_that_it_registered(
    states: FakeStates, s3: FakeS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = FakeRegistry()
    aws = stage(states, s3, sagemaker=registry)

    def finished(_: object, execution: str, **__: object) -> dict[str, Any]:
        run = execution.rsplit(":", 1)[-1]
        registry.add(run)
        s3.objects[f"reports/{run}/evaluation/evaluation.json"] = json.dumps(evaluation(0.71)).encode()
        return {}

    monkeypatch.setattr(executions, "follow", finished)
    step = RecordedStep()
    package = run_pipeline(aws, Training(), step)
    assert package.version == 1
    assert "macro-F1 0.710" in step.result
