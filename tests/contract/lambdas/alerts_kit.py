"""The alerts' side of one account, as moto keeps it: tables, queue, topic with an inbox, and a clock to turn."""

import io
import json
from datetime import timedelta

import boto3

from feedback.alerting.messages import read_message
from feedback.alerting.policy import Policy
from lambdas.alerts.alerting import Alerting
from lambdas.aws.agenda import Agenda
from lambdas.aws.alert_actions import AlertActions
from lambdas.aws.alert_deliveries import AlertDeliveries, Owner
from lambdas.aws.alert_place import AlertPlace
from lambdas.aws.alert_queue import AlertQueue
from lambdas.aws.alert_record import AlertRecord
from lambdas.aws.attributes import to_item
from lambdas.aws.ledger import Ledger
from lambdas.aws.secret import Secrets
from lambdas.aws.snoozes import Snoozes
from lambdas.aws.telling_words import TellingWords
from lambdas.aws.topic import Topic
from lambdas.duty.watch import Watch
from lambdas.notify.composing import Composing
from lambdas.notify.delivering import Delivering
from lambdas.notify.destinations import Destinations
from lambdas.notify.product_alerts import ProductAlerts
from tests.unit.lambdas.fakes import NOW


class FakeWebhook:
    """Remembers what was posted; ``is_down`` refuses."""

    def __init__(self):
        self.posted = []
        self.is_down = None

    def post(self, address, document, *, delivery):
        if self.is_down is not None:
            raise self.is_down
        self.posted.append((address, document, delivery))


class FakeModel:
    """Explains every text by the same words."""

    def invoke_endpoint(self, *, EndpointName, ContentType, Accept, Body):  # noqa: N803 - boto3's names
        line = json.loads(Body)
        assert line["explain"] is True
        explanation = [{"word": "zip", "weight": 0.4}, {"word": "broke", "weight": 0.2}]
        return {"Body": io.BytesIO(json.dumps({"id": line["id"], "explanation": explanation}).encode())}


class World:
    """Everything between a decision and those who hear of it."""

    def __init__(self, policy):
        self.policy = Policy.parse(json.dumps(policy))
        self.clock = NOW
        self.dynamodb = boto3.client("dynamodb")
        self.sqs = boto3.client("sqs")
        for name, keys in (("ledger", ["feedback_id"]), ("desk", ["pk", "sk"])):
            self.dynamodb.create_table(
                TableName=name,
                KeySchema=[
                    {"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
                ],
                AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
                BillingMode="PAY_PER_REQUEST",
            )
        self.queue_url = self.sqs.create_queue(QueueName="alerts")["QueueUrl"]
        sns = boto3.client("sns")
        self.topic_arn = sns.create_topic(Name="alerts")["TopicArn"]
        self.inbox_url = self.sqs.create_queue(QueueName="inbox")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.inbox_url, AttributeNames=["QueueArn"])
        sns.subscribe(TopicArn=self.topic_arn, Protocol="sqs", Endpoint=arn["Attributes"]["QueueArn"])
        self.webhook = FakeWebhook()
        self.place = AlertPlace(ledger_table="ledger", desk_table="desk", dynamodb=self.dynamodb, sleep=lambda _: None)
        self.record = AlertRecord(self.place)
        self.deliveries = AlertDeliveries(self.place)
        self.agenda = Agenda(table="desk", dynamodb=self.dynamodb)
        self.queue = AlertQueue(url=self.queue_url, sqs=self.sqs)
        self.actions = AlertActions(ledger_table="ledger", desk_table="desk", dynamodb=self.dynamodb)
        self.pauses = []

    def store(self, entry):
        self.dynamodb.put_item(TableName="ledger", Item=to_item(entry.to_document()))
        return entry

    def alerting(self):
        return Alerting(
            policy=self.policy,
            record=self.record,
            queue=self.queue,
            snoozes=Snoozes(self.place),
            now=lambda: self.clock,
        )

    def decide(self, entry):
        return self.alerting().alert(self.store(entry))

    def delivering(self, **changes):
        composing = Composing(
            policy=self.policy,
            ledger=Ledger(table="ledger", dynamodb=self.dynamodb),
            record=self.record,
            words=TellingWords(endpoint="sentiment", runtime=FakeModel()),
            feedback_url="https://api.example/v1/feedback/",
        )
        destinations = Destinations(
            topic=Topic(arn=self.topic_arn, sns=boto3.client("sns")),
            webhook=self.webhook,
            secrets=Secrets(prefix="earshot/test/alerts/", secretsmanager=boto3.client("secretsmanager")),
        )
        parts = {
            "policy": self.policy,
            "record": self.record,
            "deliveries": self.deliveries,
            "products": ProductAlerts(
                policy=self.policy, record=self.record, agenda=self.agenda, now=lambda: self.clock
            ),
            "composing": composing,
            "destinations": destinations,
            "now": lambda: self.clock,
            "pause": self.pauses.append,
        }
        return Delivering(**{**parts, **changes})

    def duty(self, *, later=timedelta()):
        self.clock += later
        watch = Watch(
            policy=self.policy, record=self.record, agenda=self.agenda, queue=self.queue, now=lambda: self.clock
        )
        return watch.work()

    def queued(self):
        """The messages in the queue, taken out."""
        return [read_message(message["Body"]) for message in self._drain(self.queue_url)]

    def deliver_all(self):
        """Receive each message once; the results in order. What failed is lost, as tests queue it again."""
        return [
            result
            for message in self._drain(self.queue_url)
            for result in self.delivering().deliver(
                read_message(message["Body"]), Owner(message_id=message["MessageId"], receives=1)
            )
        ]

    def inbox(self):
        """What arrived over the topic, taken out."""
        return [json.loads(message["Body"]) for message in self._drain(self.inbox_url)]

    def alert_of(self, feedback_id):
        item = self.dynamodb.get_item(TableName="ledger", Key={"feedback_id": {"S": feedback_id}})["Item"]
        return {name: value["S"] for name, value in item["alert"]["M"].items() if "S" in value}

    def _drain(self, url):
        found = []
        while messages := self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(message)
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return found


def policy(**changes):
    """A small policy: one team over the topic, everything negative."""
    document = {
        "version": 1,
        "destinations": {"everyone": {"kind": "topic"}, "chat": {"kind": "slack", "secret": "chat"}},
        "teams": {"care": {"destinations": ["everyone"]}},
        "storm": {"window_minutes": 15, "alone": {"low": 3}},
        "rules": [{"name": "negative", "severity": "low", "team": "care", "advice": "Answer within two days."}],
        "products": {"severity": "high", "team": "care", "advice": "Read the examples."},
    }
    return {**document, **changes}
