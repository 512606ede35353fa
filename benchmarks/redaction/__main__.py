"""Print how much of which kind redaction finds, what it takes without need, what leaks, and how long it takes.

    python -m benchmarks.redaction                             20,000 records
    python -m benchmarks.redaction --reviews reviews.csv       also real texts, which count as clean

Passes when at least 99.5 % of the structured kinds are found, at most 1 % of clean texts lose anything, and no canary
can be read outside the store of originals.
"""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.redaction.measuring import measure_clean, measure_found, measure_leaks
from benchmarks.redaction.texts import reviews_of
from benchmarks.report import arguments, finish, show

LEAST_RECALL = 0.995
MOST_FALSE = 0.01


def main() -> int:
    """Measure, print, and say by the exit code whether the promises hold."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--records", type=int, default=20_000, help="records with personal data, and as many without")
    parser.add_argument("--reviews", type=Path, nargs="*", default=[], help="CSV files of real reviews")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()

    found = measure_found(given.records, seed=given.seed)
    clean = measure_clean("clean, generated", given.records, seed=given.seed)
    real = [measure_clean(path.name, 0, texts=reviews_of(path)) for path in given.reviews]
    leaks = measure_leaks(given.records, seed=given.seed)
    show(f"What redaction finds in {given.records} records", [kind.row() for kind in found.kinds], note=found.note)
    show("What it takes without need, and how long it takes", [each.row() for each in (clean, *real)])
    show("Where personal data can be read after it was accepted", [place.row() for place in leaks])
    passed = (
        found.recall >= LEAST_RECALL
        and all(each.share <= MOST_FALSE for each in (clean, *real))
        and not any(place.canaries for place in leaks if place.must_be_clean)
    )
    finish(given.json, {"recall": found.recall, "false": clean.share, "passed": passed})
    print("passed" if passed else "failed")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
