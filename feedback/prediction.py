"""What the endpoint answered: one prediction or one failure a line, read strictly.

A wrong number, a missing field or a line too few is an error of the model, never a neutral sentiment. It does not know
how the endpoint is reached.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from feedback.sentiment import CLASSES, LABELS, UNSURE, Sentiment
from feedback.strict_json import BrokenJsonError, parse

_SUM_TOLERANCE: Final = 0.01
_VERSION_LIMIT: Final = 256
_REASON_LIMIT: Final = 300


class MalformedAnswerError(ValueError):
    """The endpoint's answer, or one line of it, does not keep the contract. Quotes nothing of it."""


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """A sentiment with what it rests on. ``sentiment`` is None when the model is unsure.

    ``probabilities`` stand in class order; ``confidence`` is the calibrated probability of the likeliest class.
    """

    sentiment: Sentiment | None
    probabilities: tuple[float, float, float]
    confidence: float
    model_version: str

    @property
    def label(self) -> str:
        """The sentiment's label, or ``unsure``."""
        return UNSURE if self.sentiment is None else self.sentiment.label

    def probability(self, sentiment: Sentiment) -> float:
        """The probability of one class."""
        return self.probabilities[sentiment.class_index]

    def to_document(self) -> dict[str, Any]:
        """The prediction as the endpoint words it."""
        return {
            "sentiment": None if self.sentiment is None else int(self.sentiment),
            "label": self.label,
            "confidence": self.confidence,
            "probabilities": dict(zip(LABELS, self.probabilities, strict=True)),
            "model_version": self.model_version,
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Prediction":
        """The prediction in a document of the endpoint's shape; MalformedAnswerError otherwise."""
        probabilities = _probabilities(document.get("probabilities"))
        sentiment = _sentiment(document.get("sentiment", math.nan), document.get("label"))
        version = document.get("model_version")
        if not isinstance(version, str) or not 0 < len(version) <= _VERSION_LIMIT:
            raise MalformedAnswerError("The answer names no model version.")
        return cls(
            sentiment=sentiment,
            probabilities=probabilities,
            confidence=_share(document.get("confidence"), "confidence"),
            model_version=version,
        )


@dataclass(frozen=True, kw_only=True)
class LineFailure:
    """One line that the endpoint could not answer. ``is_final``: the text itself is bad, trying again is no use."""

    code: str
    message: str

    @property
    def is_final(self) -> bool:
        """Codes of bad input begin with ``invalid_``, or are ``empty_text`` or ``too_long``."""
        return self.code.startswith("invalid_") or self.code in ("empty_text", "too_long")


Outcome = Prediction | LineFailure


def parse_answer(body: bytes, *, ids: Sequence[str]) -> list[Outcome]:
    """One outcome per id, in order. MalformedAnswerError when lines and ids do not match up.

    A line that is itself malformed becomes a LineFailure ``malformed_answer``: it fails alone.
    """
    try:
        lines = body.decode("utf-8").split("\n")
    except UnicodeDecodeError:
        raise MalformedAnswerError("The answer is not UTF-8.") from None
    if not lines[-1].strip():
        lines.pop()
    if len(lines) != len(ids):
        raise MalformedAnswerError(f"The answer has {len(lines)} lines for {len(ids)} texts.")
    return [_parse_or_fail(line, id_) for line, id_ in zip(lines, ids, strict=True)]


def parse_line(line: str, *, id_: str) -> Outcome:
    """The outcome in one answer line, which must be about ``id_``; MalformedAnswerError where it keeps no contract."""
    try:
        document = parse(line)
    except BrokenJsonError:
        raise MalformedAnswerError("The answer line is not JSON.") from None
    if not isinstance(document, dict):
        raise MalformedAnswerError("The answer line is not an object.")
    if document.get("id", id_) != id_:
        raise MalformedAnswerError("The answer line is about another feedback.")
    if "error" in document:
        return _failure(document["error"])
    return Prediction.from_document(document)


def _parse_or_fail(line: str, id_: str) -> Outcome:
    try:
        return parse_line(line, id_=id_)
    except MalformedAnswerError as error:
        return LineFailure(code="malformed_answer", message=str(error))


def _failure(error: object) -> LineFailure:
    code = error.get("code") if isinstance(error, dict) else None
    message = error.get("message") if isinstance(error, dict) else None
    if not isinstance(code, str) or not code or not isinstance(message, str):
        raise MalformedAnswerError("The error in the answer line has no code and message.")
    return LineFailure(code=code[:_REASON_LIMIT], message=message[:_REASON_LIMIT])


def _sentiment(value: object, label: object) -> Sentiment | None:
    if value is None and label == UNSURE:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        for sentiment in CLASSES:
            if sentiment == value and sentiment.label == label:
                return sentiment
    raise MalformedAnswerError("Sentiment and label in the answer do not agree.")


def _probabilities(value: object) -> tuple[float, float, float]:
    if not isinstance(value, Mapping) or set(value) != set(LABELS):
        raise MalformedAnswerError("The answer does not give one probability for each label.")
    negative, neutral, positive = (_share(value[label], "probability") for label in LABELS)
    if abs(negative + neutral + positive - 1.0) > _SUM_TOLERANCE:
        raise MalformedAnswerError("The probabilities in the answer do not add up to 1.")
    return negative, neutral, positive


def _share(value: object, name: str) -> float:
    """A number of 0 to 1; NaN fails every comparison."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value <= 1.0:
        raise MalformedAnswerError(f"The {name} in the answer is no number from 0 to 1.")
    return float(value)
