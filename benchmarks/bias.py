"""Bias metrics against smclarify: all pre-training ones, and all post-training ones but the flip test.

    python -m benchmarks.bias [--rows 470000] [--values 10] [--repeats 5]

Both get the same columns, coded already (smclarify 0.5 needs pandas categories), and the same favoured label; the flip
test needs numeric features and is left out on both sides. Ours is the median of the repeats; smclarify, which takes
ten seconds, runs once. Prints the times, their ratio and the largest deviation, and beside it what ours takes when
the columns are strings yet. Runs itself in `.venv-spark`, where smclarify is.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).parents[1]
PYTHON = ROOT / ".venv-spark" / "bin" / "python"
GOAL_RATIO = 100
GOAL_DEVIATION = 1e-9
FAVOURED = "negative"


def columns(rows: int, values: int) -> dict[str, Any]:
    """Codes and names: a facet, a group, and labels and answers whose mix and errors depend on the facet."""
    import numpy as np

    generator = np.random.default_rng(7)
    facet = generator.integers(0, values, rows)
    tilt = facet / (10 * values)
    label = np.searchsorted([0.1, 0.23], generator.random(rows) - tilt)
    answer = np.where(generator.random(rows) < 0.85 - tilt, label, generator.integers(0, 3, rows))
    sentiments = (FAVOURED, "neutral", "positive")
    return {
        "facet": (facet, tuple(f"category {n}" for n in range(values))),
        "group": (generator.integers(0, 3, rows), ("short", "medium", "long")),
        "label": (label, sentiments),
        "answer": (answer, sentiments),
    }


def coded(data: dict[str, Any]) -> dict[str, Any]:
    from training_code.bias.contingency import Coded

    return {name: Coded(codes=codes, values=names) for name, (codes, names) in data.items()}


def coded_from_strings(strings: dict[str, Any]) -> dict[str, Any]:
    from training_code.bias.contingency import Coded

    return {name: Coded.of(column) for name, column in strings.items()}


def ours(coded: dict[str, Any]) -> dict[tuple[str, str], float]:
    from training_code.bias import measures
    from training_code.bias.contingency import count

    table = count(
        coded["facet"],
        coded["label"].is_one_of([FAVOURED]),
        is_favoured_answer=coded["answer"].is_one_of([FAVOURED]),
        group=coded["group"],
    )
    found = [*measures.pretraining(table).items(), *measures.posttraining(table).items()]
    return {
        (value, metric.name): metric.value for value, metrics in found for metric in metrics if metric.value is not None
    }


def theirs(data: dict[str, Any]) -> Callable[[], dict[tuple[str, str], float]]:
    """The call that is timed; making pandas columns is not."""
    import pandas as pd
    from smclarify.bias import report

    from training_code.bias import measures

    frame = pd.DataFrame({name: pd.Categorical.from_codes(codes, list(names)) for name, (codes, names) in data.items()})
    label = report.LabelColumn("label", frame["label"], [FAVOURED])
    answer = report.LabelColumn("answer", frame["answer"], [FAVOURED])
    features = frame[["facet", "label"]]
    facet = report.FacetColumn("facet")

    def call() -> dict[tuple[str, str], float]:
        found = [
            *report.bias_report(features, facet, label, report.StageType.PRE_TRAINING, group_variable=frame["group"]),
            *report.bias_report(
                features,
                facet,
                label,
                report.StageType.POST_TRAINING,
                answer,
                metrics=list(measures.POSTTRAINING),
                group_variable=frame["group"],
            ),
        ]
        return {
            (entry["value_or_threshold"], metric["name"]): metric["value"]
            for entry in found
            for metric in entry["metrics"]
        }

    return call


def timed(call: Callable[[], dict[tuple[str, str], float]]) -> tuple[float, dict[tuple[str, str], float]]:
    started = time.perf_counter()
    found = call()
    return time.perf_counter() - started, found


def measure(rows: int, values: int, repeats: int) -> int:
    import logging

    import pyarrow as pa

    logging.disable(logging.WARNING)
    data = columns(rows, values)
    strings = {name: pa.array(names).take(pa.array(codes)) for name, (codes, names) in data.items()}
    our_times = [timed(lambda: ours(coded(data))) for _ in range(repeats)]
    from_strings = median(timed(lambda: ours(coded_from_strings(strings)))[0] for _ in range(repeats))
    our_seconds, our_figures = median(seconds for seconds, _ in our_times), our_times[0][1]
    their_seconds, their_figures = timed(theirs(data))
    if our_figures.keys() != their_figures.keys():
        print("the two sides do not have the same figures")
        return 1
    deviation = max(abs(our_figures[key] - their_figures[key]) for key in our_figures)
    ratio = their_seconds / our_seconds
    print(f"{rows:,} rows, {values} values, {len(our_figures)} figures")
    print(f"smclarify {their_seconds:.2f} s, ours {1000 * our_seconds:.1f} ms (median of {repeats})")
    print(f"from columns of strings, ours {1000 * from_strings:.1f} ms")
    print(f"ratio {ratio:.0f} (goal {GOAL_RATIO}), largest deviation {deviation:.1e} (goal {GOAL_DEVIATION:.0e})")
    return 0 if ratio >= GOAL_RATIO and deviation <= GOAL_DEVIATION else 1


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.bias", description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=470_000)
    parser.add_argument("--values", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args(argv)
    if Path(sys.prefix).resolve() != PYTHON.parents[1].resolve():
        return subprocess.run([str(PYTHON), "-m", "benchmarks.bias", *argv], cwd=ROOT, check=False).returncode
    return measure(arguments.rows, arguments.values, arguments.repeats)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
