import json

import boto3
import pytest

from lambdas.intake.handler import handle as take_in
from lambdas.router.handler import handle
from tests.unit.lambdas.fakes import FakeContext


@pytest.fixture
def accepted(load_event, table, queue_url, runtime):
    """Two feedbacks that intake could not decide."""
    runtime.is_down = True
    for id_, text in (("order-1001", "The zip broke."), ("order-1002", "Lovely")):
        event = load_event("api_post_feedback") | {"body": json.dumps({"id": id_, "channel": "web", "text": text})}
        assert take_in(event, FakeContext())["statusCode"] == 202
    runtime.is_down = False
    runtime.calls = 0
    return table


def state(table, id_):
    return table.get_item(Key={"feedback_id": id_})["Item"]["state"]


def failures(event):
    return [failure["itemIdentifier"][-1] for failure in handle(event, FakeContext())["batchItemFailures"]]


def test_a_batch_is_decided_and_only_what_cannot_be_comes_again(accepted, load_event, runtime):
    assert failures(load_event("sqs_feedback")) == ["3", "4"]
    assert (state(accepted, "order-1001"), state(accepted, "order-1002")) == ("CLASSIFIED", "CLASSIFIED")
    assert runtime.calls == 1
    assert failures(load_event("sqs_feedback")) == ["3", "4"]
    assert runtime.calls == 1


def test_a_model_that_is_away_uses_up_no_receives_and_its_return_decides_all(accepted, load_event, runtime, queue_url):
    runtime.is_down = True
    assert failures(load_event("sqs_feedback")) == ["3", "4"], "the others were queued anew"
    deferred = boto3.client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=["All"])["Attributes"]
    assert int(deferred["ApproximateNumberOfMessagesDelayed"]) == 4, "two from intake, two from the router"
    runtime.is_down = False
    assert failures(load_event("sqs_feedback")) == ["3", "4"]
    assert (state(accepted, "order-1001"), state(accepted, "order-1002")) == ("CLASSIFIED", "CLASSIFIED")


def test_a_queue_that_is_away_too_gives_the_messages_back(accepted, load_event, runtime, queue_url):
    runtime.is_down = True
    boto3.client("sqs").delete_queue(QueueUrl=queue_url)
    assert failures(load_event("sqs_feedback")) == ["3", "1", "2", "4"]


def test_a_text_that_the_model_cannot_read_is_failed_with_the_reason(accepted, load_event):
    accepted.update_item(
        Key={"feedback_id": "order-1002"},
        UpdateExpression="SET event.#text = :text",
        ExpressionAttributeNames={"#text": "text"},
        ExpressionAttributeValues={":text": "unreadable"},
    )
    assert failures(load_event("sqs_feedback")) == ["3", "4"]
    item = accepted.get_item(Key={"feedback_id": "order-1002"})["Item"]
    assert (item["state"], item["failure"]) == ("FAILED", "empty_text: The text is empty.")
