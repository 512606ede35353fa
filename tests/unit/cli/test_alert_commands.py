"""`earshot alerts` and `earshot responses` against the tables and the bus, as moto keeps them."""

import json

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner

from cli import alert_commands, alert_policy, responses
from cli.app import app
from cli.errors import BadInput
from feedback.alerting.policy import default_policy
from feedback.alerting.responses import ResponseState
from lambdas.aws.desk import Desk
from lambdas.aws.response_record import ResponseRecord
from tests.contract.lambdas.alerts_kit import World, policy
from tests.unit.cli.fakes import OUTPUTS, connection
from tests.unit.lambdas.fakes import NOW, classified


@pytest.fixture
def world(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with mock_aws():
        made = World(policy())
        boto3.client("events").create_event_bus(Name="responses")
        boto3.client("ssm").put_parameter(Name="/policy", Value=default_policy(), Type="String")
        intake = {"Ledger": "ledger", "Desk": "desk", "ResponseBus": "responses", "AlertPolicy": "/policy"}
        outputs = {**OUTPUTS, "intake": {**OUTPUTS["intake"], **intake, "AlertInbox": made.inbox_url}}
        for module in (alert_commands, alert_policy, responses):
            monkeypatch.setattr(module, "connect", lambda stage: connection(outputs=outputs))
        monkeypatch.setattr("cli.alerts.connect", lambda stage: connection(outputs=outputs))
        yield made


def run(*arguments, code=0):
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == code, result.output
    return result.stdout


def test_without_a_verb_the_inbox_is_shown(world):
    world.decide(classified("a"))
    world.deliver_all()
    (alert,) = json.loads(run("alerts", "--json"))
    assert alert["feedback_id"] == "a"


def test_alerts_are_listed_with_their_state_and_filtered_by_it(world):
    for number in range(4):
        world.decide(classified(f"f-{number}"))
    world.deliver_all()
    states = {alert["id"]: alert["state"] for alert in json.loads(run("alerts", "list", "--json"))}
    assert states == {"f-0": "SENT", "f-1": "SENT", "f-2": "SENT", "f-3": "DIGESTED"}
    assert [each["id"] for each in json.loads(run("alerts", "list", "--state", "DIGESTED", "--json"))] == ["f-3"]
    run("alerts", "list", "--state", "ODD", code=2)


def test_an_alert_is_assigned_snoozed_and_acknowledged(world):
    world.decide(classified("a"))
    assert json.loads(run("alerts", "assign", "a", "bob", "--by", "ann", "--json"))["assigned_to"] == "bob"
    assert json.loads(run("alerts", "snooze", "a", "--minutes", "30", "--json"))["state"] == "SNOOZED"
    assert "ACKNOWLEDGED, with bob" in run("alerts", "acknowledge", "a", "--note", "called")
    run("alerts", "acknowledge", "a", code=1)
    run("alerts", "acknowledge", "nothing", code=2)


def test_a_policy_is_checked_before_it_is_put_in_force(world, tmp_path):
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(json.dumps(policy()), encoding="utf-8")
    bad.write_text('{"version": 1}', encoding="utf-8")
    run("alerts", "policy", "check", str(bad), code=2)
    run("alerts", "policy", "set", str(bad), code=2)
    assert (
        len(json.loads(default_policy())["rules"]) == len(run("alerts", "policy", "show", "--json").split('"rule"')) - 1
    )
    run("alerts", "policy", "set", str(good))
    assert [row["rule"] for row in json.loads(run("alerts", "policy", "show", "--json"))] == ["negative"]
    run("alerts", "policy", "check", str(tmp_path / "absent.json"), code=2)


def test_a_raised_response_is_taken_back_once(world):
    record = ResponseRecord(Desk(table="desk", dynamodb=world.dynamodb))
    document = {
        "version": 1,
        "response_id": "response-1",
        "event": "SupportCaseWanted",
        "feedback_id": "a",
        "subject": {"kind": "product", "name": "P-1"},
        "rule": "legal",
        "evidence": 1,
    }
    record.begin("response-1", document, state=ResponseState.RAISED, now=NOW)
    record.begin("response-2", {**document, "response_id": "response-2"}, state=ResponseState.DRY_RUN, now=NOW)
    assert len(json.loads(run("responses", "list", "--json"))) == 2
    assert "SupportCaseWithdrawn was raised" in run("responses", "undo", "response-1", "--by", "ann")
    found = record.find("response-1")
    assert (found["state"], found["undone_by"]) == ("UNDONE", "ann")
    for id_ in ("response-1", "response-2", "nothing"):
        run("responses", "undo", id_, code=BadInput.exit_code)
