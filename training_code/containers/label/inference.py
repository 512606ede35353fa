"""Third container, the inverse label transformer: logits to sentiment, label, probabilities and confidence.

Below the abstain threshold the answer is *unsure*, never a silent neutral. Where a line came with variants, the answer
names the words that carried it. Knows nothing of texts or tokens.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from feedback.sentiment import CLASSES, LABELS, UNSURE
from training_code.containers import selftest
from training_code.containers.artifact import open_artifact
from training_code.containers.content_types import JSON, JSON_LINES, answer_type
from training_code.containers.decision import Weights, decided, equal_weights, read_weights
from training_code.containers.errors import RequestError, answering, malformed
from training_code.containers.lines import Line
from training_code.containers.manifest import read_json
from training_code.containers.occlusion import explain
from training_code.containers.tensors import Array, Expected, Message, unpack

DECIMALS = 6
EXPECTED = {"logits": Expected("F32", columns=len(CLASSES))}

Probabilities = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Calibration:
    """Logits are divided by `temperature`; a confidence below `abstain_below` makes the answer unsure.

    Confidence is the probability of the class that is decided for, which `decision_weights` [3] have a say in.
    """

    temperature: float
    abstain_below: float
    model_version: str
    decision_weights: Weights = field(default_factory=equal_weights)

    def probabilities(self, logits: Array) -> Probabilities:
        """[rows, 3] in class order."""
        scaled = logits.astype(np.float64) / self.temperature
        exponentials = np.exp(scaled - scaled.max(axis=1, keepdims=True, initial=-np.inf))
        result: Probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
        return result

    def decide(self, probabilities: Probabilities) -> int:
        """The class of one row [3]."""
        return int(decided(probabilities[None], self.decision_weights)[0])


@dataclass(frozen=True)
class Answers:
    """Probabilities [rows, 3] in class order."""

    message: Message
    probabilities: Probabilities
    calibration: Calibration


def model_fn(model_dir: str) -> Calibration:
    calibration = load_calibration(model_dir, model_version=open_artifact(model_dir, container="label"))
    selftest.check_label(model_dir, lambda logits: answer(calibration.probabilities(logits)[0], calibration))
    return calibration


def load_calibration(model_dir: str, *, model_version: str) -> Calibration:
    """From the files of an artifact, or of a trained model; RuntimeError in one sentence when they are not usable."""
    labels = read_json(model_dir, "labels.json")
    if labels.get("labels") != list(LABELS) or labels.get("sentiments") != [int(sentiment) for sentiment in CLASSES]:
        raise RuntimeError("labels.json in the model artifact is not in this product's class order.")
    values = read_json(model_dir, "calibration.json")
    return Calibration(
        temperature=_number(values, "temperature", above=0.0),
        abstain_below=_number(values, "abstain_below", above=-math.inf),
        model_version=model_version,
        decision_weights=read_weights(values, "calibration.json"),
    )


def _number(values: dict[str, object], name: str, *, above: float) -> float:
    value = values.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value <= above:
        raise RuntimeError(f"calibration.json in the model artifact states no usable {name}.")
    return float(value)


@answering
def input_fn(body: bytes | str, content_type: str) -> Message:
    return unpack(body, content_type, EXPECTED)


@answering
def predict_fn(data: Message, model: Calibration) -> Answers:
    logits = data.tensors["logits"]
    if not np.isfinite(logits).all():
        raise malformed("The logits are not all finite numbers.")
    return Answers(message=data, probabilities=model.probabilities(logits), calibration=model)


@answering
def output_fn(prediction: Answers, accept: str) -> tuple[bytes, str]:
    """One answer per request line, in order: JSON Lines, or one JSON document of the form that the request had."""
    kind = answer_type(accept)
    if kind is None:
        raise RequestError(406, f"Answers come as {JSON_LINES} or {JSON}.")
    answers = [_line(prediction, line) for line in prediction.message.lines]
    if kind == JSON:
        document = answers[0] if prediction.message.is_single and len(answers) == 1 else answers
        return json.dumps(document).encode("ascii"), JSON
    return "".join(f"{json.dumps(entry)}\n" for entry in answers).encode("ascii"), JSON_LINES


def _line(prediction: Answers, line: Line) -> dict[str, object]:
    named: dict[str, object] = {} if line.id is None else {"id": line.id}
    if line.row is None:
        error = line.error
        return named | {"error": {"code": error.code, "message": error.message} if error else None}
    probabilities = prediction.probabilities[line.row]
    found = named | answer(probabilities, prediction.calibration)
    if line.words is None:
        return found
    best = prediction.calibration.decide(probabilities)
    without = prediction.probabilities[line.row + 1 : line.row + 1 + len(line.words), best]
    return found | {"explanation": explain(line.words, float(probabilities[best]), without.tolist())}


def answer(probabilities: Probabilities, calibration: Calibration) -> dict[str, object]:
    """What is answered for one text."""
    best = calibration.decide(probabilities)
    confidence = float(probabilities[best])
    is_sure = confidence >= calibration.abstain_below
    return {
        "sentiment": int(CLASSES[best]) if is_sure else None,
        "label": LABELS[best] if is_sure else UNSURE,
        "probabilities": {label: round(float(p), DECIMALS) for label, p in zip(LABELS, probabilities, strict=True)},
        "confidence": round(confidence, DECIMALS),
        "model_version": calibration.model_version,
    }
