"""Scores a BlazingText model: `model.bin` of a supervised training job, asked about validation and test rows.

    python3 -m training_code.candidates.blazingtext --model DIR --features DIR --output DIR

BlazingText writes fastText's own format, so that the same file comes from AWS's algorithm and from fastText here. A
text is tokenised as the training file was. Knows nothing of how the model was trained beyond what it says itself.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from feedback.sentiment import LABELS
from training_code import artifacts, feature_rows
from training_code.candidates import predictions
from training_code.candidates.predictions import TEST, VALIDATION, Answered, Candidate
from training_code.candidates.tokens import tokenized
from training_code.candidates.views import LABEL_PREFIX
from training_code.failures import JobError, run_job
from training_code.feature_rows import SplitRows, read_split
from training_code.metrics import Probabilities, score
from training_code.progress import say

NAME = "blazingtext"
MODEL = "model.bin"


def score_model(
    *,
    model: Path,
    features: Path,
    output: Path,
    training_seconds: float = 0.0,
    training_instance: str | None = None,
    hyperparameter: Sequence[str] = (),
) -> None:
    """The candidate's folder from a folder with `model.tar.gz` or with `model.bin`."""
    hyperparameters = _hyperparameters(hyperparameter)
    splits = {split: read_split(features / split, split=split) for split in (VALIDATION, TEST)}
    archive = model / "model.tar.gz"
    with artifacts.opened(archive if archive.is_file() else model) as folder:
        path = folder / MODEL
        if not path.is_file():
            raise JobError(f"There is no {MODEL} in {model}: the training job left no supervised BlazingText model.")
        size = path.stat().st_size
        classifier = _loaded(path)
    started = time.monotonic()
    raw = {split: probabilities(classifier, rows.texts) for split, rows in splits.items()}
    seconds = time.monotonic() - started
    answered, temperature = predictions.calibrated(
        *(
            Answered(text_ids=splits[split].text_ids, classes=splits[split].classes, raw=raw[split])
            for split in (VALIDATION, TEST)
        )
    )
    candidate = Candidate(
        name=NAME,
        title="BlazingText",
        family=NAME,
        trained_rows=feature_rows.count(features / "train", split="train"),
        training_seconds=training_seconds,
        training_instance=training_instance,
        size_bytes=size,
        texts_per_second=round(sum(map(len, splits.values())) / max(seconds, 1e-9), 1),
        is_deployable=False,
        details={"temperature": temperature, "hyperparameters": hyperparameters},
    )
    predictions.write(output, candidate, answered)
    _say_scores(splits[VALIDATION], answered.of(VALIDATION).probabilities)


def probabilities(classifier: Any, texts: list[str]) -> Probabilities:
    """[rows, classes]; a text of which the model knows no word has equal shares."""
    labels, values = classifier.predict([tokenized(text) for text in texts], k=len(LABELS))
    column = {f"{LABEL_PREFIX}{label}": index for index, label in enumerate(LABELS)}
    result = np.zeros((len(texts), len(LABELS)))
    for row, (names, shares) in enumerate(zip(labels, values, strict=True)):
        for name, share in zip(names, shares, strict=True):
            result[row, column[name]] = share
    sums = result.sum(axis=1, keepdims=True)
    result = np.where(sums > 0, result, 1.0)
    whole: Probabilities = result / result.sum(axis=1, keepdims=True)
    return whole


def _loaded(path: Path) -> Any:
    import fasttext  # type: ignore[import-not-found]

    try:
        classifier = fasttext.load_model(str(path))
    except (ValueError, RuntimeError, MemoryError) as error:
        raise JobError(f"{MODEL} is no model in fastText's format: {error}") from error
    expected = {f"{LABEL_PREFIX}{label}" for label in LABELS}
    found = set(classifier.get_labels())
    if found != expected:
        raise JobError(
            f"{MODEL} tells {', '.join(sorted(found)[:5]) or 'no labels'} apart, and not {', '.join(sorted(expected))}."
        )
    return classifier


def _hyperparameters(stated: Sequence[str]) -> dict[str, str]:
    pairs = [entry.partition("=") for entry in stated]
    wrong = next((name for name, sign, _ in pairs if not (name and sign)), None)
    if wrong is not None:
        raise JobError(f"A hyperparameter is stated as name=value, not as '{wrong}'.")
    return {name: value for name, _, value in pairs}


def _say_scores(rows: SplitRows, answers: Probabilities) -> None:
    scores = score(rows.classes, answers)
    say(
        f"validation macro-F1 {scores.macro_f1:.3f}, accuracy {scores.accuracy:.3f}, "
        f"negative recall {scores.negative_recall:.3f}, calibration error {scores.calibration_error:.3f}"
    )


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="training_code.candidates.blazingtext", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--model", type=Path, required=True, help="folder with the training job's model.tar.gz")
    parser.add_argument("--features", type=Path, required=True, help="folder with train/, validation/ and test/")
    parser.add_argument("--output", type=Path, required=True, help="folder of the candidate")
    parser.add_argument("--training-seconds", type=float, default=0.0, help="what the training job took")
    parser.add_argument("--training-instance", help="what it ran on")
    parser.add_argument("--hyperparameter", action="append", default=[], help="name=value that it was trained with")
    parser.add_argument("--message", type=Path, help="file that becomes the job's exit message on failure")
    arguments = vars(parser.parse_args(argv))
    message = arguments.pop("message")
    return run_job(lambda: score_model(**arguments), failure_file=message)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
