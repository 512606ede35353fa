"""The endpoint as it is deployed: what SageMaker would take, what guards a change, and which model is served."""

from typing import Any

import pytest

from lambdas.artifacts import RefusedArtifactError
from lambdas.canary.handler import METRICS
from lambdas.containers import CONTAINERS, ENVIRONMENT
from lambdas.release import stack as release_stack
from lambdas.release.artifacts import IncompleteReleaseError
from lambdas.release.inspecting import UnregisteredArtifactsError
from stacks.constructs import released_model
from stacks.constructs.inference_endpoint import BESIDE, VARIANT
from stacks.constructs.rollback_alarms import MOST_ALARMS
from tests.infra.intrinsics import example
from tests.infra.shapes import complaints
from tests.infra.test_model_pipeline import definition
from tests.synthesis import STAGES, Assembly, function_of

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


def resource(app: Assembly, stage: str, noun: str) -> dict[str, Any]:
    """The SageMaker resource of that kind that is there always, and not only beside it."""
    (found,) = (
        each
        for each in app.resources(stage, SAGEMAKER + noun, stack=None).values()
        if each.get("Condition") != "HasBeside"
    )
    return found


def properties(app: Assembly, stage: str, noun: str, *, beside: bool = False) -> dict[str, Any]:
    """Its properties as AWS would get them while the endpoint serves one model, or a second one beside it."""
    stated = chosen(resource(app, stage, noun)["Properties"], HasBeside=beside, IsGuarded=True)
    found: dict[str, Any] = example(stated)
    return found


def chosen(value: Any, **conditions: bool) -> Any:
    """The value with these conditions decided; what AWS::NoValue takes away is gone."""
    if isinstance(value, list):
        return [item for each in value if (item := chosen(each, **conditions)) != {"Ref": "AWS::NoValue"}]
    if not isinstance(value, dict):
        return value
    if "Fn::If" in value and value["Fn::If"][0] in conditions:
        condition, then, otherwise = value["Fn::If"]
        return chosen(then if conditions[condition] else otherwise, **conditions)
    decided = {name: chosen(item, **conditions) for name, item in value.items()}
    return {name: item for name, item in decided.items() if item != {"Ref": "AWS::NoValue"}}


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
def test_sagemaker_would_take_a_second_variant_and_an_update_without_a_guardrail(app: Assembly, stage: str) -> None:
    config = properties(app, stage, "EndpointConfig", beside=True)
    config["ProductionVariants"][1]["InitialVariantWeight"] = 0.0  # a parameter of type Number
    assert complaints("sagemaker", "CreateEndpointConfig", config | {"EndpointConfigName": "made"}) == []
    endpoint = example(chosen(resource(app, stage, "Endpoint")["Properties"], IsGuarded=False))
    assert "DeploymentConfig" not in endpoint
    del endpoint["Tags"]  # changed by another call
    assert complaints("sagemaker", "UpdateEndpoint", endpoint) == []
    (model,) = (
        each for each in app.resources(stage, SAGEMAKER + "Model").values() if each.get("Condition") == "HasBeside"
    )
    addresses = {
        container["ContainerHostname"]: container["ModelDataUrl"] for container in model["Properties"]["Containers"]
    }
    assert addresses == {
        container: {"Fn::Join": ["", [{"Ref": "Beside"}, f"{container}.tar.gz"]]} for container in CONTAINERS
    }


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
    for container in resource(app, "prod", "Model")["Properties"]["Containers"]:
        condition, starter, released = container["ModelDataUrl"]["Fn::If"]
        assert condition == "IsStarter"
        assert example(starter).startswith("s3://cdk-")
        assert released == {"Fn::Join": ["", [{"Ref": "Release"}, f"{container['ContainerHostname']}.tar.gz"]]}
    made = {each["Properties"]["Name"]: each["Properties"]["Value"] for each in parameters(app, "prod").values()}
    assert made == {
        "/earshot/prod/release": "starter",
        "/earshot/prod/beside": "none",
        "/earshot/prod/guardrail": "on",
    }


