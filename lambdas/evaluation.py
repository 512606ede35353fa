"""What an evaluation says about a model: the few figures that the gate judges and the registry keeps.

It does not know what is good enough.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from feedback.strict_json import BrokenJsonError, parse

SIZE_LIMIT_BYTES: Final = 4 * 1024 * 1024

_METADATA_VALUE_LIMIT: Final = 256
_ONLY_CANDIDATE: Final = "bert"
"""What every model was that was registered before a run had several candidates."""


class UnreadableEvaluationError(ValueError):
    """The document is no evaluation; the message says what is wrong with it."""


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Figures of one model on its frozen test rows. ``fingerprint`` is that of the features, rows included."""

    run: str
    candidate: str
    model_version: str
    fingerprint: str
    rows: int
    accuracy: float
    macro_f1: float
    balanced_accuracy: float
    negative_recall: float
    calibration_error: float

    def to_document(self) -> dict[str, Any]:
        """As JSON values, the way it travels through the state machine."""
        return asdict(self)

    def to_metadata(self) -> dict[str, str]:
        """As the strings that a model package keeps."""
        return {name: str(value)[:_METADATA_VALUE_LIMIT] for name, value in asdict(self).items()}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Evaluation":
        """The figures in the document that :meth:`to_document` wrote."""
        values: dict[str, Any] = {field.name: _value(document, field.name, field.type) for field in fields(cls)}
        return cls(**values)

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str]) -> "Evaluation":
        """The figures that a model package keeps; UnreadableEvaluationError where it keeps none."""
        document: dict[str, Any] = {}
        kept = {"candidate": _ONLY_CANDIDATE, **metadata}
        for field in fields(cls):
            try:
                document[field.name] = field.type(kept[field.name])  # type: ignore[operator]  # str, int or float
            except (KeyError, ValueError) as error:
                raise UnreadableEvaluationError(f"The model package states no {field.name}.") from error
        return cls.from_document(document)

    @classmethod
    def from_report(cls, report: str) -> "Evaluation":
        """The figures in an ``evaluation.json``."""
        try:
            document = parse(report)
        except BrokenJsonError as error:
            raise UnreadableEvaluationError(f"The evaluation cannot be read. {error}") from error
        if not isinstance(document, dict):
            raise UnreadableEvaluationError("The evaluation is no object.")
        features = document.get("features")
        fingerprint = features.get("fingerprint") if isinstance(features, dict) else None
        return cls.from_document({**document, "fingerprint": fingerprint})


def _value(document: Mapping[str, Any], name: str, type_: object) -> str | int | float:
    value = document.get(name)
    if type_ is str:
        if isinstance(value, str) and value:
            return value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        if type_ is int and isinstance(value, int) and value > 0:
            return value
        if type_ is float and math.isfinite(value) and 0.0 <= value <= 1.0:
            return float(value)
    raise UnreadableEvaluationError(f"The evaluation states no usable {name}.")
