"""Deployments of real containers: canaries, rollbacks and what the metrics say meanwhile."""

from collections import Counter
from typing import Any

import pytest

from local.sagemaker.errors import AwsError
from tests.unit.local_hosting.hosting_kit import HostingKit, archive, echo, wait_for

FAILS = "def model_fn(model_dir): ...\ndef transform_fn(*_):\n    raise ValueError('every answer')"
CRASHES = "import os\ndef model_fn(model_dir): ...\ndef transform_fn(*_):\n    os._exit(3)"


def canary(*, wait: float, alarms: tuple[str, ...] = ("errors",)) -> dict[str, Any]:
    """Half of the traffic first, as the variant has two instances."""
    routing = {
        "Type": "CANARY",
        "WaitIntervalInSeconds": wait,
        "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 10},
    }
    return {
        "BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing},
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": name} for name in alarms]},
    }


def answers(kit: HostingKit, number: int) -> Counter[bytes]:
    """Which model answered how often; empty for what was no answer."""
    counts: Counter[bytes] = Counter()
    for _ in range(number):
        status, _, body = kit.hosting.invoke("shop", {"Content-Type": "text/plain"}, b"hi")
        counts[body.split(b"|")[1].split(b"<")[0] if status == 200 else b""] += 1
    return counts


def stage(kit: HostingKit) -> str | None:
    """What the new fleet is doing."""
    pending = kit.hosting.describe_endpoint({"EndpointName": "shop"}).get("PendingDeploymentSummary")
    return pending["ProductionVariants"][0]["VariantStatus"][0]["Status"] if pending else None


def alarm_on_server_errors(kit: HostingKit, config: str) -> None:
    """The alarm ``errors``: any 5xx of this endpoint config."""

    def state() -> str:
        dimensions = {"EndpointName": "shop", "VariantName": "main", "EndpointConfigName": config}
        return "ALARM" if kit.sum("Invocation5XXErrors", **dimensions) else "OK"

    kit.alarms["errors"] = state


def test_a_good_model_gets_its_share_and_then_everything(kit: HostingKit) -> None:
    kit.alarms["errors"] = lambda: "OK"
    kit.model("old", echo("old"))
    kit.model("new", echo("new"))
    kit.endpoint("shop", kit.config("old"))
    kit.update("shop", kit.config("new"), DeploymentConfig=canary(wait=0.6))
    wait_for(lambda: stage(kit) == "Baking")
    assert answers(kit, 20) == {b"old": 10, b"new": 10}
    (variant,) = kit.hosting.describe_endpoint({"EndpointName": "shop"})["PendingDeploymentSummary"][
        "ProductionVariants"
    ]
    assert variant["VariantStatus"][0]["StatusMessage"] == "50% of the traffic goes to the new fleet."
    described = kit.settled("shop")
    assert (described["EndpointConfigName"], "FailureReason" in described) == ("new", False)
    assert "PendingDeploymentSummary" not in described
    assert answers(kit, 4) == {b"new": 4}
    assert len(kit.hosting.processes()) == 1
    kit.update("shop", "old", RetainDeploymentConfig=True)
    assert kit.hosting.describe_endpoint({"EndpointName": "shop"})["LastDeploymentConfig"] == canary(wait=0.6)


def test_a_bad_model_is_seen_in_the_canary_and_taken_back(kit: HostingKit) -> None:
    alarm_on_server_errors(kit, "bad")
    kit.model("old", echo("old"))
    kit.model("bad", archive(FAILS))
    kit.endpoint("shop", kit.config("old"))
    kit.update("shop", kit.config("bad"), DeploymentConfig=canary(wait=60))
    wait_for(lambda: stage(kit) == "Baking")
    for refused in (kit.hosting.delete_endpoint, kit.hosting.update_endpoint):
        with pytest.raises(AwsError, match="in-progress"):
            refused({"EndpointName": "shop", "EndpointConfigName": "old"})
    assert answers(kit, 4) == {b"old": 2, b"": 2}
    described = kit.settled("shop")
    assert (described["EndpointStatus"], described["EndpointConfigName"]) == ("InService", "old")
    assert described["FailureReason"] == (
        "One or more configured alarm(s) in the Auto-Rollback Configuration have been tripped while the new fleet had "
        "50% of the traffic: errors."
    )
    assert "PendingDeploymentSummary" not in described
    assert kit.statuses()[-3:] == ["UPDATING", "ROLLING_BACK", "IN_SERVICE"]
    assert answers(kit, 4) == {b"old": 4}
    assert len(kit.hosting.processes()) == 1


def test_a_model_that_crashes_is_seen_though_no_request_fails(kit: HostingKit) -> None:
    alarm_on_server_errors(kit, "bad")
    kit.model("old", echo("old"))
    kit.model("bad", archive(CRASHES))
    kit.endpoint("shop", kit.config("old"))
    kit.update("shop", kit.config("bad"), DeploymentConfig=canary(wait=60))
    wait_for(lambda: stage(kit) == "Baking")
    assert answers(kit, 3) == {b"old": 3}, "what a container broke off is sent to the other fleet"
    assert "tripped" in kit.settled("shop")["FailureReason"]


def test_an_alarm_that_is_in_alarm_already_stops_the_update_before_anything_starts(kit: HostingKit) -> None:
    kit.alarms["errors"] = lambda: "ALARM"
    kit.model("old", echo("old"))
    kit.endpoint("shop", kit.config("old"))
    processes = kit.hosting.processes()
    kit.update("shop", kit.config("new", *kit.store.get("endpoint-config", "old")["ProductionVariants"]))
    assert kit.settled("shop")["EndpointConfigName"] == "new", "without a rollback configuration nobody looks"
    assert kit.hosting.processes() != processes
    processes = kit.hosting.processes()
    kit.update("shop", "old", DeploymentConfig=canary(wait=60))
    described = kit.settled("shop")
    assert described["EndpointConfigName"] == "new"
    assert "tripped before traffic was shifted: errors" in described["FailureReason"]
    assert kit.hosting.processes() == processes


def test_a_deployment_needs_the_same_variant_names(kit: HostingKit) -> None:
    kit.model("old", echo("old"))
    kit.endpoint("shop", kit.config("old"))
    other = kit.config("other", {"VariantName": "second", "ModelName": "old", "InitialInstanceCount": 2})
    with pytest.raises(AwsError, match="same variant names"):
        kit.update("shop", other, DeploymentConfig=canary(wait=60))
    kit.update("shop", other)
    assert kit.settled("shop")["EndpointConfigName"] == "other"


def test_a_canary_that_is_cut_off_by_a_stop_is_as_it_was_before(kit: HostingKit) -> None:
    kit.alarms["errors"] = lambda: "OK"
    kit.model("old", echo("old"))
    kit.model("new", echo("new"))
    kit.endpoint("shop", kit.config("old"))
    kit.update("shop", kit.config("new"), DeploymentConfig=canary(wait=60))
    wait_for(lambda: stage(kit) == "Baking")
    kit.hosting.close()
    kit.hosting = kit.fresh_hosting()
    kit.hosting.start()
    wait_for(lambda: "FailureReason" in kit.hosting.describe_endpoint({"EndpointName": "shop"}))
    described = kit.settled("shop")
    assert described["EndpointConfigName"] == "old"
    assert "cut off" in described["FailureReason"]
    assert answers(kit, 4) == {b"old": 4}
