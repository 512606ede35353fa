"""Tuning jobs from their creation to the best training job, with real optimisers and real, short training programs."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.options import REPOSITORY
from local.sagemaker.service import SageMaker
from local.sagemaker.tuning.requests import training_request
from tests.unit.local_sagemaker.conftest import LocalAws, Served
from tests.unit.local_sagemaker.job_kit import IMAGE, ROLE, code, ended, members, until

TRAINING_PYTHON = REPOSITORY / ".venv-training" / "bin" / "python"
KIND = "HyperParameterTuning"
SCORED = """
import json, os
given = json.loads(os.environ["SM_HPS"])
rate = given["rate"]
print(f"score={1 - (rate - 0.5) ** 2:.6f}")
open(os.environ["SM_MODEL_DIR"] + "/model.json", "w").write(json.dumps(given))
"""
SLOW = "import time\nprint('score=0.1', flush=True)\ntime.sleep(60)\n"
FAILING = "raise ValueError('no such column')\n"
SILENT = "print('nothing to see')\n"
# The first three end at 0.9; whoever comes later starts lower and would take very long.
HOPELESS = """
import os, sys, time
job = int(os.environ["TRAINING_JOB_NAME"].split("-")[1])
print("score=0.9" if job < 4 else "score=0.2", flush=True)
time.sleep(0 if job < 4 else 60)
"""


@pytest.fixture
def tuned_aws(local_aws: LocalAws, served: Served) -> Iterator[LocalAws]:
    """A local SageMaker whose training interpreter has the optimiser's library."""
    if not TRAINING_PYTHON.exists():
        pytest.skip("there is no .venv-training")
    local_aws.service.close()
    context = replace(local_aws.context, training_python=TRAINING_PYTHON, jobs_at_once=4)
    service = SageMaker(context, stop_grace_seconds=1.0)
    served.stage.service = service
    service.start()
    yield LocalAws(client=served.client, service=service, context=context, aws=local_aws.aws, bus=local_aws.bus)
    service.close()


def _range(name: str, lowest: str, highest: str, scale: str = "Auto") -> dict[str, str]:
    return {"Name": name, "MinValue": lowest, "MaxValue": highest, "ScalingType": scale}


RATE = {"ContinuousParameterRanges": [_range("rate", "0.0", "1.0")]}


def _request(name: str = "tune", *, jobs: int | None = 4, parallel: int = 2, **config: Any) -> dict[str, Any]:
    limits = {"MaxParallelTrainingJobs": parallel} | ({"MaxNumberOfTrainingJobs": jobs} if jobs else {})
    return {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobConfig": {
            "Strategy": "Bayesian",
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "score"},
            "ResourceLimits": limits,
            "ParameterRanges": RATE,
            "RandomSeed": 7,
            **config,
        },
        "TrainingJobDefinition": {
            "StaticHyperParameters": {
                "sagemaker_program": '"train.py"',
                "sagemaker_submit_directory": '"s3://b/sourcedir.tar.gz"',
                "epochs": "2",
            },
            "AlgorithmSpecification": {
                "TrainingImage": IMAGE,
                "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": "score", "Regex": r"score=([0-9.]+)"}],
            },
            "RoleArn": ROLE,
            "OutputDataConfig": {"S3OutputPath": "s3://b/tuning"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        },
    }


def _tune(aws: LocalAws, script: str, **more: Any) -> str:
    aws.put("s3://b/sourcedir.tar.gz", code(train__py=script))
    request = _request(**more)
    aws.client.create_hyper_parameter_tuning_job(**request)
    return str(request["HyperParameterTuningJobName"])


def _trainings(aws: LocalAws, **more: Any) -> list[Any]:
    answer = aws.client.list_training_jobs_for_hyper_parameter_tuning_job(HyperParameterTuningJobName="tune", **more)
    found: list[Any] = answer["TrainingJobSummaries"]
    return found


