"""The alert queue's messages: translates between SQS batches and deliveries. Needs ReportBatchItemFailures."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from feedback.alerting.messages import UnreadableAlertError, read_message
from lambdas.aws.agenda import Agenda
from lambdas.aws.alert_deliveries import AlertDeliveries, Owner
from lambdas.aws.alert_place import AlertPlace
from lambdas.aws.alert_queue import AlertQueue
from lambdas.aws.alert_record import AlertRecord
from lambdas.aws.alert_wiring import alert_place, policy_source
from lambdas.aws.clients import client
from lambdas.aws.ledger import Ledger
from lambdas.aws.policy_source import PolicySource
from lambdas.aws.secret import Secrets
from lambdas.aws.telling_words import TellingWords
from lambdas.aws.topic import Topic
from lambdas.aws.webhook import Webhook
from lambdas.notify.composing import Composing
from lambdas.notify.delivering import Delivering, Result
from lambdas.notify.destinations import Destinations
from lambdas.notify.product_alerts import ProductAlerts
from lambdas.notify.settings import Settings
from lambdas.telemetry import LambdaContext, count, log

_MARGIN_SECONDS = 5
_RESERVE_MILLISECONDS = 15_000
"""One delivery at its slowest: then the rest of the batch is left for later rather than cut off in the middle."""


def handle(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Deliver one batch and report the messages that are to come again."""
    delivering, queue = _delivering(), _queue()
    lifetime_seconds = context.get_remaining_time_in_millis() // 1000 + _MARGIN_SECONDS
    queue.hold([record["receiptHandle"] for record in event["Records"]], seconds=lifetime_seconds)
    again: list[str] = []
    sent = 0
    for record in event["Records"]:
        receives = int(record.get("attributes", {}).get("ApproximateReceiveCount", "1"))
        if context.get_remaining_time_in_millis() < _RESERVE_MILLISECONDS:
            again.append(record["messageId"])
            continue
        try:
            message = read_message(record["body"])
        except UnreadableAlertError:
            # After its receives it is a dead letter, where a person sees it.
            log("ERROR", "A message names no alert.", message_id=record["messageId"])
            again.append(record["messageId"])
            continue
        results = delivering.deliver(message, Owner(message_id=record["messageId"], receives=receives))
        sent += results.count(Result.SENT)
        if Result.AGAIN in results:
            queue.postpone(record["receiptHandle"], receives=receives)
            again.append(record["messageId"])
    count(context, AlertsSent=sent, AlertsUndelivered=len(again))
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in again]}


def _delivering() -> Delivering:
    policy, record = _policy().load(), AlertRecord(_place())
    return Delivering(
        policy=policy,
        record=record,
        deliveries=AlertDeliveries(_place()),
        products=ProductAlerts(policy=policy, record=record, agenda=_agenda(), now=_now),
        composing=Composing(
            policy=policy, ledger=_ledger(), record=record, words=_words(), feedback_url=_settings().feedback_url
        ),
        destinations=_destinations(),
        now=_now,
    )


def _now() -> datetime:
    return datetime.now(UTC)


@cache
def _settings() -> Settings:
    return Settings.from_env()


@cache
def _policy() -> PolicySource:
    return policy_source(parameter=_settings().alert_policy_parameter, desk_table=_settings().desk_table)


@cache
def _place() -> AlertPlace:
    return alert_place(ledger_table=_settings().ledger_table, desk_table=_settings().desk_table)


@cache
def _agenda() -> Agenda:
    return Agenda(table=_settings().desk_table, dynamodb=client("dynamodb", read_seconds=2.0))


@cache
def _ledger() -> Ledger:
    return Ledger(table=_settings().ledger_table, dynamodb=client("dynamodb", read_seconds=2.0))


@cache
def _queue() -> AlertQueue:
    return AlertQueue(url=_settings().alert_queue_url, sqs=client("sqs", read_seconds=3.0))


@cache
def _words() -> TellingWords:
    runtime = client("sagemaker-runtime", connect_seconds=0.5, read_seconds=2.0, attempts=1)
    return TellingWords(endpoint=_settings().endpoint_name, runtime=runtime)


@cache
def _destinations() -> Destinations:
    return Destinations(
        topic=Topic(arn=_settings().alert_topic_arn, sns=client("sns", read_seconds=5.0, attempts=1)),
        webhook=Webhook(),
        secrets=Secrets(
            prefix=_settings().webhook_secret_prefix, secretsmanager=client("secretsmanager", read_seconds=3.0)
        ),
    )
