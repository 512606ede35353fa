"""The ledger's stream: translates its records into feedback to be counted."""

import random
import time
from collections.abc import Mapping
from functools import cache
from typing import Any

from lambdas.aws.clients import client
from lambdas.aws.ledger import Ledger
from lambdas.aws.stream import decisions
from lambdas.telemetry import LambdaContext, count
from lambdas.trends.counters import Counters
from lambdas.trends.counting import Counting
from lambdas.trends.settings import Settings

_PAUSE_SECONDS = 0.05


class FeedbackUncountedError(RuntimeError):
    """Some feedback of the batch is still to be counted: the records are to come again."""


def handle(event: Mapping[str, Any], context: LambdaContext) -> None:
    """Count one batch of records; FeedbackUncountedError where some could not be, after all were tried."""
    malformed: list[str] = []
    decided = {entry.event.id for _, entry in decisions(event["Records"], malformed=malformed)}
    tally = _counting().count(decided)
    uncounted = len(tally.again) + len(malformed)
    count(context, Counted=tally.moved, Settled=tally.settled, Uncounted=uncounted)
    if uncounted:
        raise FeedbackUncountedError(f"{uncounted} of {len(event['Records'])} records are to be tried again.")


def _pause(attempts: int) -> None:
    """Longer each time, and not as long as whoever writes the same counters at this moment waits."""
    time.sleep(random.uniform(0.5, 1.5) * _PAUSE_SECONDS * 2**attempts)  # noqa: S311 - no secret


@cache
def _settings() -> Settings:
    return Settings.from_env()


@cache
def _counting() -> Counting:
    dynamodb = client("dynamodb", read_seconds=5.0)
    settings = _settings()
    return Counting(
        ledger=Ledger(table=settings.ledger_table, dynamodb=dynamodb),
        counters=Counters(ledger_table=settings.ledger_table, desk_table=settings.desk_table, dynamodb=dynamodb),
        pause=_pause,
    )
