"""From nothing to the first answer: archives unpacked, wheels installed, models loaded and warmed up, one text asked.

Compared with the first measurement of the same on the first version of the containers (`first_measurement.json`), which
another machine cannot repeat: there the ratio says little. Knows nothing of what a start consists of.
"""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

from benchmarks.serving.bench import Bench
from benchmarks.serving.measures import Goal, Measure
from benchmarks.serving.models import Served
from benchmarks.serving.sides import Ours

FIRST_MEASUREMENT = Path(__file__).with_name("first_measurement.json")
STARTS = 3
TEXT = "The zip broke after two days."


def measure(bench: Bench) -> list[Measure]:
    first = json.loads(FIRST_MEASUREMENT.read_text(encoding="utf-8"))
    measures = []
    for shape, served in bench.models.plain.items():
        bench.say(f"cold start, {shape}")
        found = []
        for number in range(min(STARTS, bench.thoroughness.rounds)):
            found.append(seconds(bench, served, bench.scratch / f"cold-{shape}-{number}"))
            bench.say(f"  {found[-1]:.2f} s")
        before = float(first["cold_start_seconds"][shape])
        measures.append(
            Measure(
                name=f"{shape}: cold start to first answer, first version ({first['date']})",
                unit="s",
                baseline=before,
                ours=min(found),
                ratio=before / min(found),
                goal=Goal.times(2),
                note=first["machine"],
            )
        )
    return measures


def seconds(bench: Bench, served: Served, folder: Path) -> float:
    started = time.perf_counter()
    ours = Ours(served, python=bench.serving_python, folder=folder)
    try:
        ours.ask([TEXT])
        return time.perf_counter() - started
    finally:
        ours.close()
        shutil.rmtree(folder)
