"""The services of one account, as moto keeps them, and the events that Lambda would hand over."""

import copy
import json
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from lambdas.alerts import handler as alerts
from lambdas.archive import handler as archive
from lambdas.aws import clients
from lambdas.aws.endpoint import Endpoint
from lambdas.canary import handler as canary
from lambdas.duty import handler as duty
from lambdas.gate import handler as gate
from lambdas.intake import handler as intake
from lambdas.notify import handler as notify
from lambdas.register import handler as register
from lambdas.release import handler as release
from lambdas.respond import handler as respond
from lambdas.response_example import handler as response_example
from lambdas.router import handler as router
from tests.contract.lambdas.runtime import FakeRuntime

EVENTS = Path(__file__).resolve().parents[2] / "events"


@pytest.fixture
def load_event():
    def load(name):
        return copy.deepcopy(json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8")))

    return load


@pytest.fixture
def aws(monkeypatch):
    """moto, empty, with nothing cached from another test."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    _forget()
    with mock_aws():
        yield
    _forget()


def _forget():
    clients.client.cache_clear()
    of_alerts = (duty, notify, respond, response_example)
    for module in (*of_alerts, alerts, archive, canary, gate, intake, register, release, router):
        for value in vars(module).values():
            if hasattr(value, "cache_clear"):
                value.cache_clear()


@pytest.fixture
def table(aws, monkeypatch):
    boto3.client("dynamodb").create_table(
        TableName="ledger",
        KeySchema=[{"AttributeName": "feedback_id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "feedback_id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    monkeypatch.setenv("LEDGER_TABLE", "ledger")
    return boto3.resource("dynamodb").Table("ledger")


@pytest.fixture
def queue_url(aws, monkeypatch):
    url = boto3.client("sqs").create_queue(QueueName="feedback")["QueueUrl"]
    monkeypatch.setenv("QUEUE_URL", url)
    return url


@pytest.fixture
def bucket(aws, monkeypatch):
    boto3.client("s3").create_bucket(Bucket="lake")
    monkeypatch.setenv("LAKE_BUCKET", "lake")
    return boto3.resource("s3").Bucket("lake")


@pytest.fixture
def inbox_url(aws, monkeypatch):
    """A queue behind the alert topic."""
    sns, sqs = boto3.client("sns"), boto3.client("sqs")
    topic = sns.create_topic(Name="alerts")["TopicArn"]
    url = sqs.create_queue(QueueName="inbox")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    monkeypatch.setenv("ALERT_TOPIC_ARN", topic)
    return url


@pytest.fixture
def runtime(aws, monkeypatch):
    """The endpoint's runtime, of which moto has none that answers as ours does, and what intake and router need."""
    for name, keys in {"originals": ["feedback_id"], "desk": ["pk", "sk"]}.items():
        boto3.client("dynamodb").create_table(
            TableName=name,
            KeySchema=[
                {"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
            ],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
            BillingMode="PAY_PER_REQUEST",
        )
    environment = {
        "ENDPOINT_NAME": "sentiment",
        "CLASSIFY_BUDGET_SECONDS": "2",
        "ORIGINALS_TABLE": "originals",
        "ORIGINAL_DAYS": "30",
        "DESK_TABLE": "desk",
        "LANGUAGES": "en",
        "TRANSLATE": "off",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    fake = FakeRuntime()
    for module in (intake, router):
        monkeypatch.setattr(module, "_endpoint", lambda: Endpoint(name="sentiment", runtime=fake))
    return fake
