"""The queue's messages: translates between SQS batches and the router. Needs ReportBatchItemFailures."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from lambdas.aws.clients import client
from lambdas.aws.endpoint import Endpoint
from lambdas.aws.ledger import Ledger
from lambdas.aws.queue import UnreadableMessageError, read_message
from lambdas.router.routing import Router
from lambdas.router.settings import Settings
from lambdas.telemetry import LambdaContext, count, log

_MODEL_SECONDS = 10.0
_RESERVE_SECONDS = 2.0


def handle(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Decide one batch and report the messages that are to come again."""
    feedback_of: dict[str, str] = {}  # message id -> feedback id
    unreadable: list[str] = []
    for record in event["Records"]:
        try:
            feedback_of[record["messageId"]] = read_message(record["body"])
        except UnreadableMessageError:
            log("ERROR", "A message names no feedback.", message_id=record["messageId"])
            unreadable.append(record["messageId"])
    tally = _router(context).route(list(feedback_of.values()))
    again = [message_id for message_id, feedback_id in feedback_of.items() if feedback_id in tally.again]
    count(
        context,
        Classified=tally.classified,
        Unsure=tally.unsure,
        Failed=tally.failed,
        Skipped=tally.skipped,
        Retried=len(again) + len(unreadable),
    )
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in unreadable + again]}


def _router(context: LambdaContext) -> Router:
    needed_ms = (_MODEL_SECONDS + _RESERVE_SECONDS) * 1000
    return Router(
        ledger=_ledger(),
        endpoint=_endpoint(),
        now=lambda: datetime.now(UTC),
        has_time=lambda: context.get_remaining_time_in_millis() > needed_ms,
    )


@cache
def _settings() -> Settings:
    return Settings.from_env()


@cache
def _ledger() -> Ledger:
    return Ledger(table=_settings().ledger_table, dynamodb=client("dynamodb", read_seconds=2.0))


@cache
def _endpoint() -> Endpoint:
    runtime = client("sagemaker-runtime", connect_seconds=1.0, read_seconds=_MODEL_SECONDS - 1.0, attempts=1)
    return Endpoint(name=_settings().endpoint_name, runtime=runtime, attempts=2)
