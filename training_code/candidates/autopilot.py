"""Scores Autopilot's best candidate: what a batch transform of its containers answered to validation and test rows.

    python3 -m training_code.candidates.autopilot --answers DIR --features DIR --output DIR

The answers are `validation.csv.out` and `test.csv.out`, a CSV record a row in the order of the features, with the keys
predicted_label, probabilities and labels. Needs numpy and pyarrow alone. Knows nothing of how the candidate was found
beyond what its arguments say.

https://docs.aws.amazon.com/sagemaker/latest/dg/autopilot-automate-model-development-container-output.html
"""

from __future__ import annotations

import argparse
import ast
import csv
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from feedback.sentiment import LABELS
from training_code import feature_rows
from training_code.candidates import predictions
from training_code.candidates.predictions import SPLITS, TEST, VALIDATION, Answered, Candidate
from training_code.failures import JobError, run_job
from training_code.feature_rows import read_split
from training_code.metrics import Classes, Probabilities, score
from training_code.progress import say

NAME = "autopilot"
KEYS = ("predicted_label", "probabilities", "labels")
SUFFIX = ".csv.out"


def score_answers(
    *,
    answers: Path,
    features: Path,
    output: Path,
    archives: Sequence[Path] = (),
    job: str = "",
    candidate: str = "",
    objective: str = "",
    training_seconds: float = 0.0,
) -> None:
    """The candidate's folder; JobError where the answers are not those to the features' rows."""
    metric, _, value = objective.partition("=")
    answered: dict[str, Answered] = {}
    decided: list[Classes] = []
    for split in SPLITS:
        rows = read_split(features / split, split=split)
        chosen, raw = read_answers(answers / f"{split}{SUFFIX}")
        if len(raw) != len(rows):
            raise JobError(f"{split}{SUFFIX} has {len(raw)} answers to {len(rows)} {split} rows.")
        answered[split] = Answered(text_ids=rows.text_ids, classes=rows.classes, raw=raw)
        decided.append(chosen)
    scaled, temperature = predictions.calibrated(answered[VALIDATION], answered[TEST])
    # The label is Autopilot's own choice; one temperature does not change which class is the most probable.
    scaled = replace(scaled, answers=np.concatenate(decided))
    details: dict[str, object] = {"temperature": temperature, "job": job, "candidate": candidate}
    if metric:
        details["objective"] = {"metric": metric, "value": _number(value, "objective")}
    described = Candidate(
        name=NAME,
        title="Autopilot",
        family=NAME,
        trained_rows=feature_rows.count(features / "train", split="train"),
        training_seconds=training_seconds,
        # A search is many jobs on machines of Autopilot's choice.
        training_instance=None,
        size_bytes=sum(path.stat().st_size for place in archives for path in _files(place)),
        texts_per_second=None,
        is_deployable=False,
        details=details,
    )
    predictions.write(output, described, scaled)
    held = scaled.of(VALIDATION)
    figures = score(answered[VALIDATION].classes, held.probabilities, held.answers)
    say(f"{NAME}: validation macro-F1 {figures.macro_f1:.3f}, accuracy {figures.accuracy:.3f}")


def read_answers(path: Path) -> tuple[Classes, Probabilities]:
    """The chosen classes [rows] and the probabilities [rows, classes] in our order of labels."""
    if not path.is_file():
        raise JobError(f"The transform job left no {path.name} in {path.parent}.")
    csv.field_size_limit(sys.maxsize)
    column = {label: index for index, label in enumerate(LABELS)}
    chosen: list[int] = []
    rows: list[list[float]] = []
    with path.open(encoding="utf-8", newline="") as stream:
        for number, record in enumerate(csv.reader(stream), start=1):
            if not record:
                continue
            if len(record) != len(KEYS):
                raise JobError(
                    f"Line {number} of {path.name} has {len(record)} fields, and the keys are {', '.join(KEYS)}."
                )
            label, shares, labels = record[0], _list(record[1]), _list(record[2])
            if label not in column or sorted(map(str, labels)) != sorted(LABELS) or len(shares) != len(LABELS):
                raise JobError(f"Line {number} of {path.name} is no answer with the labels {', '.join(LABELS)}.")
            row = [0.0] * len(LABELS)
            for name, share in zip(labels, shares, strict=True):
                row[column[str(name)]] = _number(share, f"probability in line {number} of {path.name}")
            chosen.append(column[label])
            rows.append(row)
    if not rows:
        raise JobError(f"{path.name} has no answers.")
    shares_of = np.array(rows)
    sums = shares_of.sum(axis=1, keepdims=True)
    if not (np.isfinite(shares_of).all() and (shares_of >= 0).all() and (np.abs(sums - 1) < 0.01).all()):
        raise JobError(f"{path.name} holds probabilities that are none.")
    # AWS's containers answer with single precision.
    return np.array(chosen, dtype=np.int64), shares_of / sums


def _list(field: str) -> list[object]:
    """A list as Autopilot's containers write it, by Python's or by JSON's rules; empty where it is none."""
    try:
        found = json.loads(field)
    except ValueError:
        try:
            found = ast.literal_eval(field)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return []
    return found if isinstance(found, list) else []


def _number(value: object, what: str) -> float:
    try:
        return float(str(value))
    except ValueError:
        raise JobError(f"The {what} is no number: {str(value)[:50]}.") from None


def _files(place: Path) -> list[Path]:
    return [place] if place.is_file() else sorted(path for path in place.rglob("*") if path.is_file())


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="training_code.candidates.autopilot", description=__doc__.partition("\n")[0], allow_abbrev=False
    )
    parser.add_argument("--answers", type=Path, required=True, help="folder with validation.csv.out and test.csv.out")
    parser.add_argument("--features", type=Path, required=True, help="folder with train/, validation/ and test/")
    parser.add_argument("--archives", type=Path, nargs="+", default=[], help="the candidate's model archives")
    parser.add_argument("--job", default="", help="name of the AutoML job")
    parser.add_argument("--candidate", default="", help="name of the best candidate")
    parser.add_argument("--objective", default="", help="metric=value of the best candidate")
    parser.add_argument("--training-seconds", type=float, default=0.0, help="how long the AutoML job took")
    parser.add_argument("--output", type=Path, required=True, help="folder for the candidate")
    parser.add_argument("--message", type=Path, help="file that becomes the job's exit message on failure")
    arguments = vars(parser.parse_args(argv))
    message = arguments.pop("message")
    return run_job(lambda: score_answers(**arguments), failure_file=message)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
