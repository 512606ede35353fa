"""The ledger's stream: translates its records into responses. Needs ReportBatchItemFailures."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from lambdas.aws.alert_wiring import policy_source
from lambdas.aws.bus import Bus
from lambdas.aws.clients import client
from lambdas.aws.desk import Desk
from lambdas.aws.policy_source import PolicySource
from lambdas.aws.response_audit import ResponseAudit
from lambdas.aws.response_record import ResponseRecord
from lambdas.aws.stream import decisions
from lambdas.respond.responding import Responding, Result
from lambdas.respond.settings import Settings
from lambdas.telemetry import LambdaContext, count


def handle(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Respond to one batch; the first record that is to come again, Lambda then sends with all after it."""
    responding: Responding | None = None
    results: Counter[Result] = Counter()
    again: list[str] = []
    for number, entry in decisions(event["Records"], malformed=again):
        responding = responding or _responding()
        result = responding.respond(entry)
        results[result] += 1
        if result is Result.AGAIN:
            again.append(number)
    count(context, ResponsesRaised=results[Result.RAISED], ResponsesNoted=results[Result.NOTED], Retried=len(again))
    return {"batchItemFailures": [{"itemIdentifier": number} for number in again[:1]]}


def _responding() -> Responding:
    return Responding(
        policy=_policy().load(),
        record=ResponseRecord(_desk()),
        audit=_audit(),
        bus=_bus(),
        now=lambda: datetime.now(UTC),
    )


@cache
def _settings() -> Settings:
    return Settings.from_env()


@cache
def _policy() -> PolicySource:
    return policy_source(parameter=_settings().alert_policy_parameter, desk_table=_settings().desk_table)


@cache
def _desk() -> Desk:
    return Desk(table=_settings().desk_table, dynamodb=client("dynamodb", read_seconds=2.0))


@cache
def _audit() -> ResponseAudit:
    return ResponseAudit(ledger_table=_settings().ledger_table, dynamodb=client("dynamodb", read_seconds=2.0))


@cache
def _bus() -> Bus:
    return Bus(name=_settings().response_bus, events=client("events", read_seconds=3.0))
