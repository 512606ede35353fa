"""Endpoints over real containers: states, updates, failures, restarts."""

import os
import signal
import threading
import time

import pytest

from local.sagemaker.errors import AwsError
from tests.unit.local_hosting.hosting_kit import HostingKit, archive, echo, wait_for

FAILING = "def model_fn(model_dir):\n    raise ValueError('no weights')\ndef transform_fn(*_):\n    ..."
SLOW_START = "import time\ntime.sleep(0.5)\ndef model_fn(model_dir): ...\ndef transform_fn(*_):\n    return 'slow'"


def ask(kit: HostingKit, name: str = "shop", body: bytes = b"hi", **headers: str) -> tuple[int, bytes]:
    status, _, answer = kit.hosting.invoke(name, {"Content-Type": "text/plain", **headers}, body)
    return status, answer


def test_an_endpoint_is_created_described_listed_and_deleted(kit: HostingKit) -> None:
    kit.model("one", echo("a"), echo("b"))
    config = kit.config("one")
    answer = kit.hosting.create_endpoint({"EndpointName": "shop", "EndpointConfigName": config})
    assert answer == {"EndpointArn": "arn:aws:sagemaker:us-east-1:000000000000:endpoint/shop"}
    creating = kit.hosting.describe_endpoint({"EndpointName": "shop"})
    assert creating["EndpointStatus"] == "Creating"
    assert ask(kit)[0] == 400
    described = kit.settled("shop")
    assert described["EndpointStatus"] == "InService"
    (variant,) = described["ProductionVariants"]
    assert (variant["VariantName"], variant["CurrentInstanceCount"], variant["CurrentWeight"]) == ("main", 2, 1.0)
    assert [image["SpecifiedImage"] for image in variant["DeployedImages"]] == ["image-0", "image-1"]
    assert not [member for member in described if "Plan" in member], "nothing of ours in AWS's answer"
    assert ask(kit) == (200, b"hi|a<text/plain>[application/json]|b<application/x-a>[application/json]")
    assert [each["EndpointName"] for each in kit.hosting.list_endpoints({})["Endpoints"]] == ["shop"]
    assert len(kit.hosting.processes()) == 2
    assert kit.hosting.processes()[0][1] == "endpoint shop, variant main, container-1"
    kit.hosting.delete_endpoint({"EndpointName": "shop"})
    wait_for(lambda: kit.store.get("endpoint", "shop") is None)
    assert kit.hosting.processes() == []
    assert kit.statuses() == ["CREATING", "IN_SERVICE", "DELETING"]
    assert kit.events[1]["EndpointConfigName"] == "one"
    assert isinstance(kit.events[1]["CreationTime"], int)


def test_what_aws_refuses_is_refused(kit: HostingKit) -> None:
    kit.model("slow", archive(SLOW_START))
    kit.config("slow")
    with pytest.raises(AwsError, match="Could not find endpoint configuration"):
        kit.hosting.create_endpoint({"EndpointName": "shop", "EndpointConfigName": "unknown"})
    with pytest.raises(AwsError, match='Could not find endpoint "arn:'):
        kit.hosting.describe_endpoint({"EndpointName": "shop"})
    kit.hosting.create_endpoint({"EndpointName": "shop", "EndpointConfigName": "slow"})
    for refused in (
        lambda: kit.hosting.update_endpoint({"EndpointName": "shop", "EndpointConfigName": "slow"}),
        lambda: kit.hosting.delete_endpoint({"EndpointName": "shop"}),
    ):
        with pytest.raises(AwsError, match="Cannot update in-progress endpoint") as error:
            refused()
        assert error.value.code == "ValidationException"
    with pytest.raises(AwsError, match="Cannot create already existing endpoint"):
        kit.hosting.create_endpoint({"EndpointName": "shop", "EndpointConfigName": "slow"})
    kit.settled("shop")
    with pytest.raises(AwsError, match="Could not find endpoint configuration"):
        kit.hosting.update_endpoint({"EndpointName": "shop", "EndpointConfigName": "unknown"})
    weights = {"EndpointName": "shop", "DesiredWeightsAndCapacities": [{"VariantName": "other", "DesiredWeight": 1.0}]}
    with pytest.raises(AwsError, match="Could not find variants"):
        kit.hosting.update_weights_and_capacities(weights)


