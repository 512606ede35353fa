"""Called each minute: does what is due by now."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from lambdas.aws.agenda import Agenda
from lambdas.aws.alert_place import AlertPlace
from lambdas.aws.alert_queue import AlertQueue
from lambdas.aws.alert_record import AlertRecord
from lambdas.aws.alert_wiring import alert_place, policy_source
from lambdas.aws.clients import client
from lambdas.aws.policy_source import PolicySource
from lambdas.duty.settings import Settings
from lambdas.duty.watch import Result, Watch
from lambdas.telemetry import LambdaContext, count

_RESERVE_MILLISECONDS = 15_000


class TasksLeftError(RuntimeError):
    """Some tasks could not be done; they stay on the agenda, and the next minute tries again."""


def handle(event: Mapping[str, Any], context: LambdaContext) -> dict[str, int]:
    """Do what is due; TasksLeftError where some of it could not be done."""
    results = _watch(context).work()
    left = results.count(Result.AGAIN)
    count(context, TasksDone=results.count(Result.DONE), TasksLeft=left)
    if left:
        raise TasksLeftError(f"{left} of {len(results)} tasks are left for the next minute.")
    return {"done": results.count(Result.DONE), "not_needed": results.count(Result.NOT_NEEDED)}


def _watch(context: LambdaContext) -> Watch:
    return Watch(
        policy=_policy().load(),
        record=AlertRecord(_place()),
        agenda=_agenda(),
        queue=_queue(),
        now=lambda: datetime.now(UTC),
        has_time=lambda: context.get_remaining_time_in_millis() > _RESERVE_MILLISECONDS,
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
def _agenda() -> Agenda:
    return Agenda(table=_settings().desk_table, dynamodb=client("dynamodb", read_seconds=2.0))


@cache
def _queue() -> AlertQueue:
    return AlertQueue(url=_settings().alert_queue_url, sqs=client("sqs", read_seconds=3.0))
