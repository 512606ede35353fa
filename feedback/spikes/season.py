"""How the shop's own share of negatives goes up and down with the hour and the weekday, and how busy it is.

Learnt from all feedback of the shop, day by day, the older fading. Hours are those of UTC: a shop's evening stays at
the same hours but for the change to summer time. It does not know products by name.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from feedback.spikes.fading import faded
from feedback.trends import HOURS, DayCounts

WEEKDAYS: Final = range(7)

_STEADINESS: Final = 200.0  # imagined feedbacks of the usual share in every hour and weekday
_BUSY_UNTIL_KNOWN: Final = 300.0

Counts = tuple[float, float]
_NONE: Final[Counts] = (0.0, 0.0)


@dataclass(frozen=True, kw_only=True)
class Season:
    """(judged, negatives) by hour and by weekday; ``busy_hours`` are hours of products with feedback, over ``days``."""

    through: str
    hours: tuple[Counts, ...] = (_NONE,) * len(HOURS)
    weekdays: tuple[Counts, ...] = (_NONE,) * len(WEEKDAYS)
    busy_hours: float = 0.0
    days: float = 0.0

    def offset(self, day: str, hour: int) -> float:
        """What the log-odds of negative are above those of the whole week, at this hour of this day."""
        judged, negatives = map(sum, zip(*self.hours, strict=True))
        if not 0.0 < negatives < judged:
            return 0.0
        whole = negatives / judged
        return sum(
            log_odds((part[1] + _STEADINESS * whole) / (part[0] + _STEADINESS)) - log_odds(whole)
            for part in (self.hours[hour], self.weekdays[_weekday(day)])
        )

    @property
    def busy_hours_per_day(self) -> float:
        """Hours of products with feedback on a day; a careful guess while there are no days to go by."""
        return max(self.busy_hours / self.days, 1.0) if self.days else _BUSY_UNTIL_KNOWN

    def after(self, day: str, *, channels: Iterable[DayCounts], busy_hours: int) -> "Season":
        """What is known after one more whole day of the shop, all of whose feedback is in the counts of channels."""
        hours = [_scaled(part, self.through, day) for part in self.hours]
        weekdays = [_scaled(part, self.through, day) for part in self.weekdays]
        for channel in channels:
            for hour, counts in channel.hours.items():
                hours[hour] = _added(hours[hour], counts.judged, counts.negatives)
            weekdays[_weekday(day)] = _added(weekdays[_weekday(day)], channel.judged, channel.negatives)
        return Season(
            through=day,
            hours=tuple(hours),
            weekdays=tuple(weekdays),
            busy_hours=faded(self.busy_hours, self.through, day) + busy_hours,
            days=faded(self.days, self.through, day) + 1.0,
        )

    def to_document(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "through": self.through,
            "hours": [list(part) for part in self.hours],
            "weekdays": [list(part) for part in self.weekdays],
            "busy_hours": self.busy_hours,
            "days": self.days,
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Season":
        """The season that :meth:`to_document` wrote."""
        return cls(
            through=document["through"],
            hours=tuple((float(judged), float(negatives)) for judged, negatives in document["hours"]),
            weekdays=tuple((float(judged), float(negatives)) for judged, negatives in document["weekdays"]),
            busy_hours=float(document["busy_hours"]),
            days=float(document["days"]),
        )


def log_odds(share: float) -> float:
    """Of a share between 0 and 1, both left out."""
    return math.log(share / (1.0 - share))


def shifted(share: float, offset: float) -> float:
    """The share whose log-odds are ``offset`` above those of ``share``."""
    return 1.0 / (1.0 + math.exp(-(log_odds(share) + offset)))


def _weekday(day: str) -> int:
    return date.fromisoformat(day).weekday()


def _scaled(part: Counts, since: str, until: str) -> Counts:
    return faded(part[0], since, until), faded(part[1], since, until)


def _added(part: Counts, judged: int, negatives: int) -> Counts:
    return part[0] + judged, part[1] + negatives
