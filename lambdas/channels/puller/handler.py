"""The schedule's call: reads which sources there are and pulls them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from lambdas.aws.clients import client
from lambdas.aws.desk import Desk
from lambdas.aws.parameter import read_parameter
from lambdas.channels.accepting import delivery
from lambdas.channels.puller.declaring import read_sources
from lambdas.channels.puller.fetching import Fetcher
from lambdas.channels.puller.pulling import Puller
from lambdas.channels.puller.settings import Settings
from lambdas.telemetry import LambdaContext, count, log

_FETCH_SECONDS = 15.0
_RESERVE_SECONDS = 15.0  # for delivering a page after it was fetched


def handle(event: Mapping[str, Any], context: LambdaContext) -> None:
    """Pull what is new. Raises where no source can be: nothing is accepted now, or the list of sources is broken."""
    text = read_parameter(_settings().sources_parameter, ssm=client("ssm", read_seconds=2.0))
    sources, complaints = read_sources(text, fetcher=Fetcher(seconds=_FETCH_SECONDS))
    for complaint in complaints:
        log("ERROR", "A source is declared wrongly.", reason=complaint)
    tally = _puller(context).run(sources)
    count(
        context,
        Accepted=tally.accepted,
        Replayed=tally.replayed,
        Refused=tally.refused,
        Ignored=tally.silent,
        Failed=tally.failed + len(complaints),
        PutOff=tally.put_off,
    )


def _puller(context: LambdaContext) -> Puller:
    needed_ms = (_FETCH_SECONDS + _RESERVE_SECONDS) * 1000
    return Puller(
        memory=_desk(),
        deliver=delivery(_settings()).deliver,
        now=lambda: datetime.now(UTC),
        has_time=lambda: context.get_remaining_time_in_millis() > needed_ms,
    )


@cache
def _settings() -> Settings:
    return Settings.from_env()


@cache
def _desk() -> Desk:
    return Desk(table=_settings().desk_table, dynamodb=client("dynamodb", read_seconds=2.0))
