"""Deployment configs as plans: shares, waits and AWS's limits, without any clock."""

from typing import Any

import pytest

from local.sagemaker.errors import AwsError
from local.sagemaker.hosting.deployment import ALL_AT_ONCE, Deployment


def blue_green(kind: str, wait: int = 60, **more: Any) -> dict[str, Any]:
    """A blue/green policy; ``more`` are members of the routing."""
    return {
        "BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": {"Type": kind, "WaitIntervalInSeconds": wait, **more}}
    }


def rolling(wait: int = 60, **size: Any) -> dict[str, Any]:
    return {"RollingUpdatePolicy": {"MaximumBatchSize": size, "WaitIntervalInSeconds": wait}}


def percent(value: int) -> dict[str, Any]:
    return {"Type": "CAPACITY_PERCENT", "Value": value}


def count(value: int) -> dict[str, Any]:
    return {"Type": "INSTANCE_COUNT", "Value": value}


@pytest.mark.parametrize(
    ("config", "instances", "shares"),
    [
        ({}, [2], [1.0]),
        (ALL_AT_ONCE, [4], [1.0]),
        (blue_green("CANARY", CanarySize=percent(10)), [10], [0.1, 1.0]),
        (blue_green("CANARY", CanarySize=percent(10)), [2], [0.5, 1.0]),
        (blue_green("CANARY", CanarySize=percent(10)), [1], [1.0]),
        (blue_green("CANARY", CanarySize=count(2)), [8], [0.25, 1.0]),
        (blue_green("CANARY", CanarySize=percent(50)), [2, 6], [0.5, 1.0]),
        (blue_green("LINEAR", LinearStepSize=percent(25)), [4], [0.25, 0.5, 0.75, 1.0]),
        (blue_green("LINEAR", LinearStepSize=count(2)), [5], [0.4, 0.8, 1.0]),
        (blue_green("LINEAR", LinearStepSize=percent(50)), [1], [1.0]),
        (rolling(**count(1)), [3], [1 / 3, 2 / 3, 1.0]),
        (rolling(**percent(5)), [40], [step / 20 for step in range(1, 21)]),
    ],
)
def test_stages_are_shares_of_capacity_in_whole_instances(
    config: dict[str, Any], instances: list[int], shares: list[float]
) -> None:
    assert [stage.share for stage in Deployment.of(config, instances).stages] == pytest.approx(shares)


def test_every_stage_bakes_and_the_old_fleet_waits_to_be_ended() -> None:
    config = blue_green("CANARY", wait=300, CanarySize=percent(10))
    config["BlueGreenUpdatePolicy"] |= {"TerminationWaitInSeconds": 60, "MaximumExecutionTimeoutInSeconds": 900}
    config["AutoRollbackConfiguration"] = {"Alarms": [{"AlarmName": "errors"}, {"AlarmName": "latency"}]}
    deployment = Deployment.of(config, [10])
    assert [stage.bake_seconds for stage in deployment.stages] == [300, 300]
    assert deployment.waiting_seconds() == 660
    assert (deployment.timeout_seconds, deployment.alarms) == (900, ("errors", "latency"))


@pytest.mark.parametrize(
    ("config", "instances", "told"),
    [
        (blue_green("CANARY"), [2], "CanarySize is required"),
        (blue_green("LINEAR"), [2], "LinearStepSize is required"),
        (blue_green("ALL_AT_ONCE", CanarySize=percent(10)), [2], "CanarySize cannot be specified"),
        (blue_green("CANARY", CanarySize=percent(51)), [2], "between 0 and 50 percent"),
        (blue_green("CANARY", CanarySize=count(1)), [1], "between 0 and 50 percent"),
        (blue_green("LINEAR", LinearStepSize=percent(9)), [2], "between 10 and 50 percent"),
        (blue_green("LINEAR", LinearStepSize=count(1)), [20], "between 10 and 50 percent"),
        (rolling(**percent(4)), [10], "between 5 and 50 percent"),
        (rolling(**percent(50)), [2, 2], "multiple production variants"),
        ({**ALL_AT_ONCE, **rolling(**percent(50))}, [2], "Only one of"),
    ],
)
def test_what_aws_does_not_allow_is_refused(config: dict[str, Any], instances: list[int], told: str) -> None:
    with pytest.raises(AwsError, match=told):
        Deployment.of(config, instances)


def test_a_timeout_shorter_than_the_waiting_is_refused() -> None:
    config = blue_green("ALL_AT_ONCE", wait=600)
    config["BlueGreenUpdatePolicy"]["MaximumExecutionTimeoutInSeconds"] = 600
    with pytest.raises(AwsError, match="must be larger than the total waiting time"):
        Deployment.of(config, [2])
