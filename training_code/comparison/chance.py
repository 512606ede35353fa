"""How far a figure could be off by chance, and whether two models differ by more than that.

Resampling rows is resampling the cells of their table of truth and answers: the draws are multinomial, thousands of
them in milliseconds. Two models are compared on the same rows, so their answers are resampled together. Needs numpy and
scipy; knows nothing of files.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest

from feedback.sentiment import CLASSES, Sentiment
from training_code.metrics import Classes, Probabilities, calibration_error, macro_f1_of_each, recall_of_each

RESAMPLES = 2000
LEVEL = 0.95
FLOOR_DRAWS = 200
NEGATIVE = Sentiment.NEGATIVE.class_index

_SIZE = len(CLASSES)
Values = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """First model minus second: the figure on all rows, its 95 % interval, and how likely chance does as much."""

    difference: float
    low: float
    high: float
    p_value: float


@dataclass(frozen=True, kw_only=True)
class Pair:
    """What sets two models apart on the same rows."""

    rows: int
    macro_f1: Difference
    negative_recall: Difference
    accuracy_p_value: float
    """McNemar's exact test: of the rows that one model alone gets right, are there more of one than of the other?"""


def compare(truth: Classes, first: Classes, second: Classes, *, seed: int) -> Pair:
    """Paired on rows; deterministic for a seed."""
    cells = np.bincount((truth * _SIZE + first) * _SIZE + second, minlength=_SIZE**3)
    drawn = np.random.default_rng(seed).multinomial(len(truth), cells / cells.sum(), size=RESAMPLES)
    tables = np.concatenate([cells[None], drawn]).reshape(-1, _SIZE, _SIZE, _SIZE)
    ours, theirs = tables.sum(axis=3), tables.sum(axis=2)
    right, wrong = (first == truth) & (second != truth), (first != truth) & (second == truth)
    apart = int(right.sum() + wrong.sum())
    return Pair(
        rows=len(truth),
        macro_f1=_difference(macro_f1_of_each(ours) - macro_f1_of_each(theirs)),
        negative_recall=_difference(recall_of_each(ours, NEGATIVE) - recall_of_each(theirs, NEGATIVE)),
        accuracy_p_value=float(binomtest(int(right.sum()), apart).pvalue) if apart else 1.0,
    )


def _difference(values: Values) -> Difference:
    """`values` are the figure on all rows, then that of each resample."""
    drawn = values[1:]
    outside = 100 * (1 - LEVEL) / 2
    low, high = np.percentile(drawn, [outside, 100 - outside])
    # One is added on both sides, as a p-value from draws is never quite zero.
    below, above = (drawn <= 0).sum() + 1, (drawn >= 0).sum() + 1
    p_value = min(1.0, 2 * min(below, above) / (len(drawn) + 1))
    return Difference(difference=float(values[0]), low=float(low), high=float(high), p_value=float(p_value))


def adaptive_calibration_error(truth: Classes, probabilities: Probabilities, *, bins: int = 15) -> float:
    """Like `metrics.calibration_error` with bins of equally many rows, which a few sure rows cannot dominate."""
    confidence = probabilities.max(axis=1)
    is_right = (probabilities.argmax(axis=1) == truth).astype(np.float64)
    order = np.argsort(confidence, kind="stable")
    gaps = [abs((confidence[part] - is_right[part]).sum()) for part in np.array_split(order, min(bins, len(order)))]
    return float(sum(gaps) / len(order))


def calibration_floor(probabilities: Probabilities, *, seed: int) -> float:
    """The calibration error that a model with these confidences would show on as many rows if it were perfect."""
    generator = np.random.default_rng(seed)
    confidence = probabilities.max(axis=1)
    answers = probabilities.argmax(axis=1)
    errors = []
    for _ in range(FLOOR_DRAWS):
        is_right = generator.random(len(confidence)) < confidence
        errors.append(calibration_error(np.where(is_right, answers, (answers + 1) % _SIZE), probabilities))
    return float(np.mean(errors))