def test_a_model_that_cannot_be_hosted_makes_the_endpoint_fail_with_the_reason(kit: HostingKit) -> None:
    kit.model("broken", b"this is no archive")
    kit.model("failing", archive(FAILING))
    kit.model("missing", echo("a"))
    kit.s3.objects.pop("s3://models/missing/0/model.tar.gz")
    reasons = {name: kit.endpoint(f"shop-{name}", kit.config(name)) for name in ("broken", "failing", "missing")}
    assert {described["EndpointStatus"] for described in reasons.values()} == {"Failed"}
    assert "model data archive" in reasons["broken"]["FailureReason"]
    assert "did not pass the ping health check" in reasons["failing"]["FailureReason"]
    assert "ValueError: no weights" in reasons["failing"]["FailureReason"]
    assert "Failed to download model data" in reasons["missing"]["FailureReason"]
    with pytest.raises(AwsError, match="can only be deleted"):
        kit.hosting.update_endpoint({"EndpointName": "shop-broken", "EndpointConfigName": "failing"})
    kit.hosting.delete_endpoint({"EndpointName": "shop-broken"})


def test_an_update_under_load_fails_no_request_and_ends_the_old_containers(kit: HostingKit) -> None:
    kit.model("old", echo("old"))
    kit.model("new", echo("new"))
    kit.config("new")
    kit.endpoint("shop", kit.config("old"))
    stop, answers = threading.Event(), []

    def load() -> None:
        while not stop.is_set():
            answers.append(ask(kit))

    threads = [threading.Thread(target=load, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    old_process = kit.hosting.processes()[0][0]
    all_at_once = {
        "BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}}
    }
    kit.update("shop", "new", DeploymentConfig=all_at_once)
    assert kit.hosting.describe_endpoint({"EndpointName": "shop"})["EndpointStatus"] == "Updating"
    described = kit.settled("shop")
    time.sleep(0.1)
    stop.set()
    for thread in threads:
        thread.join()
    assert {status for status, _ in answers} == {200}
    assert {body.split(b"<")[0] for _, body in answers} == {b"hi|old", b"hi|new"}
    assert answers[-1][1].startswith(b"hi|new")
    assert described["EndpointConfigName"] == "new"
    assert described["LastDeploymentConfig"] == all_at_once
    assert old_process not in [pid for pid, _ in kit.hosting.processes()]
    assert len(kit.hosting.processes()) == 1


def test_a_failed_update_leaves_the_old_config_in_service_with_the_reason(kit: HostingKit) -> None:
    kit.model("old", echo("old"))
    kit.model("failing", archive(FAILING))
    kit.config("failing")
    kit.endpoint("shop", kit.config("old"))
    kit.hosting.update_endpoint({"EndpointName": "shop", "EndpointConfigName": "failing"})
    described = kit.settled("shop")
    assert described["EndpointStatus"] == "InService"
    assert described["EndpointConfigName"] == "old"
    assert "ValueError: no weights" in described["FailureReason"]
    assert "PendingDeploymentSummary" not in described
    assert ask(kit)[1].startswith(b"hi|old")
    assert len(kit.hosting.processes()) == 1
    assert kit.statuses() == ["CREATING", "IN_SERVICE", "UPDATING", "IN_SERVICE"]


def test_a_killed_container_is_replaced_while_the_endpoint_stays_in_service(kit: HostingKit) -> None:
    kit.model("one", echo("a"), echo("b"))
    kit.endpoint("shop", kit.config("one"))
    assert ask(kit)[0] == 200
    os.kill(kit.hosting.processes()[1][0], signal.SIGKILL)
    begin = time.monotonic()
    assert ask(kit)[0] == 200, "the request waits for the replacement"
    assert time.monotonic() - begin < 10
    assert kit.hosting.describe_endpoint({"EndpointName": "shop"})["EndpointStatus"] == "InService"
    assert len(kit.hosting.processes()) == 2


def test_endpoints_are_hosted_again_after_a_restart_without_s3(kit: HostingKit) -> None:
    kit.model("one", echo("a"))
    kit.endpoint("shop", kit.config("one"))
    begin = time.monotonic()
    kit.hosting.close()
    assert time.monotonic() - begin < 3
    assert kit.hosting.processes() == []
    kit.store.delete("model", "one")
    kit.s3.objects.clear()
    kit.hosting = kit.fresh_hosting()
    kit.hosting.start()
    status, headers, _ = kit.hosting.invoke("shop", {}, b"hi")
    assert (status, headers["x-amzn-errortype"]) == (503, "ServiceUnavailable")
    assert kit.hosting.describe_endpoint({"EndpointName": "shop"})["EndpointStatus"] == "SystemUpdating"
    described = kit.settled("shop")
    assert described["EndpointStatus"] == "InService"
    assert ask(kit)[0] == 200


def test_operations_cut_off_by_a_stop_are_finished_or_undone_by_the_next_start(kit: HostingKit) -> None:
    kit.model("one", echo("a"))
    kit.model("slow", archive(SLOW_START))
    kit.config("slow")
    kit.endpoint("updated", kit.config("one"))
    kit.hosting.update_endpoint({"EndpointName": "updated", "EndpointConfigName": "slow"})
    kit.hosting.create_endpoint({"EndpointName": "created", "EndpointConfigName": "slow"})
    kit.hosting.close()
    kit.hosting = kit.fresh_hosting()
    kit.hosting.start()
    wait_for(lambda: "FailureReason" in kit.hosting.describe_endpoint({"EndpointName": "updated"}))
    undone, finished = kit.settled("updated"), kit.settled("created")
    assert (undone["EndpointStatus"], undone["EndpointConfigName"]) == ("InService", "one")
    assert "cut off" in undone["FailureReason"]
    assert (finished["EndpointStatus"], finished["EndpointConfigName"]) == ("InService", "slow")


def test_requests_follow_the_weights_and_the_target_variant(kit: HostingKit) -> None:
    kit.model("a", echo("a"))
    kit.model("b", echo("b"))
    variants = [
        {"VariantName": name, "ModelName": name, "InitialVariantWeight": weight}
        for name, weight in (("a", 1), ("b", 0))
    ]
    config = kit.config("both", *variants)
    kit.endpoint("shop", config)
    assert {ask(kit)[1][:4] for _ in range(20)} == {b"hi|a"}
    assert ask(kit, **{"X-Amzn-SageMaker-Target-Variant": "b"})[1].startswith(b"hi|b")
    assert ask(kit, **{"X-Amzn-SageMaker-Target-Variant": "c"})[0] == 400
    desired = [{"VariantName": "a", "DesiredWeight": 0.0}, {"VariantName": "b", "DesiredWeight": 3.0}]
    kit.hosting.update_weights_and_capacities({"EndpointName": "shop", "DesiredWeightsAndCapacities": desired})
    described = kit.settled("shop")
    assert {ask(kit)[1][:4] for _ in range(20)} == {b"hi|b"}
    weights = {variant["VariantName"]: variant["CurrentWeight"] for variant in described["ProductionVariants"]}
    assert weights == {"a": 0.0, "b": 3.0}


def test_container_output_reaches_the_log_group_of_the_endpoint(kit: HostingKit) -> None:
    kit.model("one", echo("a"), echo("b"))
    kit.endpoint("shop", kit.config("one"))
    wait_for(lambda: len(kit.logs.streams) == 2)
    groups = {group for group, _ in kit.logs.streams}
    streams = sorted(stream.split("/")[0::2] for _, stream in kit.logs.streams)
    assert groups == {"/aws/sagemaker/Endpoints/shop"}
    assert streams == [["main", "container-1"], ["main", "container-2"]]
    wait_for(lambda: all(lines == ["The model is loaded."] for lines in kit.logs.streams.values()))
