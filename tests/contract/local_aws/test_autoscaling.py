"""Application Auto Scaling through its own interface and through CloudFormation."""

import pytest
from botocore.exceptions import ClientError

from .conftest import LocalAws, Stack
from .templates import ref, resource

KEY = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": "endpoint/greeter/variant/only",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}
TRACKING = {
    "TargetValue": 70.0,
    "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
    "ScaleInCooldown": 300,
}


def test_targets_and_policies_are_kept_described_and_removed(aws: LocalAws) -> None:
    scaling = aws.client("application-autoscaling")
    arn = scaling.register_scalable_target(**KEY, MinCapacity=1, MaxCapacity=4, Tags={"a": "b"})["ScalableTargetARN"]
    assert scaling.register_scalable_target(**KEY, MaxCapacity=6)["ScalableTargetARN"] == arn
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker", ResourceIds=[KEY["ResourceId"]])[
        "ScalableTargets"
    ]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 6)
    assert target["RoleARN"].endswith("AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint")
    assert scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"a": "b"}
    scaling.untag_resource(ResourceARN=arn, TagKeys=["a"])
    assert scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {}
    policy = {"PolicyName": "p", "PolicyType": "TargetTrackingScaling"}
    put = scaling.put_scaling_policy(**KEY, **policy, TargetTrackingScalingPolicyConfiguration=TRACKING)
    (described,) = scaling.describe_scaling_policies(ServiceNamespace="sagemaker", PolicyNames=["p"])["ScalingPolicies"]
    assert described["PolicyARN"] == put["PolicyARN"]
    assert described["TargetTrackingScalingPolicyConfiguration"] == TRACKING
    scaling.delete_scaling_policy(**KEY, PolicyName="p")
    scaling.deregister_scalable_target(**KEY)
    assert scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"] == []


@pytest.mark.parametrize(
    ("operation", "request_", "code"),
    [
        ("register_scalable_target", {**KEY}, "ValidationException"),
        ("register_scalable_target", {**KEY, "MinCapacity": 3, "MaxCapacity": 1}, "ValidationException"),
        (
            "register_scalable_target",
            {**KEY, "ResourceId": "endpoint/x", "MinCapacity": 1, "MaxCapacity": 1},
            "ValidationException",
        ),
        (
            "register_scalable_target",
            {**KEY, "ScalableDimension": "ecs:service:DesiredCount", "MinCapacity": 1, "MaxCapacity": 1},
            "ValidationException",
        ),
        ("deregister_scalable_target", KEY, "ObjectNotFoundException"),
        ("delete_scaling_policy", {**KEY, "PolicyName": "p"}, "ObjectNotFoundException"),
    ],
)
def test_what_aws_refuses_is_refused(aws: LocalAws, operation: str, request_: dict[str, object], code: str) -> None:
    with pytest.raises(ClientError, match=code):
        getattr(aws.client("application-autoscaling"), operation)(**request_)


def test_cloudformation_registers_changes_and_removes_them(aws: LocalAws, stack: Stack) -> None:
    def resources(most: int) -> dict[str, object]:
        return {
            "Target": resource("AWS::ApplicationAutoScaling::ScalableTarget", **KEY, MinCapacity="1", MaxCapacity=most),
            "Policy": resource(
                "AWS::ApplicationAutoScaling::ScalingPolicy",
                PolicyName="track",
                PolicyType="TargetTrackingScaling",
                ScalingTargetId=ref("Target"),
                TargetTrackingScalingPolicyConfiguration={**TRACKING, "TargetValue": "70"},
            ),
        }

    outputs = {"Target": ref("Target"), "Policy": ref("Policy")}
    assert stack.put(resources(2), outputs) == "CREATE_COMPLETE", stack.reasons()
    told = stack.outputs()
    assert told["Target"] == f"{KEY['ResourceId']}|{KEY['ScalableDimension']}|sagemaker"
    assert told["Policy"].endswith(":policyName/track")
    assert stack.put(resources(5), outputs) == "UPDATE_COMPLETE", stack.reasons()
    assert stack.outputs() == told
    scaling = aws.client("application-autoscaling")
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert target["MaxCapacity"] == 5
    stack.delete()
    assert scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"] == []
