"""`python -m benchmarks.simulation --schedules 10000`: random schedules of faults against the deployed functions.

Every schedule sends feedback through a storm of kills between any two effects, timeouts, duplicates, reordering, lost
answers, batches that fail in part, outages, a sick model and clocks that disagree, and then looks at every promise:
nothing accepted is lost, no effect is there twice, what could not be decided is in the dead letters with a reason.
Ends with 1 where a promise is broken; `--seed N --schedules 1` plays that schedule again.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from multiprocessing import get_context

from benchmarks.report import arguments, finish, show
from benchmarks.simulation.playing import play_all, summary
from benchmarks.simulation.schedule import Outcome

_SHOWN = 20


def main() -> int:
    parser = arguments(__doc__ or "")
    parser.add_argument("--schedules", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0, help="the first of them")
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args()
    _same_hashes_every_time()
    began = time.perf_counter()
    outcomes = list(_played(options))
    seconds = time.perf_counter() - began
    broken = [outcome for outcome in outcomes if outcome.broken]
    for outcome in broken[:_SHOWN]:
        print(f"seed {outcome.seed}: {'; '.join(outcome.broken)}")
    result = summary(outcomes)
    show(f"{len(outcomes):,} schedules in {seconds:.0f} s", [{"what": what, "n": n} for what, n in result.items()])
    finish(options.json, result)
    return 1 if broken else 0


def _played(options: argparse.Namespace) -> Iterator[Outcome]:
    seeds = range(options.seed, options.seed + options.schedules)
    if options.processes == 1:
        yield from play_all(seeds)
        return
    shares = [seeds[start :: options.processes] for start in range(options.processes)]
    with get_context("spawn").Pool(options.processes) as pool:
        for outcomes in pool.imap_unordered(play_all, shares):
            yield from outcomes


def _same_hashes_every_time() -> None:
    """Functions walk through sets of strings: with another hash seed, the same schedule would take another course."""
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, "-m", "benchmarks.simulation", *sys.argv[1:]])  # noqa: S606 - itself


if __name__ == "__main__":
    sys.exit(main())
