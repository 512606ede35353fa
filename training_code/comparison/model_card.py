"""The model card of the champion, as SageMaker's model registry keeps it with a model package.

The content follows the schema of a model package's card, which is that of model cards with less in its overview:
https://docs.aws.amazon.com/sagemaker/latest/dg/model-registry-details.html. Texts of customers are never in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from feedback.sentiment import LABELS

PURPOSE = (
    "Tells whether a customer's message is negative, neutral or positive, so that unhappy customers are heard soon and "
    "products that go wrong are noticed."
)
INTENDED = "Product reviews and messages of customers to a shop, in the languages that the model was trained on."
FACTORS = (
    "Irony, mixed opinions, very short texts, other languages and other kinds of products than those of the training "
    "reviews. Labels come from stars, which do not always say what the words say."
)
RISK = "Low"
RISK_REASON = "A wrong answer delays or raises an alert to a care team; no decision about a person rests on it alone."
CAVEATS = "Answers below the abstain threshold are given to people. Watch drift, and correct what is wrong."

Document = Mapping[str, Any]


def content(found: Document) -> dict[str, Any]:
    """The card of the champion of a comparison."""
    champion = next(one for one in found["candidates"] if one["name"] == found["champion"])
    metrics = champion["metrics"]
    return {
        "model_overview": {"model_creator": f"Earshot, run {found['run']}"},
        "intended_uses": {
            "purpose_of_model": PURPOSE,
            "intended_uses": INTENDED,
            "factors_affecting_model_efficiency": FACTORS,
            "risk_rating": RISK,
            "explanations_for_risk_rating": RISK_REASON,
        },
        "training_details": {
            "training_observations": (
                f"{champion['title']}, {champion['trained_rows']} training rows, features {found['fingerprint']}"
            ),
        },
        "evaluation_details": [
            {
                "name": "Frozen test rows",
                "evaluation_observation": (
                    f"{found['test_rows']} rows in their natural mix of classes, which no model learned from. The "
                    f"champion was chosen on {found['validation_rows']} validation rows."
                ),
                "metric_groups": [
                    {"name": "All rows", "metric_data": _overall(metrics)},
                    {"name": "By class", "metric_data": _by_class(metrics)},
                    {
                        "name": "Macro-F1 of all candidates",
                        "metric_data": [
                            _number(one["title"], one["metrics"]["macro_f1"])
                            for one in found["candidates"]
                            if one["status"] == "scored"
                        ],
                    },
                ],
            }
        ],
        "additional_information": {
            "caveats_and_recommendations": CAVEATS,
            "custom_details": {
                "run": str(found["run"]),
                "candidate": str(champion["name"]),
                "features": str(found["fingerprint"]),
            },
        },
    }


def _overall(metrics: Document) -> list[dict[str, Any]]:
    names = ("macro_f1", "balanced_accuracy", "accuracy", "negative_recall", "calibration_error")
    low, high = metrics["macro_f1_interval"]
    notes = {"macro_f1": f"95 % interval {low:.3f} to {high:.3f}"}
    return [_number(name, metrics[name], notes=notes.get(name)) for name in names]


def _by_class(metrics: Document) -> list[dict[str, Any]]:
    numbers = [
        _number(f"{label} {part}", metrics["per_class"][label][part])
        for label in LABELS
        for part in ("precision", "recall", "f1")
    ]
    confusion = {
        "name": "Confusion",
        "type": "matrix",
        "value": metrics["confusion"],
        "x_axis_name": [f"answered {label}" for label in LABELS],
        "y_axis_name": [f"true {label}" for label in LABELS],
    }
    return [*numbers, confusion]


def _number(name: str, value: float, *, notes: str | None = None) -> dict[str, Any]:
    told = {"name": name, "type": "number", "value": round(float(value), 6)}
    return told if notes is None else {**told, "notes": notes}
