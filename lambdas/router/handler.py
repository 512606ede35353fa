"""The queue's messages: translates between SQS batches and the router. Needs ReportBatchItemFailures.

A feedback whose turn has not come because the model is away is queued anew with a delay, and its message is done with:
so an outage of any length uses up no receives. Lambda takes that for a loop and would end it after some 16 rounds, so
the function needs ``RecursiveLoop: Allow``.
"""

from collections.abc import Iterable, Mapping, Set
from datetime import UTC, datetime
from functools import cache
from typing import Any

from lambdas.aws.breaker import GuardedEndpoint, SharedBreaker
from lambdas.aws.clients import client
from lambdas.aws.desk import Desk
from lambdas.aws.endpoint import Endpoint
from lambdas.aws.ledger import Ledger
from lambdas.aws.queue import Message, Queue, UnreadableMessageError, read_message
from lambdas.aws.translate import Translator
from lambdas.router.routing import Router
from lambdas.router.settings import Settings
from lambdas.telemetry import LambdaContext, count, log

_MODEL_SECONDS = 10.0
_RESERVE_SECONDS = 2.0


def handle(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Decide one batch and report the messages that are to come again."""
    messages: dict[str, Message] = {}  # by the id that SQS gave them
    unreadable: list[str] = []
    for record in event["Records"]:
        try:
            messages[record["messageId"]] = read_message(record["body"])
        except UnreadableMessageError:
            log("ERROR", "A message names no feedback.", message_id=record["messageId"])
            unreadable.append(record["messageId"])
    tally = _router(context).route([message.feedback_id for message in messages.values()])
    deferred = _defer(messages.values(), tally.deferred)
    left = tally.again | (tally.deferred - deferred)
    again = [message_id for message_id, message in messages.items() if message.feedback_id in left]
    count(
        context,
        Classified=tally.classified,
        Unsure=tally.unsure,
        Failed=tally.failed,
        Skipped=tally.skipped,
        Deferred=len(deferred),
        Retried=len(again) + len(unreadable),
    )
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in unreadable + again]}


def _defer(messages: Iterable[Message], feedback_ids: Set[str]) -> Set[str]:
    """Queue these anew, once each; those that could be. The old messages are then done with."""
    put_off = {message.feedback_id: message for message in messages if message.feedback_id in feedback_ids}
    if not put_off:
        return set()
    rounds = max(message.deferrals for message in put_off.values())
    log("WARNING", "Feedback is put off until the model answers.", feedbacks=len(put_off), rounds_before=rounds)
    return _queue().defer(list(put_off.values()))


def _router(context: LambdaContext) -> Router:
    settings = _settings()
    needed_ms = (_MODEL_SECONDS + _RESERVE_SECONDS) * 1000
    return Router(
        ledger=_ledger(),
        endpoint=GuardedEndpoint(endpoint=_endpoint(), breaker=_breaker()),
        now=_now,
        languages=settings.languages.split(","),
        translator=_translator() if settings.translate == "on" else None,
        has_time=lambda: context.get_remaining_time_in_millis() > needed_ms,
    )


def _now() -> datetime:
    return datetime.now(UTC)


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


@cache
def _breaker() -> SharedBreaker:
    dynamodb = client("dynamodb", connect_seconds=0.5, read_seconds=1.0, attempts=1)
    return SharedBreaker(desk=Desk(table=_settings().desk_table, dynamodb=dynamodb), now=_now)


@cache
def _queue() -> Queue:
    return Queue(url=_settings().queue_url, sqs=client("sqs", read_seconds=2.0))


@cache
def _translator() -> Translator:
    return Translator(translate=client("translate", read_seconds=5.0, attempts=2))