def parameters(app: Assembly, stage: str) -> dict[str, Any]:
    return app.resources(stage, "AWS::SSM::Parameter", stack="Training")


def test_the_release_function_and_the_template_use_the_same_words(app: Assembly) -> None:
    assert release_stack.STARTER == released_model.STARTER
    assert release_stack.NOTHING_BESIDE == released_model.NOTHING_BESIDE
    assert release_stack.GUARDED == released_model.GUARDED
    assert "BesideWeight" in app.template("prod", "Endpoint")["Parameters"]


@pytest.mark.parametrize("stage", STAGES)
def test_a_second_model_is_a_second_variant_with_its_own_weight_only_while_there_is_one(
    app: Assembly, stage: str
) -> None:
    template = app.template(stage, "Endpoint")
    assert template["Parameters"]["Beside"]["Default"] == f"/earshot/{stage}/beside"
    assert template["Conditions"]["HasBeside"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "Beside"}, "none"]}]}
    (alone,) = properties(app, stage, "EndpointConfig")["ProductionVariants"]
    assert alone["VariantName"] == VARIANT
    config = chosen(resource(app, stage, "EndpointConfig")["Properties"], HasBeside=True)
    first, second = config["ProductionVariants"]
    assert (first["VariantName"], first["InitialVariantWeight"]) == (VARIANT, 1)
    assert (second["VariantName"], second["InitialVariantWeight"]) == (BESIDE, {"Ref": "BesideWeight"})
    assert template["Resources"][second["ModelName"]["Fn::GetAtt"][0]]["Condition"] == "HasBeside"
    excluded = properties(app, stage, "Endpoint")["ExcludeRetainedVariantProperties"]
    assert {"VariantPropertyType": "DesiredWeight"} in excluded, "a new share would be ignored"


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


def test_local_releases_are_canaries_of_seconds_and_dev_has_no_half_of_one_instance(app: Assembly) -> None:
    def routing(stage: str) -> dict[str, Any]:
        config: dict[str, Any] = properties(app, stage, "Endpoint")["DeploymentConfig"]["BlueGreenUpdatePolicy"]
        found: dict[str, Any] = config["TrafficRoutingConfiguration"]
        return found

    assert routing("local")["Type"] == "CANARY"
    assert 0 < routing("local")["WaitIntervalInSeconds"] <= 5
    assert routing("dev")["Type"] == "ALL_AT_ONCE"
    assert routing("dev")["WaitIntervalInSeconds"] >= 60, "an alarm needs time to ring"


@pytest.mark.parametrize("stage", STAGES)
def test_the_variant_keeps_its_name_and_alarms_take_a_bad_model_back(app: Assembly, stage: str) -> None:
    (variant,) = properties(app, stage, "EndpointConfig")["ProductionVariants"]
    assert variant["VariantName"] == VARIANT == "sentiment"
    watched = {alarm["MetricName"]: alarm for alarm in rollback_alarms(app, stage)}
    assert len(watched) <= MOST_ALARMS
    assert set(watched) == {"Invocation5XXErrors", "ModelLatency", *METRICS.values()}
    for metric, alarm in watched.items():
        dimensions = {each["Name"]: each["Value"] for each in alarm["Dimensions"]}
        serving = {"EndpointName": f"earshot-{stage}", "VariantName": VARIANT}
        assert dimensions == ({"EndpointName": f"earshot-{stage}"} if metric in METRICS.values() else serving)
        assert alarm["TreatMissingData"] == "notBreaching"


def rollback_alarms(app: Assembly, stage: str) -> list[dict[str, Any]]:
    """The properties of the alarms that the endpoint's guardrail names."""
    deployment = chosen(resource(app, stage, "Endpoint")["Properties"], IsGuarded=True)["DeploymentConfig"]
    alarms = app.resources(stage, "AWS::CloudWatch::Alarm", stack="Endpoint")
    return [
        alarms[alarm["AlarmName"]["Ref"]]["Properties"] for alarm in deployment["AutoRollbackConfiguration"]["Alarms"]
    ]


