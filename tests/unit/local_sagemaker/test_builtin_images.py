"""AWS's own images have stand-ins here: which image is which, and BlazingText from its channels to its model."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.options import REPOSITORY
from local.sagemaker.builtin import PROGRAMS, program_for
from local.sagemaker.service import SageMaker
from tests.unit.local_sagemaker.conftest import LocalAws, Served
from tests.unit.local_sagemaker.job_kit import IMAGE, channel, ended, members, train

TRAINING_PYTHON = REPOSITORY / ".venv-training" / "bin" / "python"
BLAZINGTEXT = "811284229777.dkr.ecr.us-east-1.amazonaws.com/blazingtext:1"
SUPERVISED = {
    "mode": "supervised",
    "epochs": "20",
    "min_count": "1",
    "learning_rate": "0.5",
    "vector_dim": "8",
    "buckets": "1000",
}
GOOD = "\n".join(f"__label__positive lovely soft dress number{i}" for i in range(20)) + "\n"
BAD = "\n".join(f"__label__negative ugly stiff dress number{i}" for i in range(20)) + "\n"


@pytest.mark.parametrize(
    ("image", "repository"),
    [
        (BLAZINGTEXT, "blazingtext"),
        ("205585389593.dkr.ecr.us-east-1.amazonaws.com/sagemaker-clarify-processing:1.0",
         "sagemaker-clarify-processing"),
        ("173754725891.dkr.ecr.us-east-1.amazonaws.com/sagemaker-spark-processing:3.5-cpu-py39-v1.0",
         "sagemaker-spark-processing"),
        ("1.dkr.ecr.us-east-1.amazonaws.com/blazingtext@sha256:aa", "blazingtext"),
        (IMAGE, None),
        ("1.dkr.ecr.us-east-1.amazonaws.com/my-blazingtext:1", None),
        ("1.dkr.ecr.us-east-1.amazonaws.com/blazingtext/mine:1", None),
        ("", None),
    ],
)  # fmt: skip
def test_an_image_is_known_by_its_repository(image: str, repository: str | None) -> None:
    assert program_for(image) == (PROGRAMS[repository] if repository else None)


@pytest.fixture
def training_aws(local_aws: LocalAws, served: Served) -> Iterator[LocalAws]:
    """A local SageMaker whose training interpreter has fastText."""
    if not TRAINING_PYTHON.exists():
        pytest.skip("there is no .venv-training")
    local_aws.service.close()
    context = replace(local_aws.context, training_python=TRAINING_PYTHON)
    service = SageMaker(context, stop_grace_seconds=1.0)
    served.stage.service = service
    service.start()
    yield LocalAws(client=served.client, service=service, context=context, aws=local_aws.aws, bus=local_aws.bus)
    service.close()


def _train(aws: LocalAws, hyperparameters: dict[str, str], **more: Any) -> Any:
    aws.put("s3://b/train/1.txt", GOOD.encode())
    aws.put("s3://b/train/2.txt", BAD.encode())
    aws.put("s3://b/validation/v.txt", b"__label__positive lovely soft\n__label__negative ugly stiff\n")
    channels = [{**channel(name, f"s3://b/{name}/"), "ContentType": "text/plain"} for name in ("train", "validation")]
    specification = {"TrainingImage": BLAZINGTEXT, "TrainingInputMode": "File", **more.pop("specification", {})}
    request = {
        "TrainingJobName": "job",
        "RoleArn": "arn:aws:iam::000000000000:role/earshot-local",
        "HyperParameters": hyperparameters,
        "AlgorithmSpecification": specification,
        "InputDataConfig": channels,
        "OutputDataConfig": {"S3OutputPath": "s3://b/training"},
        "ResourceConfig": {"InstanceType": "ml.c5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        "EnableNetworkIsolation": True,
        **more,
    }
    aws.client.create_training_job(**request)
    return ended(aws, "Training")


def test_blazingtext_trains_in_supervised_mode_and_publishes_its_own_metrics(
    training_aws: LocalAws, tmp_path: Path
) -> None:
    job = _train(training_aws, SUPERVISED)
    assert job["TrainingJobStatus"] == "Completed", job
    metrics = {metric["MetricName"]: metric["Value"] for metric in job["FinalMetricDataList"]}
    assert metrics == {"train:accuracy": 1.0, "validation:accuracy": 1.0}
    packed = members(training_aws.get(job["ModelArtifacts"]["S3ModelArtifacts"]))
    assert list(packed) == ["model.bin"]
    (tmp_path / "model.bin").write_bytes(packed["model.bin"])
    program = "import fasttext, sys; print(fasttext.load_model(sys.argv[1]).predict('so ugly')[0][0])"
    line = [str(TRAINING_PYTHON), "-c", program, str(tmp_path / "model.bin")]
    assert subprocess.run(line, capture_output=True, text=True, check=True).stdout == "__label__negative\n"
    assert not any("lovely" in line for lines in training_aws.aws.logs.values() for line in lines)


def test_early_stopping_ends_where_more_passes_are_no_better(training_aws: LocalAws) -> None:
    hyperparameters = {**SUPERVISED, "early_stopping": "True", "min_epochs": "15", "patience": "3", "epochs": "1000"}
    job = _train(training_aws, hyperparameters)
    assert job["TrainingJobStatus"] == "Completed", job
    (lines,) = training_aws.aws.logs.values()
    assert [line for line in lines if "Early stopping" in line]


@pytest.mark.parametrize(
    ("hyperparameters", "sentence"),
    [
        ({**SUPERVISED, "depth": "3"}, "has no hyperparameter 'depth'"),
        ({**SUPERVISED, "epochs": "many"}, "'epochs' must be a whole number above 0, not 'many'"),
        ({**SUPERVISED, "early_stopping": "1"}, "must be True or False"),
        ({"mode": "skipgram"}, "mode 'skipgram' is not built here"),
        ({"epochs": "3"}, "'mode' must be one of"),
    ],
)
def test_a_wrong_hyperparameter_is_the_reason_of_the_failure(
    training_aws: LocalAws, hyperparameters: dict[str, str], sentence: str
) -> None:
    job = _train(training_aws, hyperparameters)
    assert job["TrainingJobStatus"] == "Failed"
    assert sentence in job["FailureReason"]


def test_a_row_without_a_label_is_named_by_its_place_and_not_by_its_text(training_aws: LocalAws) -> None:
    training_aws.put("s3://b/train/3.txt", b"__label__positive fine\na secret sentence\n")
    job = _train(training_aws, SUPERVISED)
    assert "Line 2 of 3.txt in the channel 'train' does not begin with a label" in job["FailureReason"]
    assert "secret" not in json.dumps(job["FailureReason"])


def test_metric_definitions_for_a_built_in_algorithm_are_refused_as_on_aws(local_aws: LocalAws) -> None:
    definitions = {"MetricDefinitions": [{"Name": "x", "Regex": "x"}]}
    with pytest.raises(ClientError, match="can't override the metric definitions"):
        _train(local_aws, SUPERVISED, specification=definitions)


def test_spot_training_needs_a_time_to_wait(local_aws: LocalAws) -> None:
    wanting: dict[str, Any] = {"EnableManagedSpotTraining": True}
    with pytest.raises(ClientError, match="MaxWaitTimeInSeconds"):
        train(local_aws, "print(1)", **wanting)
    limits = {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 120}
    with pytest.raises(ClientError, match="EnableManagedSpotTraining is set to false"):
        train(local_aws, "print(1)", StoppingCondition=limits)
    train(local_aws, "print(1)", StoppingCondition=limits, **wanting)
    assert ended(local_aws, "Training")["TrainingJobStatus"] == "Completed"
