"""The ledger's stream: translates its records into alerts to send."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from feedback.alert import AlertPolicy
from feedback.ledger import Entry, MalformedEntryError
from lambdas.alerts.alerting import Alerting, Result
from lambdas.alerts.settings import Settings
from lambdas.aws.clients import client
from lambdas.aws.ledger import Ledger
from lambdas.aws.stream import read_change
from lambdas.aws.topic import Topic
from lambdas.telemetry import LambdaContext, count, log_error

_LEASE_RESERVE = timedelta(seconds=1)


class AlertsUnsentError(RuntimeError):
    """Some alerts of the batch are still to be sent: the records are to come again."""


def handle(event: Mapping[str, Any], context: LambdaContext) -> None:
    """Send the alerts of one batch of records; AlertsUnsentError where some could not be, after all were tried."""
    entries: list[Entry] = []
    malformed = 0
    for record in event["Records"]:
        try:
            entry = read_change(record).decided_entry()
        except (MalformedEntryError, LookupError, TypeError, ValueError) as error:
            log_error("A record of the ledger's stream is malformed.", error, event_id=record.get("eventID"))
            malformed += 1
        else:
            if entry is not None and entry.alert_state is None:
                entries.append(entry)
    results = _alerting(context).alert(entries) if entries else []
    unsent = results.count(Result.UNSENT) + malformed
    count(context, AlertsSent=results.count(Result.SENT), AlertsUnsent=unsent)
    if unsent:
        raise AlertsUnsentError(f"{unsent} of {len(event['Records'])} records are to be tried again.")


def _alerting(context: LambdaContext) -> Alerting:
    now = datetime.now(UTC)
    return Alerting(
        policy=AlertPolicy(threshold=_settings().alert_threshold),
        ledger=_ledger(),
        topic=_topic(),
        feedback_url=_settings().feedback_url,
        owner=context.aws_request_id,
        lease_until=now + timedelta(milliseconds=context.get_remaining_time_in_millis()) + _LEASE_RESERVE,
        now=lambda: datetime.now(UTC),
    )


@cache
def _settings() -> Settings:
    return Settings.from_env()


@cache
def _ledger() -> Ledger:
    return Ledger(table=_settings().ledger_table, dynamodb=client("dynamodb", read_seconds=2.0))


@cache
def _topic() -> Topic:
    return Topic(arn=_settings().alert_topic_arn, sns=client("sns", read_seconds=5.0, attempts=1))
