"""The ledger's stream: translates its records into alerts. Needs ReportBatchItemFailures."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from lambdas.alerts.alerting import Alerting, Result
from lambdas.alerts.settings import Settings
from lambdas.aws.alert_place import AlertPlace
from lambdas.aws.alert_queue import AlertQueue
from lambdas.aws.alert_record import AlertRecord
from lambdas.aws.alert_wiring import alert_place, policy_source
from lambdas.aws.clients import client
from lambdas.aws.policy_source import PolicySource
from lambdas.aws.snoozes import Snoozes
from lambdas.aws.stream import decisions
from lambdas.telemetry import LambdaContext, count


def handle(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Begin the alerts of one batch; the first record that is to come again, Lambda then sends with all after it."""
    alerting: Alerting | None = None
    results: Counter[Result] = Counter()
    again: list[str] = []
    for number, entry in decisions(event["Records"], malformed=again):
        alerting = alerting or _alerting()
        result = alerting.alert(entry)
        results[result] += 1
        if result is Result.AGAIN:
            again.append(number)
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
    return policy_source(parameter=_settings().alert_policy_parameter, desk_table=_settings().desk_table)


@cache
def _place() -> AlertPlace:
    return alert_place(ledger_table=_settings().ledger_table, desk_table=_settings().desk_table)


@cache
def _queue() -> AlertQueue:
    return AlertQueue(url=_settings().alert_queue_url, sqs=client("sqs", read_seconds=3.0))
