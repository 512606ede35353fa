"""`earshot trends`: how much feedback there was and how much of it was negative, by day, from the counters.

Responsible for what a user asks for and is shown. It does not know what is unusual: an alert says that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import options
from cli.connection import Connection, connect
from cli.project import LOCAL
from cli.render import print_json, print_table, say
from feedback.sentiment import LABELS
from feedback.trends import COUNTED_LABELS, HOURS, DayCounts, Subject, SubjectKind

if TYPE_CHECKING:
    from lambdas.aws.counters import Counters

BARS = "▁▂▃▄▅▆▇█"
NOTHING = "·"
MOST_DAYS = 400


@dataclass(frozen=True, kw_only=True)
class Trend:
    """One subject over days or hours: one entry a column, None where there was no feedback."""

    subject: Subject
    counts: tuple[DayCounts | None, ...]

    @property
    def totals(self) -> dict[str, int]:
        """Over the whole time, by label."""
        return {label: sum(day.counts[label] for day in self.counts if day) for label in COUNTED_LABELS}

    @property
    def shares(self) -> list[float | None]:
        """The share of negatives by day."""
        return [share(day.negatives, day.judged) if day else None for day in self.counts]

    def to_document(self, days: Sequence[str]) -> dict[str, Any]:
        """As JSON values."""
        totals = self.totals
        return {
            self.subject.kind.value: self.subject.name,
            **totals,
            "negative_share": share(totals["negative"], sum(totals[label] for label in LABELS)),
            "days": [
                {"day": day, **(found.counts if found else dict.fromkeys(COUNTED_LABELS, 0))}
                for day, found in zip(days, self.counts, strict=True)
            ],
        }


def trends(
    product: Annotated[str | None, typer.Option(help="Only this product, hour by hour of the last day too.")] = None,
    by: Annotated[SubjectKind, typer.Option(help="What to list.")] = SubjectKind.PRODUCT,
    days: Annotated[int, typer.Option(min=1, max=MOST_DAYS, help="So many days, today included (UTC).")] = 14,
    top: Annotated[int, typer.Option(min=1, help="So many rows, those with the most negative feedback first.")] = 20,
    stage: options.Stage = LOCAL,
    as_json: options.Json = False,
) -> None:
    """Show feedback by product, category or channel, and how the share of negatives went day by day."""
    period = last_days(datetime.now(UTC).date(), days)
    connection = connect(stage)
    if product is not None:
        subject = Subject(kind=SubjectKind.PRODUCT, name=product)
        trend = Trend(subject=subject, counts=_of_subject(connection, subject, period))
        if as_json:
            print_json(trend.to_document(period))
        else:
            _show_subject(trend, period)
        return
    found = by_subject(_of_all(connection, period), period, kind=by)
    if as_json:
        print_json([trend.to_document(period) for trend in found[:top]])
    else:
        _show_all(found, period, by=by, top=top)


def last_days(today: date, days: int) -> list[str]:
    """The last days up to today, in order."""
    return [(today - timedelta(days=back)).isoformat() for back in reversed(range(days))]


def by_subject(counts: Iterable[DayCounts], period: Sequence[str], *, kind: SubjectKind) -> list[Trend]:
    """The trends of all subjects of a kind, those with the most negative feedback first."""
    found: dict[Subject, dict[str, DayCounts]] = {}
    for each in counts:
        if each.subject.kind is kind:
            found.setdefault(each.subject, {})[each.day] = each
    trends_found = [
        Trend(subject=subject, counts=tuple(of_day.get(day) for day in period)) for subject, of_day in found.items()
    ]
    return sorted(trends_found, key=lambda trend: (-trend.totals["negative"], trend.subject))


def share(negatives: int, judged: int) -> float | None:
    """The share of negatives, None of nothing."""
    return round(negatives / judged, 4) if judged else None


def sparkline(shares: Iterable[float | None]) -> str:
    """A bar a share, the lowest 0 and the highest 1; a dot where there was no feedback."""
    return "".join(NOTHING if each is None else BARS[min(int(each * len(BARS)), len(BARS) - 1)] for each in shares)


def _of_all(connection: Connection, period: Iterable[str]) -> list[DayCounts]:
    counters = _counters(connection)
    return [each for day in period for each in counters.day(day)]


def _of_subject(connection: Connection, subject: Subject, period: Iterable[str]) -> tuple[DayCounts | None, ...]:
    counters = _counters(connection)
    return tuple(counters.of(subject, day=day) for day in period)


def _show_all(found: Sequence[Trend], period: Sequence[str], *, by: SubjectKind, top: int) -> None:
    if not found:
        say(f"No feedback with a {by.value} was counted since {period[0]}.")
        return
    print_table(
        (by.value, "feedback", *LABELS, "unsure", "negative share", f"by day since {period[0]}"),
        [
            (
                trend.subject.name,
                sum(trend.totals.values()),
                *(trend.totals[label] for label in COUNTED_LABELS),
                _percent(trend.totals["negative"], sum(trend.totals[label] for label in LABELS)),
                sparkline(trend.shares),
            )
            for trend in found[:top]
        ],
    )
    if len(found) > top:
        say(f"{len(found) - top} more with less negative feedback: --top {len(found)} shows them.")


def _show_subject(trend: Trend, period: Sequence[str]) -> None:
    rows = [
        (day, sum(found.counts.values()), *found.counts.values(), _percent(found.negatives, found.judged))
        for day, found in zip(period, trend.counts, strict=True)
        if found
    ]
    if not rows:
        say(f"No feedback about {trend.subject.name} was counted since {period[0]}.")
        return
    print_table(("day", "feedback", *COUNTED_LABELS, "negative share"), rows)
    say(f"negative share by day   {sparkline(trend.shares)}")
    last = next(found for found in reversed(trend.counts) if found)
    by_hour = [last.hours.get(hour) for hour in HOURS]
    shares = [share(hour.negatives, hour.judged) if hour else None for hour in by_hour]
    say(f"by hour of {last.day}   {sparkline(shares)}   (UTC, 0 to 23)")


def _percent(negatives: int, judged: int) -> str | None:
    return f"{negatives / judged:.0%}" if judged else None


def _counters(connection: Connection) -> Counters:
    """Imported when it is needed: the command line starts without botocore."""
    from lambdas.aws.counters import Counters
    from lambdas.aws.desk import Desk

    return Counters(desk=Desk(table=connection.output("intake", "Desk"), dynamodb=connection.client("dynamodb")))
