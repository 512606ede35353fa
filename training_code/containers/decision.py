"""How probabilities become a decision: each class's is multiplied with its weight, and the highest wins.

Weights of 1 decide for the likeliest class. Others let a rare class be found as often as it is there, and leave the
probabilities as honest as they were. Knows nothing of where weights come from, nor of what an answer looks like.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from feedback.sentiment import LABELS

KEY = "decision_weights"

Probabilities = npt.NDArray[np.float64]
Weights = npt.NDArray[np.float64]
Decided = npt.NDArray[np.int64]


def equal_weights() -> Weights:
    return np.ones(len(LABELS))


def decided(probabilities: Probabilities, weights: Weights) -> Decided:
    """The class of each row of [rows, 3]."""
    result: Decided = (probabilities * weights).argmax(axis=1)
    return result


def of_decided(probabilities: Probabilities, classes: Decided) -> Probabilities:
    """Each row's confidence: the probability of the class that was decided for."""
    return probabilities[np.arange(len(classes)), classes]


def read_weights(settings: Mapping[str, object], file: str) -> Weights:
    """From the settings of an artifact; equal where they name none, RuntimeError in one sentence for what is none."""
    stated = settings.get(KEY, dict.fromkeys(LABELS, 1.0))
    if not isinstance(stated, dict) or set(stated) != set(LABELS) or not all(map(_is_weight, stated.values())):
        raise RuntimeError(f"{file} in the model artifact states no usable {KEY}.")
    return np.array([float(stated[label]) for label in LABELS])


def weights_by_label(weights: Weights) -> dict[str, float]:
    """The counterpart of `read_weights`."""
    return {label: float(weight) for label, weight in zip(LABELS, weights, strict=True)}


def _is_weight(value: object) -> bool:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and math.isfinite(value) and value > 0  # type: ignore[arg-type,operator]
