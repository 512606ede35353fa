"""The endpoint as it is deployed: what SageMaker would take, what guards a change, and which model is served."""

from typing import Any

import pytest

from lambdas.containers import CONTAINERS, ENVIRONMENT
from stacks.constructs.inference_endpoint import VARIANT
from tests.infra.intrinsics import example
from tests.infra.shapes import complaints
from tests.infra.test_model_pipeline import definition
from tests.synthesis import STAGES, Assembly

SAGEMAKER = "AWS::SageMaker::"
APPROVED = {
    # https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
    "source": "aws.sagemaker",
    "detail-type": "SageMaker Model Package State Change",
    "detail": {
        "ModelPackageGroupName": "earshot-prod",
        "ModelPackageVersion": 3,
        "ModelPackageArn": "arn:aws:sagemaker:eu-west-1:000000000000:model-package/earshot-prod/3",
        "ModelPackageStatus": "Completed",
        "ModelApprovalStatus": "Approved",
    },
}


def properties(app: Assembly, stage: str, noun: str) -> dict[str, Any]:
    """The properties of the only SageMaker resource of that kind, as AWS would get them."""
    found: dict[str, Any] = example(app.resource(stage, SAGEMAKER + noun)["Properties"])
    return found


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize(
    ("noun", "generated"),
    [
        ("Model", "ModelName"),
        ("EndpointConfig", "EndpointConfigName"),
        ("Endpoint", None),
        ("ModelPackageGroup", None),
    ],
)
def test_sagemaker_would_take_every_resource(app: Assembly, stage: str, noun: str, generated: str | None) -> None:
    request = properties(app, stage, noun)
    if generated:
        assert generated not in request, "a physical name would stand in the way of a replacement"
        request[generated] = "made-by-cloudformation"
    for only_in_updates in ("RetainAllVariantProperties", "ExcludeRetainedVariantProperties"):
        request.pop(only_in_updates, None)
    assert complaints("sagemaker", f"Create{noun}", request) == []


@pytest.mark.parametrize("stage", STAGES)
def test_the_model_is_three_containers_in_series_without_a_network(app: Assembly, stage: str) -> None:
    model = properties(app, stage, "Model")
    assert [container["ContainerHostname"] for container in model["Containers"]] == list(CONTAINERS)
    assert model["InferenceExecutionConfig"] == {"Mode": "Serial"}
    assert model["EnableNetworkIsolation"] is True
    for container in model["Containers"]:
        assert container["Environment"] == ENVIRONMENT
        assert "latest" not in container["Image"]


def test_the_starter_is_served_until_the_parameter_names_a_release(app: Assembly) -> None:
    template = app.template("prod", "Endpoint")
    parameter = template["Parameters"]["Release"]
    assert parameter["Type"] == "AWS::SSM::Parameter::Value<String>"
    assert parameter["Default"] == "/earshot/prod/release"
    assert template["Conditions"]["IsStarter"] == {"Fn::Equals": [{"Ref": "Release"}, "starter"]}
    for container in app.resource("prod", SAGEMAKER + "Model")["Properties"]["Containers"]:
        condition, starter, released = container["ModelDataUrl"]["Fn::If"]
        assert condition == "IsStarter"
        assert example(starter).startswith("s3://cdk-")
        assert released == {"Fn::Join": ["", [{"Ref": "Release"}, f"{container['ContainerHostname']}.tar.gz"]]}
    released = app.resource("prod", "AWS::SSM::Parameter")["Properties"]
    assert released["Name"] == "/earshot/prod/release"
    assert released["Value"] == "starter"


@pytest.mark.parametrize("stage", STAGES)
def test_requests_and_answers_are_captured_and_encrypted(app: Assembly, stage: str) -> None:
    capture = properties(app, stage, "EndpointConfig")["DataCaptureConfig"]
    assert capture["EnableCapture"] is True
    assert capture["DestinationS3Uri"].endswith("/capture")
    assert [option["CaptureMode"] for option in capture["CaptureOptions"]] == ["Input", "Output"]
    assert capture["KmsKeyId"]


