"""The events that Lambda hands to alerts, notify, duty, respond and its example, and what comes of them."""

import json

import boto3
import pytest

from feedback.alerting.policy import default_policy
from lambdas.alerts.handler import handle as decide
from lambdas.duty.handler import handle as watch
from lambdas.notify import handler as notify
from lambdas.respond.handler import handle as respond
from lambdas.response_example.handler import handle as open_case
from tests.contract.lambdas.alerts_kit import FakeModel, World, policy
from tests.unit.lambdas.fakes import FakeContext

PARAMETER = "/earshot/test/alert-policy"


@pytest.fixture
def world(aws, monkeypatch):
    made = World(policy())
    set_policy(policy())
    boto3.client("s3").create_bucket(Bucket="lake")
    boto3.client("events").create_event_bus(Name="responses")
    environment = {
        "LEDGER_TABLE": "ledger",
        "DESK_TABLE": "desk",
        "ALERT_QUEUE_URL": made.queue_url,
        "ALERT_POLICY_PARAMETER": PARAMETER,
        "ALERT_TOPIC_ARN": made.topic_arn,
        "ENDPOINT_NAME": "sentiment",
        "FEEDBACK_URL": "https://api.example/v1/feedback/",
        "WEBHOOK_SECRET_PREFIX": "earshot/test/alerts/",
        "RESPONSE_BUS": "responses",
        "LAKE_BUCKET": "lake",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    client = notify.client
    monkeypatch.setattr(
        notify,
        "client",
        lambda service, **limits: FakeModel() if service == "sagemaker-runtime" else client(service, **limits),
    )
    return made


def set_policy(document):
    text = document if isinstance(document, str) else json.dumps(document)
    boto3.client("ssm").put_parameter(Name=PARAMETER, Value=text, Type="String", Overwrite=True)


@pytest.fixture
def stored(world, load_event):
    """The ledger as it is when the stream's records arrive."""
    for record in load_event("stream_ledger")["Records"][1:5]:
        world.dynamodb.put_item(TableName="ledger", Item=record["dynamodb"]["NewImage"])
    return world


def batch(world):
    """The queue's messages as Lambda hands them over."""
    found = world.sqs.receive_message(
        QueueUrl=world.queue_url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"], VisibilityTimeout=60
    )
    return {
        "Records": [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": {"ApproximateReceiveCount": message["Attributes"]["ApproximateReceiveCount"]},
            }
            for message in found.get("Messages", [])
        ]
    }


def test_of_all_changes_only_the_negative_decision_is_told_and_only_once(stored, load_event):
    for _ in range(3):
        assert decide(load_event("stream_ledger"), FakeContext()) == {"batchItemFailures": []}
    delivered = batch(stored)
    assert notify.handle(delivered, FakeContext()) == {"batchItemFailures": []}
    (message,) = stored.inbox()
    assert message["Subject"] == "Negative feedback (94%) via chat: P-1042"
    assert '"The zip broke after two days and nobody answers."' in message["Message"]
    assert "https://api.example/v1/feedback/order-1001" in message["Message"]
    assert message["MessageAttributes"]["feedback_id"]["Value"] == "order-1001"
    assert stored.alert_of("order-1001")["state"] == "SENT"


def test_a_record_without_its_old_image_is_a_decision_and_told_once(stored, load_event):
    event = load_event("stream_ledger")
    for record in event["Records"]:
        record["dynamodb"].pop("OldImage", None)
    for _ in range(2):
        assert decide(event, FakeContext()) == {"batchItemFailures": []}
    notify.handle(batch(stored), FakeContext())
    assert len(stored.inbox()) == 1


def test_a_malformed_record_comes_again_and_the_others_are_told(stored, load_event):
    event = load_event("stream_ledger")
    bad = event["Records"][3]
    bad["dynamodb"]["NewImage"]["event"] = {"S": "no map"}
    again = decide(event, FakeContext())
    assert again == {"batchItemFailures": [{"itemIdentifier": bad["dynamodb"]["SequenceNumber"]}]}
    assert len(batch(stored)["Records"]) == 1


def test_a_queue_that_is_away_makes_the_record_come_again_and_loses_nothing(stored, load_event, monkeypatch):
    monkeypatch.setenv("ALERT_QUEUE_URL", stored.queue_url + "-gone")
    assert len(decide(load_event("stream_ledger"), FakeContext())["batchItemFailures"]) == 1
    assert stored.alert_of("order-1001")["state"] == "DUE"


def test_a_topic_that_is_away_keeps_the_message_and_postpones_it(stored, load_event, monkeypatch):
    decide(load_event("stream_ledger"), FakeContext())
    with monkeypatch.context() as broken:
        broken.setenv("ALERT_TOPIC_ARN", stored.topic_arn + "-gone")
        delivered = batch(stored)
        failures = notify.handle(delivered, FakeContext())["batchItemFailures"]
    assert failures == [{"itemIdentifier": delivered["Records"][0]["messageId"]}]
    notify._settings.cache_clear()
    notify._destinations.cache_clear()
    delivered["Records"][0]["attributes"]["ApproximateReceiveCount"] = "2"
    assert notify.handle(delivered, FakeContext()) == {"batchItemFailures": []}
    assert len(stored.inbox()) == 1


