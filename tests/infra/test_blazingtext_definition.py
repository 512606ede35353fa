"""The built-in algorithm's request against botocore's model, and against what AWS documents of BlazingText."""

from dataclasses import replace
from typing import Any

import pytest

from stacks.constructs.blazingtext_definition import (
    BLAZINGTEXT,
    has_own_disks,
    scoring_arguments,
    training_request,
    training_states,
    views_of,
)
from stacks.images import framework_image
from tests.infra.shapes import complaints

# https://docs.aws.amazon.com/sagemaker/latest/dg/blazingtext_hyperparameters.html, text classification
DOCUMENTED = {
    *("mode", "buckets", "early_stopping", "epochs", "learning_rate", "min_count", "min_epochs", "patience"),
    *("vector_dim", "word_ngrams"),
}
VIEWS = {name: f"s3://lake/curated/features/run/views/blazingtext/{name}/" for name in ("train", "validation")}
KEY = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"


def request(**changes: Any) -> dict[str, Any]:
    return training_request(
        replace(BLAZINGTEXT, **changes),
        job_name="earshot-local-blazingtext-20260102-030405",
        image=framework_image("blazingtext").address("eu-west-1"),
        role="arn:aws:iam::123456789012:role/Training",
        views=VIEWS,
        output="s3://artifacts/training/",
        key=KEY,
        timeout_seconds=3600,
    )


def test_sagemaker_would_take_the_request() -> None:
    assert complaints("sagemaker", "CreateTrainingJob", request()) == []


def test_hyperparameters_are_documented_ones_as_plain_strings() -> None:
    stated = request()["HyperParameters"]
    assert set(stated) <= DOCUMENTED
    assert stated["mode"] == "supervised", "not the JSON that script mode reads"
    assert all(isinstance(value, str) for value in stated.values())
    assert int(stated["min_epochs"]) <= int(stated["epochs"])


def test_channels_are_text_files_read_whole() -> None:
    channels = request()["InputDataConfig"]
    assert [channel["ChannelName"] for channel in channels] == ["train", "validation"]
    assert {(channel["ContentType"], channel["InputMode"]) for channel in channels} == {("text/plain", "File")}


def test_metrics_are_left_to_the_algorithm() -> None:
    assert "MetricDefinitions" not in request()["AlgorithmSpecification"], "a request that states some is refused"


def test_model_and_volume_are_encrypted_and_the_program_has_no_network() -> None:
    asked = request()
    assert asked["OutputDataConfig"]["KmsKeyId"] == KEY
    assert asked["ResourceConfig"]["VolumeKmsKeyId"] == KEY
    assert asked["EnableNetworkIsolation"] is True


@pytest.mark.parametrize("instance_type", ["ml.g4dn.xlarge", "ml.g5.xlarge", "ml.p4d.24xlarge", "ml.c5d.xlarge"])
def test_instances_with_disks_of_their_own_take_no_volume_key(instance_type: str) -> None:
    assert has_own_disks(instance_type)
    assert "VolumeKmsKeyId" not in request(instance_type=instance_type)["ResourceConfig"]


def test_views_are_those_of_the_run() -> None:
    assert views_of(BLAZINGTEXT, lake="s3://lake/")["train"] == (
        "{% 's3://lake/curated/features/' & $run & '/views/blazingtext/train/' %}"
    )


def test_the_scoring_job_is_told_what_training_took() -> None:
    states = training_states(BLAZINGTEXT, request=request(), retry=[], catch=[], scoring={"Type": "Task"})
    assert list(states) == ["TrainBlazingtext", "ScoreBlazingtext"]
    train: Any = states["TrainBlazingtext"]
    assert train["Next"] == "ScoreBlazingtext"
    assert train["Resource"] == "arn:aws:states:::sagemaker:createTrainingJob.sync"
    arguments = scoring_arguments(BLAZINGTEXT, exit_message="/opt/ml/output/message")
    assert all(f"${name}" in " ".join(arguments) for name in train["Assign"] if name != "blazingtextModel")
    job = {
        "ProcessingJobName": "score",
        "RoleArn": "arn:aws:iam::123456789012:role/Processing",
        "AppSpecification": {"ImageUri": "image", "ContainerArguments": arguments},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.xlarge", "VolumeSizeInGB": 30}
        },
    }
    assert complaints("sagemaker", "CreateProcessingJob", job) == [], "each argument within its 256 characters"


def test_another_algorithm_is_another_set_of_values() -> None:
    other = request(name="linear", hyperparameters={"predictor_type": "multiclass_classifier", "num_classes": "3"})
    assert other["HyperParameters"] == {"num_classes": "3", "predictor_type": "multiclass_classifier"}
