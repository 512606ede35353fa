"""What comes back from AWS: alerts, query results, kept resources, logs."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from cli import query
from cli.alerts import inbox
from cli.destroy import Kept, kept_resources
from cli.errors import NotReady, Problem
from cli.log_events import LogTail
from tests.unit.cli.fakes import OUTPUTS, FakeLogs, Pages, connection


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with mock_aws():
        yield boto3.client("sqs").create_queue(QueueName="inbox")["QueueUrl"]


def envelope(feedback_id: str, message_id: str) -> str:
    return json.dumps(
        {
            "MessageId": message_id,
            "Subject": "Negative feedback",
            "Message": f"A customer is unhappy about {feedback_id}",
            "MessageAttributes": {"feedback_id": {"Type": "String", "Value": feedback_id}},
        }
    )


def test_reading_the_inbox_leaves_every_alert_there(queue: str) -> None:
    client = boto3.client("sqs")
    for number in range(25):
        client.send_message(QueueUrl=queue, MessageBody=envelope(f"f{number}", f"m{number}"))
    aws = connection(outputs={**OUTPUTS, "intake": {"AlertInbox": queue}})
    for _ in range(2):
        found = inbox(aws)
        assert {alert.feedback_id for alert in found} == {f"f{number}" for number in range(25)}


def test_the_same_alert_delivered_twice_is_seen_twice(queue: str) -> None:
    client = boto3.client("sqs")
    for _ in range(2):
        client.send_message(QueueUrl=queue, MessageBody=envelope("f", "m"))
    first, second = inbox(connection(outputs={"intake": {"AlertInbox": queue}}))
    assert first.message_id == second.message_id
    assert first.delivery != second.delivery


def test_a_raw_delivery_is_read_as_text(queue: str) -> None:
    boto3.client("sqs").send_message(
        QueueUrl=queue,
        MessageBody="plain words",
        MessageAttributes={"feedback_id": {"DataType": "String", "StringValue": "f"}},
    )
    (alert,) = inbox(connection(outputs={"intake": {"AlertInbox": queue}}))
    assert alert.text == "plain words"


def test_a_stage_without_an_inbox_names_the_topic() -> None:
    with pytest.raises(NotReady, match="its alerts go to the subscribers of the topic arn:aws:sns"):
        inbox(connection())


class FakeAthena:
    """One query that ends at once."""

    def __init__(self, state: str, rows: list[list[str | None]]) -> None:
        self._state = state
        self._rows = rows
        self.asked: dict[str, Any] = {}

    def start_query_execution(self, **request: Any) -> dict[str, str]:
        self.asked = request
        return {"QueryExecutionId": "q"}

    def get_query_execution(self, *, QueryExecutionId: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        reason = "line 1:8:\n  mismatched input"
        return {
            "QueryExecution": {
                "Status": {"State": self._state, "StateChangeReason": reason},
                "Statistics": {"DataScannedInBytes": 12},
            }
        }

    def get_paginator(self, _: str) -> Pages:
        rows = [{"Data": [{} if value is None else {"VarCharValue": value} for value in row]} for row in self._rows]
        columns = [{"Name": "label"}, {"Name": "texts"}]
        metadata = {"ColumnInfo": columns}
        return Pages(
            [
                {"ResultSet": {"Rows": rows[:2], "ResultSetMetadata": metadata}},
                {"ResultSet": {"Rows": rows[2:], "ResultSetMetadata": metadata}},
            ]
        )


def test_a_query_runs_in_the_stages_workgroup_and_drops_the_repeated_header() -> None:
    athena = FakeAthena("SUCCEEDED", [["label", "texts"], ["negative", "3"], [None, "1"]])
    result = query.run(connection({"athena": athena}), "SELECT 1")
    assert athena.asked["WorkGroup"] == "earshot-dev"
    assert athena.asked["QueryExecutionContext"] == {"Database": "earshot_dev"}
    assert result.records() == [{"label": "negative", "texts": "3"}, {"label": None, "texts": "1"}]
    assert result.scanned_bytes == 12


def test_a_failed_query_says_why_in_one_line() -> None:
    with pytest.raises(Problem) as failed:
        query.run(connection({"athena": FakeAthena("FAILED", [])}), "SELEC 1")
    assert failed.value.message == "The query failed: line 1:8: mismatched input"


def test_lines_are_read_once_and_only_of_the_wanted_streams() -> None:
    def event(number: int, stream: str) -> dict[str, Any]:
        return {"eventId": str(number), "timestamp": number, "logStreamName": stream, "message": f"line {number}\n"}

    logs = FakeLogs([event(2, "job-a/1"), event(1, "job-a/1"), event(3, "job-b/1")])
    tail = LogTail(connection=connection({"logs": logs}), group="g", stream_prefix="job-a")
    assert [line.text for line in tail.read()] == ["line 1", "line 2"]
    logs.events.append(event(4, "job-a/2"))
    assert [line.text for line in tail.read()] == ["line 4"]


def test_a_group_that_does_not_exist_yet_has_no_lines() -> None:
    assert LogTail(connection=connection({"logs": FakeLogs()}), group="g").read() == []


class FakeCloudFormation:
    """One deployed stack."""

    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:  # noqa: N803
        return {"Stacks": [{"StackName": StackName, "StackStatus": "CREATE_COMPLETE"}]}

    def get_template(self, *, StackName: str, TemplateStage: str) -> dict[str, Any]:  # noqa: N803
        resources = {"Lake": {"DeletionPolicy": "Retain"}, "Queue": {"DeletionPolicy": "Delete"}, "Rule": {}}
        body = {"Resources": resources if StackName.endswith("data-lake") else {}}
        return {"TemplateBody": json.dumps(body) if StackName.endswith("data-lake") else body}

    def get_paginator(self, _: str) -> Pages:
        return Pages(
            [
                {
                    "StackResourceSummaries": [
                        {"LogicalResourceId": name, "PhysicalResourceId": f"{name}-1", "ResourceType": "AWS::X::Y"}
                        for name in ("Lake", "Queue", "Rule")
                    ]
                }
            ]
        )


def test_what_a_destroy_keeps_is_read_from_the_deployed_templates() -> None:
    kept = kept_resources(connection({"cloudformation": FakeCloudFormation()}))
    assert kept == [Kept(stack="earshot-dev-data-lake", type="AWS::X::Y", name="Lake-1")]


def test_csv_of_a_query_holds_no_formula(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    athena = FakeAthena("SUCCEEDED", [["label", "texts"], ["=HYPERLINK(1)", "-3"], [None, "@SUM(A1)"]])
    monkeypatch.setattr(query, "connect", lambda _: connection({"athena": athena}))
    query.query("SELECT 1", as_csv=True, stage="dev")
    assert capsys.readouterr().out == "label,texts\n'=HYPERLINK(1),-3\n,'@SUM(A1)\n"