def test_what_is_no_message_comes_again_and_a_batch_out_of_time_is_left(world):
    world.sqs.send_message(QueueUrl=world.queue_url, MessageBody="[")
    broken = batch(world)
    assert len(notify.handle(broken, FakeContext())["batchItemFailures"]) == 1
    assert len(notify.handle(broken, FakeContext(remaining_seconds=3))["batchItemFailures"]) == 1


def test_nonsense_in_the_parameter_leaves_the_last_good_policy(stored, load_event):
    from lambdas.alerts import handler

    decide({"Records": load_event("stream_ledger")["Records"][1:2]}, FakeContext())
    set_policy({"version": 1, "rules": "none"})
    handler._policy.cache_clear()  # another instance, which has read nothing yet
    assert handler._policy().load().rules[0].name == "negative"
    set_policy("default")
    handler._policy.cache_clear()
    assert [rule.name for rule in handler._policy().load().rules] == [
        rule["name"] for rule in json.loads(default_policy())["rules"]
    ]


def test_without_any_good_policy_the_default_one_holds(world):
    from lambdas.alerts import handler

    set_policy("{}")
    assert handler._policy().load().rules[-1].name == "negative"


def test_duty_does_what_is_due(world):
    assert watch({}, FakeContext()) == {"done": 0, "not_needed": 0}


def response_policy(**response):
    rule = {"name": "zip", "when": {"words": ["zip"]}, "severity": "high", "team": "care", "advice": "Call."}
    return policy(rules=[{**rule, "respond": response}])


def noted(world):
    answer = world.dynamodb.query(
        TableName="desk",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": "response"}},
    )
    return [{name: value.get("S") for name, value in item.items()} for item in answer["Items"]]


def test_a_dry_run_is_noted_and_never_raised(stored, load_event):
    set_policy(response_policy(event="SupportCaseWanted"))
    for _ in range(2):
        assert respond(load_event("stream_ledger"), FakeContext()) == {"batchItemFailures": []}
    (response,) = noted(stored)
    assert (response["state"], response["event"]) == ("DRY_RUN", "SupportCaseWanted")


def test_a_response_is_raised_once_and_stands_beside_its_feedback(stored, load_event):
    set_policy(response_policy(event="SupportCaseWanted", dry_run=False))
    for _ in range(2):
        assert respond(load_event("stream_ledger"), FakeContext()) == {"batchItemFailures": []}
    (response,) = noted(stored)
    assert (response["state"], response["feedback_id"]) == ("RAISED", "order-1001")
    item = stored.dynamodb.get_item(TableName="ledger", Key={"feedback_id": {"S": "order-1001"}})["Item"]
    assert item["response"]["M"]["state"]["S"] == "RAISED"


def test_a_product_is_pulled_only_by_enough_feedback(stored, load_event):
    set_policy(response_policy(event="ProductPullWanted", dry_run=False, count=2))
    respond(load_event("stream_ledger"), FakeContext())
    assert noted(stored) == []


def test_a_bus_that_is_away_makes_the_record_come_again(stored, load_event, monkeypatch):
    set_policy(response_policy(event="SupportCaseWanted", dry_run=False))
    boto3.client("events").delete_event_bus(Name="responses")
    assert len(respond(load_event("stream_ledger"), FakeContext())["batchItemFailures"]) == 1
    assert noted(stored)[0]["state"] == "WANTED"


def test_the_example_opens_a_case_once_and_notes_its_withdrawal_beside_it(world):
    event = {
        "detail-type": "SupportCaseWanted",
        "time": "2026-03-01T10:00:00Z",
        "detail": {"version": 1, "response_id": "response-1", "feedback_id": "a"},
    }
    for detail_type in ("SupportCaseWanted", "SupportCaseWanted", "SupportCaseWithdrawn"):
        open_case({**event, "detail-type": detail_type}, FakeContext())
    found = boto3.client("s3").list_objects_v2(Bucket="lake")["Contents"]
    assert [each["Key"] for each in found] == [
        "reports/cases/response-1/open.json",
        "reports/cases/response-1/withdrawn.json",
    ]


def test_messages_of_a_sender_that_dies_come_back_as_soon_as_it_must_have_ended(stored, load_event, monkeypatch):
    decide(load_event("stream_ledger"), FakeContext())
    held = []
    monkeypatch.setattr(notify._queue(), "hold", lambda handles, *, seconds: held.append((len(handles), seconds)))
    notify.handle(batch(stored), FakeContext(remaining_seconds=30))
    assert held == [(1, 35)]
