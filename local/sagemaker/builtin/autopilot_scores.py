"""How good a candidate is on validation rows, by Autopilot's names. Knows no models."""

from collections.abc import Mapping, Sequence
from typing import Any

from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    confusion_matrix,
    f1_score,
    log_loss,
    precision_recall_fscore_support,
    precision_score,
    recall_score,
)

from local.sagemaker.builtin.autopilot_table import AutopilotError

OBJECTIVES = ("Accuracy", "BalancedAccuracy", "F1macro", "PrecisionMacro", "RecallMacro")
BINARY_OBJECTIVES = ("F1", "Precision", "Recall")
"""Of the second label."""


def objective(wanted: str | None, classes: int) -> str:
    """The metric that the search maximises; AutopilotError where it is none for so many classes."""
    allowed = OBJECTIVES + (BINARY_OBJECTIVES if classes == 2 else ())
    chosen = wanted or ("F1" if classes == 2 else "Accuracy")
    if chosen not in allowed:
        raise AutopilotError(
            f"the local Autopilot does not maximise {chosen} with {classes} labels, only {', '.join(allowed)}"
        )
    return chosen


def scores(truth: Any, probabilities: Any, classes: int) -> dict[str, float]:
    """Every metric that can be had."""
    answers, labels = probabilities.argmax(axis=1), list(range(classes))
    macro: Mapping[str, Any] = {"average": "macro", "zero_division": 0, "labels": labels}
    found = {
        "Accuracy": accuracy_score(truth, answers),
        "BalancedAccuracy": balanced_accuracy_score(truth, answers),
        "F1macro": f1_score(truth, answers, **macro),
        "PrecisionMacro": precision_score(truth, answers, **macro),
        "RecallMacro": recall_score(truth, answers, **macro),
        "LogLoss": log_loss(truth, probabilities, labels=labels),
    }
    if classes == 2:
        found |= {
            "F1": f1_score(truth, answers, zero_division=0),
            "Precision": precision_score(truth, answers, zero_division=0),
            "Recall": recall_score(truth, answers, zero_division=0),
        }
    return {name: float(value) for name, value in found.items()}


def insights(truth: Any, answers: Any, labels: Sequence[str]) -> dict[str, Any]:
    """The report on the best candidate: what is confused with what, and each label by itself."""
    places = list(range(len(labels)))
    precision, recall, f1, support = precision_recall_fscore_support(truth, answers, labels=places, zero_division=0)
    return {
        "dataset": {"item_count": len(truth)},
        "confusion_matrix": {
            actual: dict(zip(labels, (int(count) for count in row), strict=True))
            for actual, row in zip(labels, confusion_matrix(truth, answers, labels=places), strict=True)
        },
        "per_label": {
            label: {
                "precision": float(precision[place]),
                "recall": float(recall[place]),
                "f1": float(f1[place]),
                "support": int(support[place]),
            }
            for place, label in enumerate(labels)
        },
    }
