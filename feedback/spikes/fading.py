"""Days, and how what was learnt loses weight: by half in so many of them. It does not know what was learnt."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

HALF_LIFE_DAYS: Final = 28.0


def faded(value: float, since: str, until: str) -> float:
    """What a count of the day ``since`` weighs on the day ``until``."""
    return float(value * 0.5 ** (days_between(since, until) / HALF_LIFE_DAYS))


def days_between(first: str, last: str) -> int:
    """Days from one ISO date to another; never negative."""
    return max(0, (date.fromisoformat(last) - date.fromisoformat(first)).days)


def days_after(after: str, last: str) -> Iterator[str]:
    """The days after the one, up to and with the other."""
    for number in range(1, days_between(after, last) + 1):
        yield (date.fromisoformat(after) + timedelta(days=number)).isoformat()
