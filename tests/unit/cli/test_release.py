"""Releasing, going back and serving a second model, as the command line asks for it."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli import release as command
from cli.app import app
from cli.connection import AwsConnection
from cli.release_history import release_before
from cli.release_progress import canary_line, endpoint_line
from tests.unit.cli.fakes import FakeRegistry, FakeS3, FakeSsm, FakeStates, Pages, connection

STARTER, FIRST, SECOND, THIRD = "starter", *(f"s3://artifacts/models/run-{number}/" for number in (1, 2, 3))


@dataclass
class History(FakeSsm):
    """A parameter with all the values it had."""

    values: list[str] = field(default_factory=lambda: [STARTER])

    def get_paginator(self, operation: str) -> Pages:
        assert operation == "get_parameter_history"
        entries = [{"Version": number, "Value": value} for number, value in enumerate(self.values, start=1)]
        return Pages([{"Parameters": entries[:2]}, {"Parameters": entries[2:]}])


@dataclass
class Machine(FakeStates):
    """A state machine whose executions end at once, with this status and cause."""

    cause: str = ""
    output: dict[str, Any] = field(default_factory=dict)

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        if self.cause:
            return {"status": "FAILED", "cause": self.cause}
        return {"status": "SUCCEEDED", "output": json.dumps(self.output)}


class Idle:
    """SageMaker while nothing is updated, over a registry."""

    def __init__(self, registry: FakeRegistry) -> None:
        self.get_paginator = registry.get_paginator
        self.describe_model_package = registry.describe_model_package

    def describe_endpoint(self, *, EndpointName: str) -> dict[str, Any]:  # noqa: N803
        return {"EndpointStatus": "InService"}


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def history() -> History:
    return History(release=SECOND, values=[STARTER, FIRST, SECOND])


@pytest.fixture
def aws(machine: Machine, history: History, monkeypatch: pytest.MonkeyPatch) -> AwsConnection:
    registry = FakeRegistry()
    registry.add("run-1")
    registry.add("run-2")
    registry.add("run-3", status="PendingManualApproval")
    found = connection(
        {"sagemaker": Idle(registry), "s3": FakeS3(), "ssm": history, "stepfunctions": machine},
    )
    monkeypatch.setattr(command, "connect", lambda _: found)
    return found


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--stage", "dev"])


def asked(machine: Machine) -> dict[str, Any]:
    (started,) = machine.started
    return {**started["input"], "model_package_arn": started["input"].get("model_package_arn", "").rpartition("/")[2]}


def test_without_a_name_the_latest_approved_model_is_released(aws: AwsConnection, machine: Machine) -> None:
    result = run("release", "--json")
    assert result.exit_code == 0, result.stderr
    assert asked(machine) == {"model_package_arn": "2"}
    assert json.loads(result.stdout)["version"] == 2


def test_a_model_that_waits_for_approval_is_not_released(aws: AwsConnection, machine: Machine) -> None:
    result = run("release", "3")
    assert result.exit_code == 2
    assert "run `earshot models approve 3`" in result.stderr
    assert machine.started == []


def test_a_release_that_was_taken_back_ends_with_1_and_the_reason(aws: AwsConnection, machine: Machine) -> None:
    machine.cause = "The model was not released: The canary stopped the new model."
    result = run("release", "1")
    assert result.exit_code == 1
    assert "The model was not released: The canary stopped the new model." in result.stderr


@pytest.mark.parametrize(
    ("arguments", "request_"),
    [
        (("1", "--beside", "--weight", "0.1"), {"mode": "beside", "model_package_arn": "1", "share": 0.1}),
        (("3", "--shadow"), {"mode": "beside", "model_package_arn": "3", "share": 0.0}),
        (("--alone",), {"mode": "alone", "model_package_arn": ""}),
    ],
)
def test_a_second_model_comes_with_its_share_and_goes_again(
    aws: AwsConnection, machine: Machine, arguments: tuple[str, ...], request_: dict[str, Any]
) -> None:
    assert run("release", *arguments).exit_code == 0
    assert asked(machine) == request_


@pytest.mark.parametrize(
    "arguments",
    [
        ("1", "--beside"),
        ("1", "--weight", "0.1"),
        ("1", "--beside", "--weight", "1"),
        ("1", "--shadow", "--alone"),
        ("1", "--alone"),
    ],
)
def test_what_does_not_go_together_is_refused(aws: AwsConnection, machine: Machine, arguments: tuple[str, ...]) -> None:
    assert run("release", *arguments).exit_code == 2
    assert machine.started == []


def test_rollback_goes_to_the_release_before_without_a_canary(aws: AwsConnection, machine: Machine) -> None:
    assert run("rollback").exit_code == 0
    assert asked(machine) == {"mode": "rollback", "model_package_arn": "1"}


def test_the_release_before_the_first_is_the_starter(aws: AwsConnection, machine: Machine, history: History) -> None:
    history.values = [STARTER, FIRST]
    assert run("rollback").exit_code == 0
    assert asked(machine) == {"mode": "rollback", "model_package_arn": ""}


def test_without_a_release_before_there_is_no_way_back(aws: AwsConnection, machine: Machine, history: History) -> None:
    history.values = [STARTER]
    result = run("rollback")
    assert (result.exit_code, machine.started) == (2, [])


def test_a_release_before_that_is_not_registered_any_more_is_named(
    aws: AwsConnection, machine: Machine, history: History
) -> None:
    history.values = [STARTER, "s3://artifacts/models/run-9/", SECOND]
    result = run("rollback")
    assert result.exit_code == 2
    assert "run-9" in result.stderr


@pytest.mark.parametrize(
    ("history_", "before"),
    [
        ([], None),
        ([STARTER], None),
        ([STARTER, FIRST], STARTER),
        ([STARTER, FIRST, SECOND], FIRST),
        ([STARTER, FIRST, SECOND, FIRST], STARTER),  # the second was taken back, or rolled back
        ([STARTER, FIRST, SECOND, THIRD, SECOND], FIRST),
        ([STARTER, FIRST, SECOND, FIRST, THIRD], FIRST),
        ([STARTER, FIRST, FIRST, SECOND, SECOND], FIRST),
    ],
)
def test_the_release_before_is_one_that_was_not_taken_back(history_: list[str], before: str | None) -> None:
    assert release_before(history_) == before


def test_progress_says_what_happens_to_the_endpoint() -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    baking = {"Status": "Baking", "StatusMessage": "50% of the traffic, 3 of 5 s.", "StartTime": now}
    pending = {"ProductionVariants": [{"VariantName": "sentiment", "VariantStatus": [baking]}]}
    assert endpoint_line({"EndpointStatus": "InService"}) is None
    assert endpoint_line({"EndpointStatus": "Updating", "PendingDeploymentSummary": {}}) == (
        "endpoint: the new model starts"
    )
    assert endpoint_line({"EndpointStatus": "Updating", "PendingDeploymentSummary": pending}) == (
        "endpoint: 50% of the traffic, 3 of 5 s"
    )
    assert "served model answers everything" in str(endpoint_line({"EndpointStatus": "RollingBack"}))


def test_progress_says_what_the_canary_found() -> None:
    figures = {"texts": 200, "probes": 150, "disagreement": 0.031, "accuracy_drop": 0.0, "unsure_shift": None}
    assert canary_line({"verdict": "GOOD", "reason": "", "figures": figures}) == (
        "canary: 200 texts, 150 of them labelled, surely at least: disagree 3%, less often right 0%"
    )
    assert canary_line({"verdict": "WAITING", "reason": "", "figures": {"texts": 0}}) is None
    bad = {"verdict": "BAD", "reason": "It is less often right.", "figures": figures}
    assert canary_line(bad) == "canary: It is less often right."
