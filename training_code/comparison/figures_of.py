"""The figures of one candidate: on all test rows, and on the parts of them that a reader may ask about.

Knows nothing of files or pages.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from training_code import metrics
from training_code.candidates.predictions import Predictions
from training_code.comparison import chance
from training_code.metrics import Classes

LEAST_ROWS = 30
"""Fewer rows say nothing of a part."""
MOST_VALUES = 12
UNKNOWN = "unknown"


def measured(truth: Classes, answered: Predictions, facets: Mapping[str, Sequence[str | None]], *, seed: int) -> Any:
    """What `comparison.json` says of a candidate as `metrics`."""
    scores = asdict(
        metrics.score(truth, answered.probabilities, answered.answers, resamples=chance.RESAMPLES, seed=seed)
    )
    rows = scores.pop("rows")
    return {
        "rows": rows,
        **scores,
        "calibration_error_before": metrics.calibration_error(truth, answered.raw),
        "adaptive_calibration_error": chance.adaptive_calibration_error(truth, answered.probabilities),
        "calibration_floor": chance.calibration_floor(answered.probabilities, seed=seed),
        "reliability": reliability(truth, answered),
        "by": {name: by(truth, answered.answers, values) for name, values in facets.items()},
    }


def by(truth: Classes, answers: Classes, values: Sequence[str | None]) -> dict[str, dict[str, float | int]]:
    """Figures of the most frequent values; empty where there is but one, since that is all rows."""
    named = np.array([UNKNOWN if value is None else value for value in values], dtype=np.str_)
    counts = Counter(named.tolist())
    frequent = sorted(
        (value for value, rows in counts.items() if rows >= LEAST_ROWS), key=lambda value: (-counts[value], value)
    )
    if len(frequent) < 2:
        return {}
    found: dict[str, dict[str, float | int]] = {}
    for value in frequent[:MOST_VALUES]:
        chosen = named == value
        table = metrics.confusion(truth[chosen], answers[chosen])
        found[value] = {
            "rows": int(chosen.sum()),
            "macro_f1": metrics.macro_f1(table),
            "accuracy": float(np.diag(table).sum() / table.sum()),
            "negative_recall": float(metrics.recall_of_each(table[None], chance.NEGATIVE)[0]),
        }
    return found


def reliability(truth: Classes, answered: Predictions) -> list[dict[str, float | int]]:
    """For each bin of confidence that has rows: the mean confidence, and the share that is right."""
    confidence = answered.probabilities.max(axis=1)
    is_right = answered.probabilities.argmax(axis=1) == truth
    bins = metrics.CALIBRATION_BINS
    place = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    return [
        {
            "rows": int((place == one).sum()),
            "confidence": float(confidence[place == one].mean()),
            "right": float(is_right[place == one].mean()),
        }
        for one in np.unique(place)
    ]
