"""Makes confidence honest: one temperature for the logits, and the confidence below which the answer is *unsure*.

Both are chosen on validation rows. Needs numpy alone; knows nothing of models or files.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training_code.metrics import Classes, Probabilities

Logits = npt.NDArray[np.float32] | npt.NDArray[np.float64]

LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE = 0.05, 20.0
LARGEST_UNSURE_SHARE = 0.10
LEAST_UNSURE_ROWS = 5
_GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True, kw_only=True)
class Calibration:
    temperature: float
    abstain_below: float


def calibrate(logits: Logits, truth: Classes) -> Calibration:
    temperature = fit_temperature(logits, truth)
    probabilities = softmax(logits, temperature=temperature)
    return Calibration(temperature=temperature, abstain_below=choose_threshold(probabilities, truth))


def softmax(logits: Logits, *, temperature: float = 1.0) -> Probabilities:
    scaled = logits.astype(np.float64) / temperature
    exponentials = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    result: Probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
    return result


def fit_temperature(logits: Logits, truth: Classes) -> float:
    """The temperature with the lowest negative log likelihood, by golden section over its logarithm."""
    low, high = np.log(LOWEST_TEMPERATURE), np.log(HIGHEST_TEMPERATURE)
    while high - low > 1e-5:
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        if _loss(logits, truth, float(np.exp(left))) <= _loss(logits, truth, float(np.exp(right))):
            high = right
        else:
            low = left
    return round(float(np.exp((low + high) / 2)), 6)


def choose_threshold(probabilities: Probabilities, truth: Classes, answers: Classes | None = None) -> float:
    """The highest confidence below which answers are wrong at least as often as right; 0 when there is none.

    Never so high that more than LARGEST_UNSURE_SHARE of the rows would be unsure. `answers` are the likeliest classes
    where nothing else decides.
    """
    if answers is None:
        answers = probabilities.argmax(axis=1)
    confidence = probabilities[np.arange(len(answers)), answers]
    is_right = answers == truth
    order = np.argsort(confidence, kind="stable")
    allowed = int(len(order) * LARGEST_UNSURE_SHARE)
    right_so_far = np.cumsum(is_right[order])
    counts = np.arange(1, len(order) + 1)
    is_candidate = (right_so_far * 2 <= counts) & (counts <= allowed) & (counts >= LEAST_UNSURE_ROWS)
    if not is_candidate.any():
        return 0.0
    last = int(np.flatnonzero(is_candidate)[-1])
    return round(float(confidence[order[last]]) + 1e-6, 6)


def _loss(logits: Logits, truth: Classes, temperature: float) -> float:
    scaled = logits.astype(np.float64) / temperature
    highest = scaled.max(axis=1)
    normaliser = highest + np.log(np.exp(scaled - highest[:, None]).sum(axis=1))
    return float((normaliser - scaled[np.arange(len(truth)), truth]).mean())
