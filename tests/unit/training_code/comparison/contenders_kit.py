"""Candidates with made-up answers to the rows of the small features folder: each right as often as it is told to be."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.unit.training_code.candidates.features_kit import rows
from training_code.candidates import predictions
from training_code.candidates.predictions import SPLITS, Candidate, Predictions

SHARES = {"bert": 0.9, "tuned": 0.85, "tfidf": 0.7}


def write_candidate(
    folder: Path,
    *,
    name: str,
    right: float,
    is_deployable: bool = False,
    counts: dict[str, int] | None = None,
    texts_per_second: float | None = 250.0,
) -> None:
    """`right` is the share of rows of each class that are answered rightly; the rest get the next class."""
    ids: list[str] = []
    splits: list[str] = []
    answers: list[int] = []
    for split in SPLITS:
        for number, row in enumerate(rows(split, (counts or {}).get(split))):
            truth = int(str(row["sentiment"])) + 1
            ids.append(str(row["text_id"]))
            splits.append(split)
            answers.append(truth if (number // 3) % 20 < right * 20 else (truth + 1) % 3)
    probabilities = np.full((len(ids), 3), 0.15)
    probabilities[np.arange(len(ids)), answers] = 0.7
    predictions.write(
        folder / name,
        Candidate(
            name=name,
            title=name.upper(),
            family=name,
            trained_rows=240,
            training_seconds=60.0,
            training_instance="ml.g5.xlarge",
            size_bytes=1000,
            texts_per_second=texts_per_second,
            is_deployable=is_deployable,
            details={"model_version": f"{name}-1"},
        ),
        Predictions(
            text_ids=np.array(ids, dtype=np.str_),
            split=np.array(splits, dtype=np.str_),
            probabilities=probabilities,
            raw=probabilities,
            answers=np.array(answers, dtype=np.int64),
        ),
    )
