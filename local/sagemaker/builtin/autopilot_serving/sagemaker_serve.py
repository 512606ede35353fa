"""The first and the last container of a candidate: cells to features, and class numbers back to labels.

AUTOML_TRANSFORM_MODE says which of the two this one is, as in Autopilot's own images.
"""

import csv
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING or __package__:
    from local.sagemaker.builtin.autopilot_serving import answers
    from local.sagemaker.builtin.autopilot_serving.features import Processor
    from local.sagemaker.builtin.autopilot_serving.matrix import CONTENT_TYPE
else:
    import answers
    from features import Processor
    from matrix import CONTENT_TYPE

CSV = "text/csv"
LONGEST_CELL = 16 * 1024 * 1024
FEATURES, LABELS = "feature-transform", "inverse-label-transform"


class RequestError(ValueError):
    """A request that cannot be answered; its sentence goes to the client."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.status_code = status


def model_fn(model_dir: str) -> Processor:
    """The processor that the archive holds."""
    if _mode() not in (FEATURES, LABELS):
        raise ValueError(f"AUTOML_TRANSFORM_MODE is {_mode()!r}, neither {FEATURES} nor {LABELS}")
    _asked_for()
    csv.field_size_limit(LONGEST_CELL)
    return Processor.load(Path(model_dir))


def transform_fn(model: Processor, data: bytes | str, content_type: str, accept: str) -> tuple[bytes | str, str]:
    """Features for a CSV without header, or labels for the algorithm's answer."""
    if content_type.partition(";")[0].strip().lower() != CSV:
        raise RequestError(f"This container takes {CSV}, not {content_type}.", 415)
    text = data if isinstance(data, str) else data.decode()
    try:
        if _mode() == FEATURES:
            records = [record for record in csv.reader(io.StringIO(text, newline="")) if record]
            return model.transform(records).to_bytes(), CONTENT_TYPE
        return _labelled(model, text), CSV
    except (ValueError, csv.Error) as error:
        raise RequestError(f"The CSV cannot be answered: {error}.") from error


def _labelled(model: Processor, text: str) -> str:
    given, wanted = _asked_for()
    records = []
    for answer in answers.read(text, given):
        answer["predicted_label"] = model.labels[int(str(answer["predicted_label"]))]
        answer["labels"] = model.labels
        records.append([answer[key] for key in wanted])
    return answers.write(records)


def _asked_for() -> tuple[list[str], list[str]]:
    given = answers.keys(os.environ.get("SAGEMAKER_INFERENCE_INPUT", "predicted_label"))
    wanted = answers.keys(os.environ.get("SAGEMAKER_INFERENCE_OUTPUT", "predicted_label"))
    if "predicted_label" not in given:
        raise ValueError("SAGEMAKER_INFERENCE_INPUT must hold predicted_label")
    if missing := [key for key in wanted if key not in (*given, "labels")]:
        raise ValueError(f"SAGEMAKER_INFERENCE_OUTPUT asks for {missing[0]}, which SAGEMAKER_INFERENCE_INPUT lacks")
    return given, wanted


def _mode() -> str:
    return os.environ.get("AUTOML_TRANSFORM_MODE", FEATURES)
