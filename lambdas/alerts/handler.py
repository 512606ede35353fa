"""The ledger's stream: translates its records into alerts. Needs ReportBatchItemFailures."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from feedback.ledger import MalformedEntryError
from lambdas.alerts.alerting import Alerting, Result
from lambdas.alerts.settings import Settings
from lambdas.aws.alert_place import AlertPlace
from lambdas.aws.alert_queue import AlertQueue
from lambdas.aws.alert_record import AlertRecord
from lambdas.aws.clients import client
from lambdas.aws.policy_source import PolicySource
from lambdas.aws.snoozes import Snoozes
from lambdas.aws.stream import read_change
from lambdas.telemetry import LambdaContext, count, log_error


def handle(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Begin the alerts of one batch; the first record that is to come again, Lambda then sends with all after it."""
    alerting: Alerting | None = None
    results: Counter[Result] = Counter()
    again: list[str] = []
    for record in event["Records"]:
        try:
            entry = read_change(record).decided_entry()
        except (MalformedEntryError, LookupError, TypeError, ValueError) as error:
            log_error("A record of the ledger's stream is malformed.", error, event_id=record.get("eventID"))
            again.append(record["dynamodb"]["SequenceNumber"])
            continue
        if entry is None:
            continue
        alerting = alerting or _alerting()
        result = alerting.alert(entry)
        results[result] += 1
        if result is Result.AGAIN:
            again.append(record["dynamodb"]["SequenceNumber"])
    count(
        context,
        AlertsQueued=results[Result.QUEUED],
        AlertsHeld=results[Result.HELD],
        AlertsDigested=results[Result.DIGESTED],
        AlertsUnsent=len(again),
    )
    return {"batchItemFailures": [{"itemIdentifier": number} for number in again[:1]]}


def _alerting() -> Alerting:
    return Alerting(
        policy=_policy().load(),
        record=AlertRecord(_place()),
        queue=_queue(),
        snoozes=Snoozes(_place()),
        now=lambda: datetime.now(UTC),
    )


@cache
def _settings() -> Settings:
    return Settings.from_env()


@cache
def _policy() -> PolicySource:
    return PolicySource(
        parameter=_settings().alert_policy_parameter,
        ssm=client("ssm", read_seconds=2.0),
        desk_table=_settings().desk_table,
        dynamodb=client("dynamodb", read_seconds=2.0),
    )


@cache
def _place() -> AlertPlace:
    return AlertPlace(
        ledger_table=_settings().ledger_table,
        desk_table=_settings().desk_table,
        dynamodb=client("dynamodb", read_seconds=2.0),
    )


@cache
def _queue() -> AlertQueue:
    return AlertQueue(url=_settings().alert_queue_url, sqs=client("sqs", read_seconds=3.0))
