"""What a stage may switch on beside its endpoint: rescoring always, an asynchronous endpoint, one container."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from policy import Template, examine
from stacks.launch import ROOT
from stacks.settings import PROD, EndpointSettings, SettingsError
from tests.gate import lint
from tests.infra.intrinsics import example
from tests.infra.resources import of_type
from tests.infra.shapes import complaints
from tests.infra.test_endpoint import chosen
from tests.synthesis import STAGES, Assembly, stand_in_assets

IMAGE = f"000000000000.dkr.ecr.eu-west-1.amazonaws.com/earshot-one-container@sha256:{'0' * 64}"
SAGEMAKER = "AWS::SageMaker::"


@pytest.fixture(scope="module")
def path(app: Assembly, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template of prod's endpoint with both options on."""
    from aws_cdk import App, Environment

    from stacks.stage import EarshotStage

    folder = tmp_path_factory.mktemp("options")
    options = replace(PROD.endpoint, asynchronous_maximum_instances=3, one_container_image=IMAGE)
    context = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    made = App(outdir=str(folder / "cdk.out"), context=context)
    EarshotStage(
        made,
        settings=replace(PROD, endpoint=options),
        assets=stand_in_assets(folder / "build"),
        env=Environment(account="000000000000", region="eu-west-1"),
    )
    made.synth()
    (found,) = (folder / "cdk.out" / "assembly-prod").glob("prodEndpoint*.template.json")
    return found


@pytest.fixture(scope="module")
def resources(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())["Resources"]
    return found


def statements(resources: Mapping[str, Any], holding: str) -> list[tuple[list[str], str]]:
    """Actions and resources (as text) of a role's policy."""
    document = of_type(resources, "AWS::IAM::ManagedPolicy", holding)["PolicyDocument"]
    return [(statement["Action"], str(example(statement["Resource"]))) for statement in document["Statement"]]


@pytest.mark.parametrize("stage", STAGES)
def test_without_the_options_there_is_one_endpoint_of_three_containers(app: Assembly, stage: str) -> None:
    assert len(app.resources(stage, SAGEMAKER + "Endpoint")) == 1
    assert "AsynchronousEndpointName" not in app.template(stage, "Endpoint")["Outputs"]
    for model in app.resources(stage, SAGEMAKER + "Model").values():
        assert [sorted(each) for each in model["Properties"]["Containers"]] == [
            ["ContainerHostname", "Environment", "Image", "ModelDataUrl"]
        ] * 3


@pytest.mark.parametrize("stage", STAGES)
def test_a_rescoring_job_reads_models_and_its_input_and_writes_its_output_only(app: Assembly, stage: str) -> None:
    found = statements(app.template(stage, "Endpoint")["Resources"], "Rescoring")
    of_objects = {
        (action, resource[resource.index("/", resource.rindex("example")) + 1 :])
        for actions, resource in found
        for action in actions
        if action in ("s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject")
    }
    assert of_objects == {
        ("s3:GetObject", "models/*"),
        ("s3:GetObject", "rescore/*/input/*"),
        ("s3:AbortMultipartUpload", "rescore/*/output/*"),
        ("s3:PutObject", "rescore/*/output/*"),
    }
    assert not {action for actions, _ in found for action in actions} & {"s3:DeleteObject", "kms:CreateGrant"}


def test_what_was_rescored_expires(app: Assembly) -> None:
    rules = [
        rule
        for bucket in app.resources("prod", "AWS::S3::Bucket").values()
        for rule in bucket["Properties"]["LifecycleConfiguration"]["Rules"]
    ]
    assert [rule["ExpirationInDays"] for rule in rules if rule.get("Prefix") == "rescore/"] == [90]


def test_our_rules_and_cloudformations_schemas_find_nothing_in_the_options(path: Path) -> None:
    assert [str(finding) for finding in examine(Template.load(path), strict=True).findings] == []
    serious = [finding for finding in lint.findings([path]) if finding.id.startswith(("E", "W"))]
    # The rule takes the name of the SSM parameter for its value and finds no s3:// address in it.
    assert [str(finding) for finding in serious if finding.id != "F3031"] == []


def test_sagemaker_would_take_the_asynchronous_endpoint(resources: Mapping[str, Any]) -> None:
    config = example(of_type(resources, SAGEMAKER + "EndpointConfig", "Asynchronous"))
    output = config["AsyncInferenceConfig"]["OutputConfig"]
    assert output["NotificationConfig"].pop("ErrorTopic")  # of another stack: no ARN in this template
    # The pattern of these two has one character for the bucket, which no address of S3 matches.
    addresses = [output.pop("S3OutputPath"), output.pop("S3FailurePath")]
    assert complaints("sagemaker", "CreateEndpointConfig", config | {"EndpointConfigName": "made"}) == []
    assert [address.split("/", 3)[3] for address in addresses] == ["rescore/async/output", "rescore/async/failures"]
    assert all(address.startswith("s3://") for address in addresses)
    assert output["KmsKeyId"]


