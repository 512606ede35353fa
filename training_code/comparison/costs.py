"""What it costs to train and to serve a candidate, from what was measured and a dated table of list prices.

A price without a measurement is None, never a guess. Knows nothing of how a candidate works.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from training_code.candidates.predictions import Candidate

TABLE = Path(__file__).resolve().parents[1] / "instance_prices.json"
SERVED_ON = "ml.c6i.large"
"""Two cores, as where the texts per second are measured on two."""
SECONDS_PER_HOUR = 3600


@cache
def table() -> dict[str, Any]:
    """`instance_hour` in dollars by instance type, and of when and where these prices are."""
    found: dict[str, Any] = json.loads(TABLE.read_text(encoding="utf-8"))
    return found


def cost(candidate: Candidate) -> dict[str, Any]:
    """What `comparison.json` says of a candidate as `cost`."""
    hours: dict[str, float] = table()["instance_hour"]
    training_hour = hours.get(candidate.training_instance or "")
    rate = candidate.texts_per_second
    return {
        "training_seconds": candidate.training_seconds,
        "training_instance": candidate.training_instance,
        "training_dollars": None
        if training_hour is None
        else candidate.training_instances * candidate.training_seconds * training_hour / SECONDS_PER_HOUR,
        "texts_per_second": rate,
        "served_on": SERVED_ON,
        "dollars_per_million": None if not rate else 1e6 / rate / SECONDS_PER_HOUR * hours[SERVED_ON],
        "size_bytes": candidate.size_bytes,
    }
