"""Dead letters and time ranges come back to work, and doing it twice changes nothing."""

import io
import json

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from cli.dead_letters import dead_letter_queues
from cli.errors import BadInput, Problem
from cli.redrive import letters, redrive_queue
from cli.replay import classify_again, effects_again, moment, queue_message
from lambdas.aws.attributes import to_item
from lambdas.aws.queue import read_message
from tests.unit.cli.fakes import connection

TIMES = {"first": "2026-03-01T00:00:00.000Z", "last": "2026-03-02T00:00:00.000Z"}


class Stacks:
    """Lists the intake stack's queues and functions."""

    def __init__(self, resources):
        self.resources = resources

    def list_stack_resources(self, *, StackName):  # noqa: N803 - boto3's names
        if not StackName.endswith("-intake"):
            error = {"Code": "ValidationError", "Message": f"Stack {StackName} does not exist"}
            raise ClientError({"Error": error}, "ListStackResources")
        names = ("ResourceType", "LogicalResourceId", "PhysicalResourceId")
        return {
            "StackResourceSummaries": [
                dict(zip(names, each, strict=True)) | {"ResourceStatus": "CREATE_COMPLETE"} for each in self.resources
            ]
        }


class Functions:
    """Remembers what each was called with; ``failing`` ones answer an error."""

    def __init__(self):
        self.called = {}
        self.failing = set()

    def get_function_configuration(self, *, FunctionName):  # noqa: N803 - boto3's names
        return {"Handler": f"lambdas.{FunctionName.removesuffix('-1')}.handler.handle"}

    def invoke(self, *, FunctionName, InvocationType, Payload):  # noqa: N803 - boto3's names
        if FunctionName in self.failing:
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(b'{"errorType": "KeyError"}')}
        records = json.loads(Payload)["Records"]
        ids = [record["dynamodb"]["NewImage"]["feedback_id"]["S"] for record in records]
        self.called.setdefault(FunctionName, []).extend(ids)
        return {"Payload": io.BytesIO(b"null")}


class WithoutMoves:
    """SQS as the local AWS has it: it cannot move messages by itself."""

    def __init__(self, sqs):
        self._sqs = sqs

    def __getattr__(self, name):
        return getattr(self._sqs, name)

    def start_message_move_task(self, **_):
        error = {"Code": "AWS.SimpleQueueService.UnsupportedOperation", "Message": ""}
        raise ClientError({"Error": error}, "StartMessageMoveTask")


