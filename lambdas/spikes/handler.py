"""The schedule: looks at all products and says what it came to."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from lambdas.aws.alert_queue import AlertQueue
from lambdas.aws.clients import client
from lambdas.aws.counters import Counters
from lambdas.aws.desk import Desk
from lambdas.aws.ledger import Ledger
from lambdas.spikes.explaining import Explaining
from lambdas.spikes.records import Records
from lambdas.spikes.settings import Settings
from lambdas.spikes.watching import Watching
from lambdas.telemetry import LambdaContext, count


class SpikesUntoldError(RuntimeError):
    """Some spikes could not be queued: the next look tells them."""


def handle(event: Mapping[str, Any], context: LambdaContext) -> None:
    """Look once; SpikesUntoldError where somebody is still to be told."""
    tally = _watching().look()
    count(
        context,
        ProductsWatched=tally.products,
        SpikesOpened=tally.opened,
        SpikesClosed=tally.closed,
        SpikesTold=tally.told,
        SpikesUntold=tally.untold,
    )
    if tally.untold:
        raise SpikesUntoldError(f"{tally.untold} spikes are still to be told.")


@cache
def _settings() -> Settings:
    return Settings.from_env()


@cache
def _watching() -> Watching:
    dynamodb = client("dynamodb", read_seconds=5.0)
    settings = _settings()
    desk = Desk(table=settings.desk_table, dynamodb=dynamodb)
    counters = Counters(desk=desk)
    ledger = Ledger(table=settings.ledger_table, dynamodb=dynamodb)
    return Watching(
        counters=counters,
        records=Records(desk=desk),
        explaining=Explaining(counters=counters, ledger=ledger),
        alerts=AlertQueue(url=settings.alert_queue_url, sqs=client("sqs")),
        now=lambda: datetime.now(UTC),
    )
