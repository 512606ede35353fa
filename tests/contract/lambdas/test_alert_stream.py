import json
from datetime import timedelta

import boto3
import pytest

from feedback.ledger import AlertState
from lambdas.alerts.handler import AlertsUnsentError, handle
from lambdas.aws.ledger import Ledger
from lambdas.intake.handler import handle as take_in
from tests.unit.lambdas.fakes import NOW, FakeContext


@pytest.fixture(autouse=True)
def settings(monkeypatch):
    monkeypatch.setenv("ALERT_THRESHOLD", "0.8")
    monkeypatch.setenv("FEEDBACK_URL", "https://api.example/v1/feedback/")


@pytest.fixture
def stored(table, load_event):
    """The ledger as it is when the stream's records arrive."""
    dynamodb = boto3.client("dynamodb")
    for record in load_event("stream_ledger")["Records"][1:5]:
        dynamodb.put_item(TableName="ledger", Item=record["dynamodb"]["NewImage"])
    return table


def inbox(url):
    sqs, found = boto3.client("sqs"), []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            found.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def test_of_all_changes_only_the_negative_decision_is_told_and_only_once(stored, inbox_url, load_event):
    for _ in range(3):
        handle(load_event("stream_ledger"), FakeContext())
    (message,) = inbox(inbox_url)
    assert message["Subject"] == "Negative feedback (94%) via chat: P-1042"
    assert '"The zip broke after two days and nobody answers."' in message["Message"]
    assert "https://api.example/v1/feedback/order-1001" in message["Message"]
    assert {name: value["Value"] for name, value in message["MessageAttributes"].items()} == {
        "feedback_id": "order-1001",
        "product_id": "P-1042",
        "sentiment": "negative",
    }
    alert = stored.get_item(Key={"feedback_id": "order-1001"})["Item"]["alert"]
    assert (alert["state"], alert["message_id"]) == ("SENT", message["MessageId"])


def test_a_topic_that_refuses_fails_the_batch_and_the_next_try_sends(stored, inbox_url, load_event, monkeypatch):
    topic = boto3.client("sns").list_topics()["Topics"][0]["TopicArn"]
    monkeypatch.setenv("ALERT_TOPIC_ARN", topic + "-gone")
    with pytest.raises(AlertsUnsentError, match="1 of 7"):
        handle(load_event("stream_ledger"), FakeContext())
    assert "alert" not in stored.get_item(Key={"feedback_id": "order-1001"})["Item"]
    monkeypatch.setenv("ALERT_TOPIC_ARN", topic)
    from lambdas.alerts import handler

    handler._settings.cache_clear()
    handler._topic.cache_clear()
    handle(load_event("stream_ledger"), FakeContext())
    assert len(inbox(inbox_url)) == 1


def test_a_malformed_record_fails_the_batch_after_the_others_were_told(stored, inbox_url, load_event):
    event = load_event("stream_ledger")
    event["Records"][3]["dynamodb"]["NewImage"]["event"] = {"S": "no map"}
    with pytest.raises(AlertsUnsentError):
        handle(event, FakeContext())
    assert len(inbox(inbox_url)) == 1


def test_the_image_of_a_decision_by_intake_alerts(load_event, table, queue_url, runtime, inbox_url):
    assert take_in(load_event("api_post_feedback"), FakeContext())["statusCode"] == 200
    image = boto3.client("dynamodb").get_item(TableName="ledger", Key={"feedback_id": {"S": "order-1001"}})["Item"]
    record = load_event("stream_ledger")["Records"][1]
    record["dynamodb"] |= {"NewImage": image, "OldImage": image | {"state": {"S": "RECEIVED"}}}
    handle({"Records": [record]}, FakeContext())
    handle({"Records": [record]}, FakeContext(request_id="again"))
    assert len(inbox(inbox_url)) == 1


def test_a_claim_excludes_others_until_it_lapses_and_its_owner_never(stored):
    ledger = Ledger(table="ledger", dynamodb=boto3.client("dynamodb"))
    lease = NOW + timedelta(seconds=30)

    def claim(owner, moment):
        return ledger.claim_alert("order-1001", owner=owner, now=moment, lease_until=moment + timedelta(seconds=30))

    assert claim("one", NOW)
    assert claim("one", NOW)
    assert not claim("two", lease)
    assert not ledger.release_alert("order-1001", owner="two")
    assert claim("two", lease + timedelta(milliseconds=1))
    assert not ledger.mark_alert_sent("order-1001", owner="one", message_id="m-1", now=NOW)
    assert ledger.mark_alert_sent("order-1001", owner="two", message_id="m-2", now=NOW)
    assert ledger.mark_alert_sent("order-1001", owner="two", message_id="m-2", now=NOW)
    assert not claim("three", lease + timedelta(days=1))
    assert ledger.find("order-1001").alert_state is AlertState.SENT


def test_there_is_no_alert_about_what_is_not_in_the_ledger(table):
    ledger = Ledger(table="ledger", dynamodb=boto3.client("dynamodb"))
    assert not ledger.claim_alert("gone", owner="one", now=NOW, lease_until=NOW)
    assert table.item_count == 0