def test_the_asynchronous_endpoint_serves_the_same_model_after_the_first_has_taken_it(
    resources: Mapping[str, Any],
) -> None:
    configs = [each["Properties"] for each in resources.values() if each["Type"] == SAGEMAKER + "EndpointConfig"]
    models = [str(config["ProductionVariants"][0]["ModelName"]) for config in configs]
    assert len(models) == 2
    assert len(set(models)) == 1
    (late,) = (
        each for id_, each in resources.items() if each["Type"] == SAGEMAKER + "Endpoint" and "Asynchronous" in id_
    )
    (first,) = (
        id_ for id_, each in resources.items() if each["Type"] == SAGEMAKER + "Endpoint" and "Asynchronous" not in id_
    )
    assert first in late["DependsOn"]


def test_the_fleet_goes_to_nothing_and_its_first_instance_is_asked_for_by_an_alarm(
    resources: Mapping[str, Any],
) -> None:
    target = of_type(resources, "AWS::ApplicationAutoScaling::ScalableTarget", "Asynchronous")
    assert (target["MinCapacity"], target["MaxCapacity"]) == (0, 3)
    (policy,) = (
        id_
        for id_, each in resources.items()
        if each["Type"] == "AWS::ApplicationAutoScaling::ScalingPolicy"
        and each["Properties"]["PolicyType"] == "StepScaling"
    )
    alarm = of_type(resources, "AWS::CloudWatch::Alarm", "BacklogWithoutInstance")
    assert alarm["MetricName"] == "HasBacklogWithoutCapacity"
    assert alarm["AlarmActions"] == [{"Ref": policy}]
    backlog = of_type(resources, "AWS::ApplicationAutoScaling::ScalingPolicy", "BacklogPolicy")
    tracking = backlog["TargetTrackingScalingPolicyConfiguration"]
    assert tracking["CustomizedMetricSpecification"]["MetricName"] == "ApproximateBacklogSizePerInstance"


def test_the_served_role_reads_requests_and_writes_answers_only_where_they_wait(resources: Mapping[str, Any]) -> None:
    found = str(statements(resources, "Serving"))
    assert "rescore/async/input/*" in found
    assert "rescore/async/output/*" in found
    assert "sns:Publish" in found


def test_a_release_is_one_container_and_the_starter_is_still_three(resources: Mapping[str, Any]) -> None:
    (model,) = (
        each["Properties"]
        for each in resources.values()
        if each["Type"] == SAGEMAKER + "Model" and each.get("Condition") is None
    )
    starter = example(chosen(model, IsStarter=True))
    assert len(starter["Containers"]) == 3
    assert starter["InferenceExecutionConfig"] == {"Mode": "Serial"}
    released = chosen(model, IsStarter=False)
    assert released["Containers"] == [
        {
            "ContainerHostname": "earshot",
            "Image": IMAGE,
            "ModelDataSource": {
                "S3DataSource": {"S3Uri": {"Ref": "Release"}, "S3DataType": "S3Prefix", "CompressionType": "None"}
            },
        }
    ]
    assert "InferenceExecutionConfig" not in released
    released["Containers"][0]["ModelDataSource"]["S3DataSource"]["S3Uri"] = "s3://bucket/models/run/"
    for request in (starter, example(released)):
        assert request["EnableNetworkIsolation"] is True
        assert complaints("sagemaker", "CreateModel", request | {"ModelName": "made"}) == []


def test_a_model_beside_is_one_container_too(resources: Mapping[str, Any]) -> None:
    (model,) = (
        each["Properties"]
        for each in resources.values()
        if each["Type"] == SAGEMAKER + "Model" and each.get("Condition") == "HasBeside"
    )
    (container,) = model["Containers"]
    assert container["ModelDataSource"]["S3DataSource"]["S3Uri"] == {"Ref": "Beside"}
    assert model["EnableNetworkIsolation"] is True


def test_the_image_may_be_pulled_from_its_own_registry(resources: Mapping[str, Any]) -> None:
    pulled = [resource for actions, resource in statements(resources, "Serving") if "ecr:BatchGetImage" in actions]
    assert "arn:aws:ecr:eu-west-1:000000000000:repository/earshot-one-container" in pulled


@pytest.mark.parametrize(
    "settings",
    [
        {"asynchronous_maximum_instances": -1},
        {"one_container_image": "000000000000.dkr.ecr.eu-west-1.amazonaws.com/earshot:latest"},
        {"one_container_image": "python:3.12-slim"},
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        EndpointSettings(**settings)
