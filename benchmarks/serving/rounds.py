"""Interleaved rounds: every side does its work once per round, so that a busy machine is busy for all of them.

The quickest round of each side counts, by wall clock and by CPU seconds. Knows nothing of what is measured.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Say = Callable[[str], None]
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What one round of one side took; `cpu` is None where the system does not tell."""

    items: int
    wall: float
    cpu: float | None


@dataclass(frozen=True, kw_only=True)
class Best:
    """Items per second of wall clock and of CPU time, each in its best round."""

    per_second: float
    per_cpu_second: float | None

    def times(self, other: Best) -> float:
        return self.per_second / other.per_second

    def cpu_times(self, other: Best) -> float | None:
        if self.per_cpu_second is None or other.per_cpu_second is None:
            return None
        return self.per_cpu_second / other.per_cpu_second


@dataclass(frozen=True, kw_only=True)
class Side:
    """`work` handles `items` items with the processes `pids` and this one."""

    items: int
    work: Callable[[], object]
    pids: Callable[[], Sequence[int]]


def interleaved(sides: Mapping[str, Side], rounds: int, say: Say) -> dict[str, Best]:
    """The best of `rounds` rounds, after one that only warms up."""
    taken: dict[str, list[Taken]] = {name: [] for name in sides}
    for number in range(rounds + 1):
        for name, side in sides.items():
            one = _timed(side)
            if number:
                taken[name].append(one)
        if number:
            latest = ", ".join(f"{name} {found[-1].items / found[-1].wall:,.1f}/s" for name, found in taken.items())
            say(f"  round {number} of {rounds}: {latest}")
    return {name: best(found) for name, found in taken.items()}


def best(taken: Sequence[Taken]) -> Best:
    by_cpu = [one.items / one.cpu for one in taken if one.cpu]
    return Best(
        per_second=max(one.items / one.wall for one in taken),
        per_cpu_second=max(by_cpu) if by_cpu else None,
    )


def _timed(side: Side) -> Taken:
    pids = [os.getpid(), *side.pids()]
    cpu, started = cpu_seconds(pids), time.perf_counter()
    side.work()
    wall = time.perf_counter() - started
    after = cpu_seconds(pids)
    return Taken(items=side.items, wall=wall, cpu=None if cpu is None or after is None else after - cpu)


def cpu_seconds(pids: Sequence[int]) -> float | None:
    """User and system time of the processes up to now; None where there is no /proc."""
    total = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except FileNotFoundError:
            return None
        total += int(fields[11]) + int(fields[12])
    return total / _TICKS_PER_SECOND


def resident_megabytes(pid: int) -> float:
    """What a process holds in memory now."""
    done = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=True)
    return int(done.stdout) / 1024