class Stage:
    """A stage with one work queue, its dead letters, failed effects and a ledger."""

    def __init__(self):
        self.sqs, self.dynamodb, self.functions = boto3.client("sqs"), boto3.client("dynamodb"), Functions()
        self.dead = self.sqs.create_queue(QueueName="dead")["QueueUrl"]
        self.failed = self.sqs.create_queue(QueueName="failed")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": "5"})
        self.queue = self.sqs.create_queue(QueueName="work", Attributes={"RedrivePolicy": policy})["QueueUrl"]
        self.dynamodb.create_table(
            TableName="ledger",
            KeySchema=[{"AttributeName": "feedback_id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "feedback_id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        resources = [
            ("AWS::SQS::Queue", "Queue", self.queue),
            ("AWS::SQS::Queue", "QueueDeadLetters", self.dead),
            ("AWS::SQS::Queue", "FailedEffectsQueue", self.failed),
            ("AWS::Lambda::Function", "Archive", "archive-1"),
            ("AWS::Lambda::Function", "Intake", "intake-1"),
        ]
        clients = {
            "sqs": WithoutMoves(self.sqs),
            "dynamodb": self.dynamodb,
            "lambda": self.functions,
            "cloudformation": Stacks(resources),
        }
        self.connection = connection(clients, {"intake": {"Ledger": "ledger", "Queue": self.queue}})

    def put(self, id_, state, **more):
        item = {"feedback_id": id_, "state": state, "received_at": "2026-03-01T10:00:00.000Z", **more}
        self.dynamodb.put_item(TableName="ledger", Item=to_item(item))

    def state(self, id_):
        answer = self.dynamodb.get_item(TableName="ledger", Key={"feedback_id": {"S": id_}})
        return answer["Item"]["state"]["S"]

    def waiting(self, url):
        bodies = []
        while found := self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=60).get(
            "Messages"
        ):
            bodies += [message["Body"] for message in found]
        return bodies

    def redrive(self):
        return {queue.name: redrive_queue(self.connection, queue) for queue in dead_letter_queues(self.connection)}


@pytest.fixture
def stage(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield Stage()


def failed_batch(function):
    return json.dumps(
        {
            "requestContext": {
                "functionArn": f"arn:aws:lambda:us-east-1:000000000000:function:{function}",
                "condition": "RetryAttemptsExhausted",
                "approximateInvokeCount": 9,
            },
            "DDBStreamBatchInfo": {
                "batchSize": 2,
                "approximateArrivalOfFirstRecord": "2026-03-01T10:00:00Z",
                "approximateArrivalOfLastRecord": "2026-03-01T10:00:01Z",
            },
        }
    )


def test_dead_letters_go_back_to_the_queue_they_came_from(stage):
    for number in range(23):
        stage.sqs.send_message(QueueUrl=stage.dead, MessageBody=queue_message(f"f-{number}"))
    done = stage.redrive()["dead"]
    assert (done.moved, done.left) == (23, 0)
    assert {read_message(body).feedback_id for body in stage.waiting(stage.queue)} == {
        f"f-{number}" for number in range(23)
    }
    assert stage.redrive()["dead"].moved == 0


def test_what_failed_on_the_stream_is_done_again_from_the_ledger(stage):
    stage.put("f-1", "CLASSIFIED", decided_at="2026-03-01T10:00:00.500Z")
    stage.put("f-2", "CLASSIFIED", decided_at="2026-03-01T12:00:00.000Z")
    stage.sqs.send_message(QueueUrl=stage.failed, MessageBody=failed_batch("archive-1"))
    done = stage.redrive()["failed"]
    assert (done.moved, done.left) == (1, 0)
    assert stage.functions.called == {"archive-1": ["f-1"]}
    assert stage.waiting(stage.failed) == []


def test_a_function_that_fails_again_keeps_its_dead_letter_and_no_other(stage):
    stage.put("f-1", "CLASSIFIED", decided_at="2026-03-01T10:00:00.500Z")
    stage.functions.failing.add("archive-1")
    stage.sqs.send_message(QueueUrl=stage.failed, MessageBody=failed_batch("archive-1"))
    stage.sqs.send_message(QueueUrl=stage.dead, MessageBody=queue_message("f-9"))
    done = stage.redrive()
    assert (done["failed"].moved, done["failed"].left) == (0, 1)
    assert done["dead"].moved == 1


def test_the_list_says_of_each_why_it_is_dead_and_takes_none_away(stage):
    stage.put("f-1", "FAILED", failure="empty_text: The text is empty.")
    stage.put("f-2", "RECEIVED")
    for id_ in ("f-1", "f-2"):
        stage.sqs.send_message(QueueUrl=stage.dead, MessageBody=queue_message(id_))
    said = {"reason": {"DataType": "String", "StringValue": "The model refused it."}}
    stage.sqs.send_message(QueueUrl=stage.dead, MessageBody=queue_message("f-3"), MessageAttributes=said)
    stage.sqs.send_message(QueueUrl=stage.failed, MessageBody=failed_batch("archive-1"))
    stage.sqs.send_message(QueueUrl=stage.failed, MessageBody="{")
    reasons = {each.about: each.reason for each in letters(stage.connection, dead_letter_queues(stage.connection))}
    assert reasons["f-1"] == "empty_text: The text is empty."
    assert reasons["f-3"] == "The model refused it."
    assert "as often as the queue allows" in reasons["f-2"]
    assert "9 times on 2 records" in reasons["archive-1"]
    assert len(stage.waiting(stage.dead)) == 3


def test_what_waits_and_what_failed_is_classified_again(stage):
    stage.put("waits", "RECEIVED")
    stage.put("failed", "FAILED", failure="x", decided_at="2026-03-01T10:00:01.000Z")
    stage.put("done", "CLASSIFIED")
    stage.put("later", "RECEIVED", received_at="2026-04-01T10:00:00.000Z")
    assert classify_again(stage.connection, **TIMES) == {"queued": 2, "of these failed before": 1, "decided already": 1}
    assert stage.state("failed") == "RECEIVED"
    assert classify_again(stage.connection, **TIMES)["of these failed before"] == 0
    assert {read_message(body).feedback_id for body in stage.waiting(stage.queue)} == {"waits", "failed"}


def test_effects_are_done_again_for_all_that_is_decided(stage):
    stage.put("waits", "RECEIVED")
    stage.put("done", "CLASSIFIED")
    assert effects_again(stage.connection, "archive", **TIMES) == {"archive": 1}
    assert stage.functions.called == {"archive-1": ["done"]}


def test_an_effect_that_is_not_deployed_is_named(stage):
    with pytest.raises(BadInput, match="'trends'"):
        effects_again(stage.connection, "trends", **TIMES)


def test_a_failing_function_is_a_problem(stage):
    stage.put("done", "CLASSIFIED")
    stage.functions.failing.add("archive-1")
    with pytest.raises(Problem, match="KeyError"):
        effects_again(stage.connection, "archive", **TIMES)


def test_days_and_times_are_read_as_utc():
    assert moment("2026-03-01") == "2026-03-01T00:00:00.000Z"
    assert moment("2026-03-01T10:00:00+02:00") == "2026-03-01T08:00:00.000Z"
    with pytest.raises(BadInput):
        moment("yesterday")
