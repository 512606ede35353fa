"""The endpoint's containers against the usual ways to serve the same weights, side by side in one run.

    .venv/bin/python -m benchmarks.serving [--reviews FILE] [--quick] [--only NAME] [--json]

Both sides answer the same reviews with the same weights, in interleaved rounds; the quickest round of each counts, by
wall clock and by CPU seconds. MiniLM-L6 is fine-tuned on the reviews once and kept below `.build/benchmarks`; BERT-base
is that model copied into BERT-base's shape, since no BERT-base weights can be fetched here. About 12 minutes on 2 idle
cores, and once about 10 more to prepare the models; `--quick` smokes it in a few.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from benchmarks.report import arguments, finish, show
from benchmarks.serving import accuracy, clients, cold_start, hops, latency, memory, throughput
from benchmarks.serving.bench import FULL, QUICK, Bench
from benchmarks.serving.measures import Measure
from benchmarks.serving.models import BenchmarkError, workshop
from cli.project import Project

MEASUREMENTS: Mapping[str, Callable[[Bench], list[Measure]]] = {
    "cold-start": cold_start.measure,
    "hops": hops.measure,
    "throughput": throughput.measure,
    "latency": latency.measure,
    "clients": clients.measure,
    "accuracy": accuracy.measure,
    "memory": memory.measure,
}


def main() -> int:
    parser = arguments(__doc__ or "")
    parser.add_argument("--reviews", type=Path, help="a CSV of reviews; the generated sample when left out")
    parser.add_argument("--quick", action="store_true", help="small rounds: whether it runs, not what it shows")
    parser.add_argument("--only", choices=MEASUREMENTS, action="append", help="one measurement; may be repeated")
    options = parser.parse_args()
    started = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - started:6.0f} s  {line}", file=sys.stderr, flush=True)

    try:
        with tempfile.TemporaryDirectory(prefix="earshot-serving-") as scratch, ExitStack() as stack:
            bench = Bench(
                models=workshop(say).prepared(options.reviews),
                project=Project.from_env(),
                scratch=Path(scratch),
                thoroughness=QUICK if options.quick else FULL,
                say=say,
                stack=stack,
            )
            measures: list[Measure] = []
            for name in options.only or MEASUREMENTS:
                measures += MEASUREMENTS[name](bench)
    except BenchmarkError as error:
        print(f"Cannot measure: {error}", file=sys.stderr)
        return 1
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    show(
        f"serving, {bench.models.source}, {cores} cores",
        [measure.row() for measure in measures],
        note="quick: these are no figures" if options.quick else "the quickest of interleaved rounds counts",
    )
    finish(
        options.json,
        {
            "reviews": bench.models.source,
            "test_rows": len(bench.models.test),
            "cores": cores,
            "quick": options.quick,
            "seconds": round(time.monotonic() - started),
            "measures": [measure.document() for measure in measures],
        },
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
