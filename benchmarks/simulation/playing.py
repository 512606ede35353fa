"""Many schedules, one after the other, and their figures together. It does not know how they are shown."""

from __future__ import annotations

from collections.abc import Iterable

from benchmarks.simulation.estate import ENVIRONMENT, HANDLERS
from benchmarks.simulation.installation import installed
from benchmarks.simulation.schedule import Outcome, play
from benchmarks.simulation.story import MARK


def summary(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """The figures of all schedules together."""
    every = list(outcomes)
    return {
        "schedules": len(every),
        "schedules with a broken promise": sum(bool(each.broken) for each in every),
        "feedback sent": sum(each.sent for each in every),
        "accepted": sum(each.accepted for each in every),
        "in the dead letters, with a reason": sum(each.dead for each in every),
        "failed effects redriven": sum(each.redriven for each in every),
        "alerts that came again under their own id": sum(each.repeated_alerts for each in every),
        "lake rows written again, byte by byte": sum(each.repeated_rows for each in every),
        "processes killed": sum(each.kills for each in every),
        "calls of AWS": sum(each.calls for each in every),
    }


def play_all(seeds: Iterable[int]) -> list[Outcome]:
    """The schedules of these seeds, one after the other."""
    with installed(HANDLERS, ENVIRONMENT, mark=MARK):
        return [play(seed) for seed in seeds]
