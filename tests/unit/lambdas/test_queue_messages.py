import json

import boto3
import pytest
from moto import mock_aws

from lambdas.aws.queue import Message, Queue, UnreadableMessageError, read_message, write_message


def test_a_message_carries_the_id_and_nothing_that_was_said():
    message = Message(feedback_id="shop:42")
    assert json.loads(write_message(message)) == {"version": 1, "feedback_id": "shop:42"}
    assert read_message(write_message(message)) == message


def test_a_message_that_was_put_off_counts_how_often():
    message = Message(feedback_id="shop:42").deferred().deferred()
    assert (message.deferrals, read_message(write_message(message))) == (2, message)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"feedback_id": 7}',
        '{"feedback_id": ""}',
        "[" * 100_000,
        '{"feedback_id": "a", "deferrals": "many"}',
        '{"feedback_id": "a", "deferrals": -1}',
        '{"feedback_id": "a", "deferrals": true}',
    ],
)
def test_a_message_that_keeps_no_contract_is_unreadable(body):
    with pytest.raises(UnreadableMessageError):
        read_message(body)


class RecordingSqs:
    def __init__(self):
        self.entries = []

    def send_message_batch(self, *, QueueUrl, Entries):  # noqa: N803 - boto3's names
        self.entries += Entries
        return {"Successful": [{"Id": entry["Id"]} for entry in Entries if entry["Id"] != "3"], "Failed": [{"Id": "3"}]}


def test_messages_are_put_off_by_half_a_minute_to_two_each_by_its_own():
    for luck, seconds in ((0.0, 30), (0.5, 75), (0.999, 119)):
        sqs = RecordingSqs()
        queue = Queue(url="q", sqs=sqs, luck=lambda luck=luck: luck)
        queued = queue.defer([Message(feedback_id=str(number)) for number in range(12)])
        assert {entry["DelaySeconds"] for entry in sqs.entries} == {seconds}
        assert queued == {str(number) for number in range(12)} - {"3"}, "SQS answers 200 with failed entries inside"
        assert {json.loads(entry["MessageBody"])["deferrals"] for entry in sqs.entries} == {1}


def test_a_queue_that_is_away_queues_nothing_and_raises_nothing(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        sqs = boto3.client("sqs", region_name="us-east-1")
        queue = Queue(url="https://sqs.us-east-1.amazonaws.com/000000000000/gone", sqs=sqs)
        assert queue.send(["a"]) == set()
        assert queue.defer([Message(feedback_id="a")]) == set()