def test_the_best_of_several_training_jobs_is_found_and_described(tuned_aws: LocalAws) -> None:
    aws = tuned_aws
    aws.put("s3://b/sourcedir.tar.gz", code(train__py=SCORED))
    tags = [{"Key": "Project", "Value": "earshot"}]
    created = aws.client.create_hyper_parameter_tuning_job(**_request(), Tags=tags)
    job = ended(aws, KIND, "tune")
    assert job["HyperParameterTuningJobStatus"] == "Completed", job
    assert job["TrainingJobStatusCounters"] == {
        "Completed": 4,
        "InProgress": 0,
        "RetryableError": 0,
        "NonRetryableError": 0,
        "Stopped": 0,
    }
    assert job["ObjectiveStatusCounters"] == {"Succeeded": 4, "Pending": 0, "Failed": 0}
    trainings = _trainings(aws, SortBy="FinalObjectiveMetricValue", SortOrder="Descending")
    best = job["BestTrainingJob"]
    assert best["TrainingJobName"] == trainings[0]["TrainingJobName"]
    rate = float(best["TunedHyperParameters"]["rate"])
    assert best["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] == pytest.approx(
        1 - (rate - 0.5) ** 2, abs=1e-5
    )
    assert [name.split("-")[:2] for name in sorted(each["TrainingJobName"] for each in trainings)] == [
        ["tune", f"00{number}"] for number in (1, 2, 3, 4)
    ]
    described = aws.client.describe_training_job(TrainingJobName=best["TrainingJobName"])
    assert described["TuningJobArn"] == created["HyperParameterTuningJobArn"]
    assert described["HyperParameters"]["_tuning_objective_metric"] == "score"
    seen = json.loads(members(aws.get(described["ModelArtifacts"]["S3ModelArtifacts"]))["model.json"])
    assert seen == {"epochs": 2, "rate": rate}
    assert aws.client.list_tags(ResourceArn=described["TrainingJobArn"])["Tags"] == tags
    (listed,) = aws.client.list_hyper_parameter_tuning_jobs()["HyperParameterTuningJobSummaries"]
    assert (listed["Strategy"], listed["ResourceLimits"]["MaxNumberOfTrainingJobs"]) == ("Bayesian", 4)
    told = [detail for _, kind, detail in aws.bus.events if kind == "SageMaker HyperParameter Tuning Job State Change"]
    assert [detail["HyperParameterTuningJobStatus"] for detail in told] == ["InProgress", "Completed"]
    aws.client.delete_hyper_parameter_tuning_job(HyperParameterTuningJobName="tune")
    with pytest.raises(ClientError, match="can't find a tuning job"):
        aws.client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="tune")


def test_a_grid_tries_every_combination_once(tuned_aws: LocalAws) -> None:
    ranges = {
        "CategoricalParameterRanges": [{"Name": "rate", "Values": ["0.1", "0.5"]}, {"Name": "a", "Values": ["x"]}]
    }
    _tune(tuned_aws, SCORED, jobs=None, Strategy="Grid", ParameterRanges=ranges)
    job = ended(tuned_aws, KIND, "tune")
    assert job["HyperParameterTuningJobStatus"] == "Completed", job
    tried = sorted(each["TunedHyperParameters"]["rate"] for each in _trainings(tuned_aws))
    assert tried == ["0.1", "0.5"]
    assert job["BestTrainingJob"]["TunedHyperParameters"] == {"rate": "0.5", "a": "x"}


def test_a_training_job_below_the_median_is_stopped_early(tuned_aws: LocalAws) -> None:
    _tune(tuned_aws, HOPELESS, parallel=1, TrainingJobEarlyStoppingType="Auto")
    job = ended(tuned_aws, KIND, "tune")
    assert job["HyperParameterTuningJobStatus"] == "Completed", job
    assert (job["TrainingJobStatusCounters"]["Completed"], job["TrainingJobStatusCounters"]["Stopped"]) == (3, 1)
    (stopped,) = _trainings(tuned_aws, StatusEquals="Stopped")
    assert stopped["ObjectiveStatus"] == "Succeeded"
    assert job["BestTrainingJob"]["TrainingJobStatus"] == "Completed"


def test_a_stop_takes_the_training_jobs_along(tuned_aws: LocalAws) -> None:
    _tune(tuned_aws, SLOW)
    until(lambda: any("TrainingStartTime" in each for each in _trainings(tuned_aws)))
    tuned_aws.client.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName="tune")
    job = ended(tuned_aws, KIND, "tune")
    assert job["HyperParameterTuningJobStatus"] == "Stopped"
    assert {each["TrainingJobStatus"] for each in _trainings(tuned_aws)} == {"Stopped"}
    with pytest.raises(ClientError, match="is in status Stopped"):
        tuned_aws.client.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName="tune")