def test_prod_runs_on_two_instances_and_tries_a_new_model_on_a_tenth_first(app: Assembly) -> None:
    (variant,) = properties(app, "prod", "EndpointConfig")["ProductionVariants"]
    assert variant["InitialInstanceCount"] >= 2
    policy = properties(app, "prod", "Endpoint")["DeploymentConfig"]["BlueGreenUpdatePolicy"]
    routing = policy["TrafficRoutingConfiguration"]
    assert routing["Type"] == "CANARY"
    assert routing["CanarySize"] == {"Type": "CAPACITY_PERCENT", "Value": 10}
    assert routing["WaitIntervalInSeconds"] >= 600


@pytest.mark.parametrize("stage", STAGES)
def test_the_variant_keeps_its_name_and_alarms_take_a_bad_model_back(app: Assembly, stage: str) -> None:
    (variant,) = properties(app, stage, "EndpointConfig")["ProductionVariants"]
    assert variant["VariantName"] == VARIANT == "sentiment"
    rollback = app.resource(stage, SAGEMAKER + "Endpoint")["Properties"]["DeploymentConfig"]
    names = {alarm["AlarmName"]["Ref"] for alarm in rollback["AutoRollbackConfiguration"]["Alarms"]}
    alarms = app.resources(stage, "AWS::CloudWatch::Alarm", stack="Endpoint")
    watched = {alarms[name]["Properties"]["MetricName"] for name in names}
    assert watched == {"Invocation5XXErrors", "ModelLatency"}
    for name in names:
        dimensions = {d["Name"]: d["Value"] for d in alarms[name]["Properties"]["Dimensions"]}
        assert dimensions == {"EndpointName": f"earshot-{stage}", "VariantName": VARIANT}


@pytest.mark.parametrize("stage", STAGES)
def test_the_number_of_instances_follows_the_invocations(app: Assembly, stage: str) -> None:
    target = example(app.resource(stage, "AWS::ApplicationAutoScaling::ScalableTarget")["Properties"])
    (variant,) = properties(app, stage, "EndpointConfig")["ProductionVariants"]
    assert target["ScalableDimension"] == "sagemaker:variant:DesiredInstanceCount"
    assert target["ResourceId"].endswith(f"/variant/{VARIANT}")
    assert target["MinCapacity"] == variant["InitialInstanceCount"] <= target["MaxCapacity"]
    policy = app.resource(stage, "AWS::ApplicationAutoScaling::ScalingPolicy")["Properties"]
    metric = policy["TargetTrackingScalingPolicyConfiguration"]["PredefinedMetricSpecification"]
    assert metric["PredefinedMetricType"] == "SageMakerVariantInvocationsPerInstance"


def test_an_approval_and_nothing_else_starts_a_release(app: Assembly) -> None:
    rule = app.resource("prod", "AWS::Events::Rule", stack="Endpoint")["Properties"]
    pattern = example(rule["EventPattern"])
    assert matches(pattern, APPROVED)
    for change in ({"ModelApprovalStatus": "Rejected"}, {"ModelPackageGroupName": "earshot-dev"}):
        assert not matches(pattern, APPROVED | {"detail": APPROVED["detail"] | change})  # type: ignore[operator]
    (target,) = rule["Targets"]
    assert target["InputTransformer"]["InputPathsMap"] == {"package": "$.detail.ModelPackageArn"}
    assert target["InputTransformer"]["InputTemplate"] == '{"model_package_arn": <package>}'


def test_a_release_that_cloudformation_took_back_is_undone_and_fails(app: Assembly) -> None:
    states = definition(app, "prod", "Release")["States"]
    assert states["Ended"]["Default"] == "Undo"
    assert states["Undo"]["Next"] == "Failed"
    assert states["Check"]["Catch"][0]["Next"] == "Undo"
    assert "'action': 'undo'" in states["Undo"]["Arguments"]["Payload"]


def matches(pattern: Any, event: Any) -> bool:
    """EventBridge's matching, as far as our patterns use it: lists of values and nested objects."""
    return all(
        matches(wanted, event.get(name, {})) if isinstance(wanted, dict) else event.get(name) in wanted
        for name, wanted in pattern.items()
    )
