"""What a classifier's answers are worth, from true classes and probabilities. Needs numpy alone.

Classes are column indices in the order of `feedback.sentiment`. A row's answer is the class that the model decided for,
by default the most probable one, also where the product would answer *unsure* (that share is stated beside). Knows
nothing of models, files or thresholds of a gate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from feedback.sentiment import CLASSES, LABELS, Sentiment

CALIBRATION_BINS = 15

Classes = npt.NDArray[np.int64]
Probabilities = npt.NDArray[np.float64]
Confusion = npt.NDArray[np.int64]
Unsure = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class ClassScore:
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, kw_only=True)
class Scores:
    rows: int
    accuracy: float
    macro_f1: float
    macro_f1_interval: tuple[float, float]
    balanced_accuracy: float
    negative_recall: float
    negative_recall_interval: tuple[float, float]
    per_class: dict[str, ClassScore]
    confusion: list[list[int]]
    """A row per true class, a column per answered class."""
    calibration_error: float
    """Of the probabilities alone, whatever was decided: how far the highest one is from how often it is right."""


def score(
    truth: Classes,
    probabilities: Probabilities,
    answers: Classes | None = None,
    *,
    resamples: int = 1000,
    seed: int = 7,
) -> Scores:
    """All figures at once, of `answers` where a model decides otherwise than for the most probable class.

    ValueError when there is no row or the shapes do not fit.
    """
    if len(truth) == 0 or probabilities.shape != (len(truth), len(CLASSES)):
        raise ValueError("scores need at least one row, and a probability per class for each")
    if answers is None:
        answers = probabilities.argmax(axis=1)
    elif answers.shape != truth.shape:
        raise ValueError("scores need one answer for each row")
    table = confusion(truth, answers)
    per_class = class_scores(table)
    return Scores(
        rows=len(truth),
        accuracy=float((truth == answers).mean()),
        macro_f1=macro_f1(table),
        macro_f1_interval=macro_f1_interval(table, resamples=resamples, seed=seed),
        balanced_accuracy=balanced_accuracy(table),
        negative_recall=per_class[Sentiment.NEGATIVE.label].recall,
        negative_recall_interval=recall_interval(table, Sentiment.NEGATIVE.class_index, resamples=resamples, seed=seed),
        per_class=per_class,
        confusion=table.tolist(),
        calibration_error=calibration_error(truth, probabilities),
    )


def confusion(truth: Classes, answers: Classes) -> Confusion:
    size = len(CLASSES)
    return np.bincount(truth * size + answers, minlength=size * size).reshape(size, size)


def class_scores(table: Confusion) -> dict[str, ClassScore]:
    """Per label; a ratio without cases is 0, as in scikit-learn with zero_division=0."""
    hits, support, answered = np.diag(table), table.sum(axis=1), table.sum(axis=0)
    recall, precision = _ratio(hits, support), _ratio(hits, answered)
    f1 = _ratio(2 * hits, support + answered)
    return {
        label: ClassScore(
            precision=float(precision[index]),
            recall=float(recall[index]),
            f1=float(f1[index]),
            support=int(support[index]),
        )
        for index, label in enumerate(LABELS)
    }


def macro_f1(table: Confusion) -> float:
    """The mean F1 of the classes that occur, in truth or in answers."""
    return float(macro_f1_of_each(table[None])[0])


def balanced_accuracy(table: Confusion) -> float:
    """The mean recall of the classes that occur in truth."""
    support = table.sum(axis=1)
    return float(_ratio(np.diag(table), support)[support > 0].mean())


def macro_f1_interval(table: Confusion, *, resamples: int, seed: int) -> tuple[float, float]:
    """The 95 % percentile bootstrap of macro-F1."""
    return _interval(macro_f1_of_each(_resampled(table, resamples, seed)))


def recall_interval(table: Confusion, class_index: int, *, resamples: int, seed: int) -> tuple[float, float]:
    """The 95 % percentile bootstrap of one class's recall; (0, 0) for a class without rows, whose recall is 0 too."""
    draws = _resampled(table, resamples, seed)
    found = recall_of_each(draws, class_index)[draws[:, class_index].sum(axis=1) > 0]
    return _interval(found) if len(found) else (0.0, 0.0)


def _resampled(table: Confusion, resamples: int, seed: int) -> Confusion:
    """[resamples, classes, classes]. Resampling rows is resampling the confusion's cells: multinomial."""
    rows = int(table.sum())
    draws = np.random.default_rng(seed).multinomial(rows, table.ravel() / rows, size=resamples)
    return draws.reshape(-1, *table.shape)


def _interval(values: Probabilities) -> tuple[float, float]:
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def calibration_error(truth: Classes, probabilities: Probabilities, *, bins: int = CALIBRATION_BINS) -> float:
    """The expected calibration error: how far confidence is from accuracy, averaged over bins of equal width."""
    confidence = probabilities.max(axis=1)
    is_right = (probabilities.argmax(axis=1) == truth).astype(np.float64)
    place = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    gaps = np.bincount(place, weights=confidence - is_right, minlength=bins)
    return float(np.abs(gaps).sum() / len(truth))


def macro_f1_of_each(tables: Confusion) -> Probabilities:
    """Macro-F1 of each table in [n, classes, classes]."""
    support, answered = tables.sum(axis=2), tables.sum(axis=1)
    hits = np.diagonal(tables, axis1=1, axis2=2)
    occurs = (support + answered) > 0
    total: Probabilities = np.where(occurs, _ratio(2 * hits, support + answered), 0.0).sum(axis=1)
    result: Probabilities = total / occurs.sum(axis=1)
    return result


def recall_of_each(tables: Confusion, class_index: int) -> Probabilities:
    """One class's recall in each table of [n, classes, classes]; 0 where it has no row."""
    return _ratio(tables[:, class_index, class_index], tables[:, class_index].sum(axis=1))


def _ratio(part: Confusion, whole: Confusion) -> Probabilities:
    return np.divide(part, whole, out=np.zeros(whole.shape, dtype=np.float64), where=whole > 0)
