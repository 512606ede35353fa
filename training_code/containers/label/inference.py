"""Third container, the inverse label transformer: logits to sentiment, label, probabilities and confidence.

Below the abstain threshold the answer is *unsure*, never a silent neutral. Knows nothing of texts or tokens.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from feedback.sentiment import CLASSES, LABELS, UNSURE
from training_code.containers.content_types import JSON_LINES
from training_code.containers.lines import LineError
from training_code.containers.manifest import model_version, read_json
from training_code.containers.tensors import Expected, Message, unpack

DECIMALS = 6
EXPECTED = {"logits": Expected("F32", columns=len(CLASSES))}
NO_ANSWER = LineError(code="no_prediction", message="The model gave no finite numbers for this text.")

Probabilities = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Calibration:
    """Logits are divided by `temperature`; a confidence below `abstain_below` makes the answer unsure."""

    temperature: float
    abstain_below: float
    model_version: str


@dataclass(frozen=True)
class Answers:
    """Probabilities [rows, 3] in class order, NaN where the model gave none."""

    message: Message
    probabilities: Probabilities
    calibration: Calibration


def model_fn(model_dir: str) -> Calibration:
    version = model_version(model_dir, container="label")
    labels = read_json(model_dir, "labels.json")
    if labels.get("labels") != list(LABELS) or labels.get("sentiments") != [int(sentiment) for sentiment in CLASSES]:
        raise RuntimeError("labels.json in the model artifact is not in this product's class order.")
    calibration = read_json(model_dir, "calibration.json")
    return Calibration(
        temperature=_number(calibration, "temperature", above=0.0),
        abstain_below=_number(calibration, "abstain_below", above=-math.inf),
        model_version=version,
    )


def _number(values: dict[str, object], name: str, *, above: float) -> float:
    value = values.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value <= above:
        raise RuntimeError(f"calibration.json in the model artifact states no usable {name}.")
    return float(value)


def input_fn(body: bytes | str, content_type: str) -> Message:
    return unpack(body, content_type, EXPECTED)


def predict_fn(data: Message, model: Calibration) -> Answers:
    logits = data.tensors["logits"].astype(np.float64)
    logits[~np.isfinite(logits).all(axis=1)] = np.nan
    scaled = logits / model.temperature
    exponentials = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return Answers(
        message=data,
        probabilities=exponentials / exponentials.sum(axis=1, keepdims=True),
        calibration=model,
    )


def output_fn(prediction: Answers, accept: str) -> tuple[bytes, str]:
    """One JSON line per request line, in order. Always JSON Lines: it is the endpoint's one answer format."""
    del accept
    lines = []
    for line in prediction.message.lines:
        answer = _failure(line.error) if line.error or line.row is None else _answer(prediction, line.row)
        lines.append(json.dumps({"id": line.id} | answer if line.id is not None else answer))
    return "".join(f"{line}\n" for line in lines).encode("ascii"), JSON_LINES


def _answer(prediction: Answers, row: int) -> dict[str, object]:
    probabilities = prediction.probabilities[row]
    if not np.isfinite(probabilities).all():
        return _failure(NO_ANSWER)
    best = int(probabilities.argmax())
    confidence = float(probabilities[best])
    is_sure = confidence >= prediction.calibration.abstain_below
    return {
        "sentiment": int(CLASSES[best]) if is_sure else None,
        "label": LABELS[best] if is_sure else UNSURE,
        "probabilities": {label: round(float(p), DECIMALS) for label, p in zip(LABELS, probabilities, strict=True)},
        "confidence": round(confidence, DECIMALS),
        "model_version": prediction.calibration.model_version,
    }


def _failure(error: LineError | None) -> dict[str, object]:
    reason = error or NO_ANSWER
    return {"error": {"code": reason.code, "message": reason.message}}