def test_where_all_training_jobs_fail_the_tuning_job_fails_with_the_last_reason(tuned_aws: LocalAws) -> None:
    _tune(tuned_aws, FAILING, jobs=2)
    job = ended(tuned_aws, KIND, "tune")
    assert job["HyperParameterTuningJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("All training jobs failed")
    assert "no such column" in job["FailureReason"]
    assert job["TrainingJobStatusCounters"]["NonRetryableError"] == 2


def test_a_metric_that_never_shows_fails_the_tuning_job_early(tuned_aws: LocalAws) -> None:
    _tune(tuned_aws, SILENT, jobs=20, parallel=3)
    job = ended(tuned_aws, KIND, "tune")
    assert job["FailureReason"].startswith("No objective metrics found after running")
    assert len(_trainings(tuned_aws)) < 12


def test_a_target_that_is_reached_ends_the_tuning(tuned_aws: LocalAws) -> None:
    _tune(
        tuned_aws,
        SCORED,
        jobs=30,
        parallel=1,
        TuningJobCompletionCriteria={"TargetObjectiveMetricValue": 0.5},
    )
    job = ended(tuned_aws, KIND, "tune")
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert len(_trainings(tuned_aws)) == 1


def test_a_tuning_job_is_noted_as_failed_where_the_local_aws_was_restarted(tuned_aws: LocalAws) -> None:
    _tune(tuned_aws, SLOW)
    until(lambda: _trainings(tuned_aws))
    tuned_aws.service.close()
    again = SageMaker(tuned_aws.context)
    again.start()
    try:
        job = again.call("DescribeHyperParameterTuningJob", {"HyperParameterTuningJobName": "tune"})
    finally:
        again.close()
    assert job["HyperParameterTuningJobStatus"] == "Failed"
    assert "restarted" in job["FailureReason"]
    assert job["TrainingJobStatusCounters"]["InProgress"] == 0


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"Strategy": "Hyperband"}, "Bayesian, Random and Grid"),
        ({"Strategy": "Grid"}, "categorical parameters only"),
        ({"ParameterRanges": {"ContinuousParameterRanges": [_range("r", "2", "1")]}}, "must not be above"),
        ({"ParameterRanges": {"ContinuousParameterRanges": [_range("r", "a", "1")]}}, "must be numbers"),
        ({"ParameterRanges": {"ContinuousParameterRanges": [_range("r", "0", "1", "Logarithmic")]}}, "above 0"),
        ({"ParameterRanges": {"IntegerParameterRanges": [_range("r", "0", "1", "ReverseLogarithmic")]}}, "continuous"),
        ({"ParameterRanges": {"ContinuousParameterRanges": [_range("epochs", "0", "1")]}}, "StaticHyperParameters"),
        ({"ParameterRanges": {}}, "ParameterRanges is needed"),
        ({"HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "x"}}, "is not valid"),
        ({"jobs": None}, "MaxNumberOfTrainingJobs is needed"),
        ({"ResourceLimits": {"MaxParallelTrainingJobs": 0}}, "greater than or equal to 1"),
    ],
)
def test_a_request_that_cannot_be_is_refused_with_a_sentence(
    local_aws: LocalAws, config: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ClientError, match=sentence):
        local_aws.client.create_hyper_parameter_tuning_job(**_request(**config))
    assert local_aws.client.list_hyper_parameter_tuning_jobs()["HyperParameterTuningJobSummaries"] == []


def test_a_training_definition_is_checked_as_a_training_job_is(local_aws: LocalAws) -> None:
    request = _request()
    request["TrainingJobDefinition"]["ResourceConfig"]["InstanceCount"] = 2
    with pytest.raises(ClientError, match="InstanceCount is 1"):
        local_aws.client.create_hyper_parameter_tuning_job(**request)


def test_checkpoints_of_one_training_job_are_not_anothers() -> None:
    request = _request()
    request["TrainingJobDefinition"]["CheckpointConfig"] = {"S3Uri": "s3://b/checkpoints/"}
    made = training_request(request, "tune-001-abc", {"rate": "0.5"})
    assert made["CheckpointConfig"]["S3Uri"] == "s3://b/checkpoints/tune-001-abc"
    assert json.loads(made["HyperParameters"]["rate"]) == 0.5
