"""Quiet hours in a team's own time zone: when they are, and when they end, on the days when clocks change as well.

It does not know what is held back in them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta, timezone, tzinfo
from typing import Final

from feedback.alerting.reading import Node

DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
UTC_NAME: Final = "UTC"

_LOOK_AHEAD_DAYS: Final = 8


@dataclass(frozen=True, kw_only=True)
class QuietHours:
    """From ``begin`` to ``end`` of each day (over midnight where ``end`` is earlier), and all of the days off."""

    zone: tzinfo
    begin: time | None
    end: time | None
    days_off: frozenset[int]

    def ending(self, moment: datetime) -> datetime | None:
        """When the quiet that ``moment`` is in ends, in UTC; None where it is not quiet."""
        if not self._is_quiet(moment):
            return None
        for candidate in sorted(self._possible_ends(moment)):
            if candidate > moment and not self._is_quiet(candidate):
                return candidate
        raise AssertionError("a policy leaves a time of each week that is not quiet")

    def _is_quiet(self, moment: datetime) -> bool:
        local = moment.astimezone(self.zone)
        if local.weekday() in self.days_off:
            return True
        if self.begin is None or self.end is None:
            return False
        now = local.time()
        if self.begin < self.end:
            return self.begin <= now < self.end
        return now >= self.begin or now < self.end

    def _possible_ends(self, moment: datetime) -> Iterator[datetime]:
        """In a gap of the clock the end is as much later as the gap is wide; a repeated hour ends at its first."""
        today = moment.astimezone(self.zone).date()
        for days in range(_LOOK_AHEAD_DAYS + 1):
            day = today + timedelta(days=days)
            for wall in (time.min, self.end):
                if wall is not None:
                    yield datetime.combine(day, wall, self.zone).astimezone(timezone.utc)


def read_quiet_hours(node: Node, zone: tzinfo) -> QuietHours:
    """The quiet hours in a policy."""
    fields = node.fields(optional=("from", "until", "days_off"))
    if ("from" in fields) != ("until" in fields):
        node.refuse("needs both from and until, or neither")
    begin = _wall_time(fields["from"]) if "from" in fields else None
    end = _wall_time(fields["until"]) if "until" in fields else None
    if begin is not None and begin == end:
        fields["until"].refuse("is the same time as from: that is no span")
    off = frozenset(DAYS.index(day.choice(DAYS)) for day in fields["days_off"].items()) if "days_off" in fields else ()
    if len(off) == len(DAYS):
        fields["days_off"].refuse("names every day: nothing would ever be sent")
    return QuietHours(zone=zone, begin=begin, end=end, days_off=frozenset(off))


def read_zone(node: Node) -> tzinfo:
    """The time zone of an IANA name. UTC needs no database, which a function's runtime may lack."""
    name = node.text(limit=64)
    if name == UTC_NAME:
        return timezone.utc
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # an unknown, an absolute, and the name of a folder
        node.refuse("is no time zone, such as Europe/Berlin")


def _wall_time(node: Node) -> time:
    text = node.text(limit=5)
    hours, _, minutes = text.partition(":")
    if len(text) != 5 or not (hours.isascii() and hours.isdecimal() and minutes.isascii() and minutes.isdecimal()):
        node.refuse("is no time of day, such as 07:30")
    if int(hours) > 23 or int(minutes) > 59:
        node.refuse("is no time of day, such as 07:30")
    return time(int(hours), int(minutes))