@pytest.mark.parametrize("stage", STAGES)
def test_the_canary_judges_by_the_limits_of_the_alarms_and_can_be_heard_within_the_bake(
    app: Assembly, stage: str
) -> None:
    (function,) = (
        each["Properties"]
        for each in app.resources(stage, "AWS::Lambda::Function", stack="Endpoint").values()
        if function_of(each) == "canary"
    )
    environment = function["Environment"]["Variables"]
    limits = {alarm["MetricName"]: alarm["Threshold"] for alarm in rollback_alarms(app, stage)}
    for field, metric in METRICS.items():
        if field != "errors":
            assert float(environment[f"MAXIMUM_{field.upper()}"]) == limits[metric], metric
    for alarm in rollback_alarms(app, stage):
        if alarm["MetricName"] in METRICS.values():
            assert alarm["Period"] == 10


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
    assert (states["Undo"]["Next"], states["IsBad"]["Default"]) == ("IsBad", "Failed")
    assert states["Check"]["Catch"][0]["Next"] == "Undo"
    assert "'action': 'undo'" in states["Undo"]["Arguments"]["Payload"]


def test_nothing_is_changed_before_the_artifacts_are_inspected_and_the_served_model_has_answered(
    app: Assembly,
) -> None:
    machine = definition(app, "prod", "Release")
    states = machine["States"]
    assert states[machine["StartAt"]]["Next"] == "Inspect"
    assert [catch["Next"] for catch in states["Inspect"]["Catch"]] == ["Reject", "Failed"]
    assert states["IsCompared"]["Choices"][0]["Next"] == "Baseline"
    assert states["Baseline"]["Next"] == "Begin"


def test_a_model_that_is_judged_bad_after_the_update_is_taken_back_and_the_release_fails(app: Assembly) -> None:
    states = definition(app, "prod", "Release")["States"]
    nexts = {choice["Next"] for choice in states["Ended"]["Choices"]}
    assert nexts == {"Canary", "Wait", "LastLook", "Released"}
    assert states["LastLook"]["Next"] == "IsGood"
    assert states["IsGood"]["Choices"] == [{"Condition": "{% $canary.verdict = 'BAD' %}", "Next": "TakeBack"}]
    assert (states["IsTheOldServed"]["Default"], states["Reject"]["Next"]) == ("Reject", "Failed")
    assert "$canary.reason" in states["Failed"]["Cause"]


def test_every_next_state_exists(app: Assembly) -> None:
    states = definition(app, "prod", "Release")["States"]
    named = {value for state in states.values() for value in nexts_of(state)}
    assert named <= set(states)
    assert set(states) - named == {"Request"}


def test_the_errors_that_reject_a_package_are_those_of_the_function(app: Assembly) -> None:
    (rejecting, _) = definition(app, "prod", "Release")["States"]["Inspect"]["Catch"]
    raised = {RefusedArtifactError, UnregisteredArtifactsError, IncompleteReleaseError}
    assert set(rejecting["ErrorEquals"]) == {error.__name__ for error in raised}


def nexts_of(state: Any) -> set[str]:
    if isinstance(state, list):
        return {name for each in state for name in nexts_of(each)}
    if not isinstance(state, dict):
        return set()
    found = {value for key, value in state.items() if key in ("Next", "Default") and isinstance(value, str)}
    return found | {name for value in state.values() for name in nexts_of(value)}


def matches(pattern: Any, event: Any) -> bool:
    """EventBridge's matching, as far as our patterns use it: lists of values and nested objects."""
    return all(
        matches(wanted, event.get(name, {})) if isinstance(wanted, dict) else event.get(name) in wanted
        for name, wanted in pattern.items()
    )
