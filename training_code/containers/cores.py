"""How many cores this container may use, which is not how many the machine has. Knows nothing of what runs on them."""

from __future__ import annotations

import math
import os
from pathlib import Path

CONTROL_GROUP = Path("/sys/fs/cgroup")


def available_cores(control_group: Path = CONTROL_GROUP) -> int:
    """At least one, at most the cores that the scheduler allows, and no more than the control group's share of time."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _quota(control_group)
    return allowed if quota is None else max(1, min(allowed, math.ceil(quota)))


def _quota(group: Path) -> float | None:
    """In cores; None where there is no limit. Version 2 states both numbers in one file, version 1 in two."""
    limits = _words(group / "cpu.max") or [
        *_words(group / "cpu" / "cpu.cfs_quota_us"),
        *_words(group / "cpu" / "cpu.cfs_period_us"),
    ]
    if len(limits) != 2 or not all(limit.isdigit() for limit in limits) or int(limits[1]) == 0:
        return None
    return int(limits[0]) / int(limits[1])


def _words(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii").split()
    except OSError:
        return []
