"""When target tracking changes an endpoint's instance count, without any endpoint."""

from pathlib import Path
from typing import Any

import pytest

from local.aws import seams
from local.aws.autoscaling import ApplicationAutoScaling
from local.aws.target_tracking import TargetTracking, Tracking
from local.sagemaker.errors import AwsError

TRACKING = Tracking(minimum=2, maximum=8, target=100.0, scale_out_cooldown=60, scale_in_cooldown=300)
LONG_AGO = 10_000.0


@pytest.mark.parametrize(
    ("current", "minutes", "since", "desired"),
    [
        (2, [150.0, 120.0, 110.0], LONG_AGO, 3),
        (2, [1000.0, 120.0, 110.0], LONG_AGO, 8),
        (2, [150.0, 120.0, 90.0], LONG_AGO, 2),
        (2, [150.0, 120.0, None], LONG_AGO, 2),
        (2, [150.0, 120.0, 110.0], 59.0, 2),
        (6, [40.0] * 15, LONG_AGO, 3),
        (6, [1.0] * 15, LONG_AGO, 2),
        (6, [1.0] * 14 + [95.0], LONG_AGO, 6),
        (6, [1.0] * 14 + [None], LONG_AGO, 6),
        (6, [1.0] * 15, 299.0, 6),
        (6, [None] * 15, LONG_AGO, 6),
    ],
)
def test_capacity_follows_the_invocations_within_its_bounds(
    current: int, minutes: list[float | None], since: float, desired: int
) -> None:
    minutes = minutes + [None] * (15 - len(minutes))
    assert TRACKING.desired(current, minutes, since) == desired


def test_what_is_suspended_or_disabled_does_not_scale() -> None:
    suspended = {"DynamicScalingInSuspended": False, "DynamicScalingOutSuspended": True}
    target = {"MinCapacity": 1, "MaxCapacity": 4, "SuspendedState": suspended}
    policy = {"TargetTrackingScalingPolicyConfiguration": {"TargetValue": 10.0, "DisableScaleIn": True}}
    tracking = Tracking.of(target, policy)
    assert tracking.desired(2, [100.0] * 15, LONG_AGO) == 2
    assert tracking.desired(2, [1.0] * 15, LONG_AGO) == 2
    assert (tracking.scale_in_cooldown, tracking.scale_out_cooldown) == (300, 300)


class Endpoint:
    """The control plane of one endpoint, that may refuse."""

    def __init__(self) -> None:
        self.instances = 2
        self.is_busy = False

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        if operation == "DescribeEndpoint":
            variant = {"VariantName": "only", "DesiredInstanceCount": self.instances}
            return {"EndpointStatus": "InService", "ProductionVariants": [variant]}
        if self.is_busy:
            raise AwsError("ValidationException", "in progress")
        (wanted,) = request["DesiredWeightsAndCapacities"]
        self.instances = wanted["DesiredInstanceCount"]
        return {}


def test_a_policy_scales_its_variant_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": "endpoint/greeter/variant/only",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    settings = {
        "TargetValue": 70.0,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
    }
    service, endpoint = ApplicationAutoScaling(tmp_path / "autoscaling.sqlite3"), Endpoint()
    service.call("RegisterScalableTarget", {**key, "MinCapacity": 1, "MaxCapacity": 4})
    policy = {"PolicyName": "track", "PolicyType": "TargetTrackingScaling"}
    service.call("PutScalingPolicy", {**key, **policy, "TargetTrackingScalingPolicyConfiguration": settings})
    monkeypatch.setattr(seams, "statistic", lambda metric, period, name, start, end: 140.0)
    tracking = TargetTracking(service, endpoint.call)
    endpoint.is_busy = True
    tracking.look(1_000_000.0)
    assert endpoint.instances == 2
    endpoint.is_busy = False
    tracking.look(1_000_010.0)
    tracking.look(1_000_020.0)
    assert endpoint.instances == 4
    (activity,) = service.call("DescribeScalingActivities", {"ServiceNamespace": "sagemaker"})["ScalingActivities"]
    assert (activity["ResourceId"], activity["StatusCode"]) == (key["ResourceId"], "Successful")
    service.close()
