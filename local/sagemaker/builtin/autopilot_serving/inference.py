"""The second container of a candidate: features to class numbers and probabilities."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING or __package__:
    from local.sagemaker.builtin.autopilot_serving import answers
    from local.sagemaker.builtin.autopilot_serving.classifier import Classifier
    from local.sagemaker.builtin.autopilot_serving.matrix import CONTENT_TYPE, Rows
else:
    import answers
    from classifier import Classifier
    from matrix import CONTENT_TYPE, Rows


class RequestError(ValueError):
    """A request that cannot be answered; its sentence goes to the client."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.status_code = status


def model_fn(model_dir: str) -> Classifier:
    """The classifier that the archive holds."""
    if "labels" in _wanted():
        raise ValueError("labels are the last container's to give: leave them out of SAGEMAKER_INFERENCE_OUTPUT here")
    return Classifier.load(Path(model_dir))


def transform_fn(model: Classifier, data: bytes | str, content_type: str, accept: str) -> tuple[str, str]:
    """A CSV record for each row of features, with what SAGEMAKER_INFERENCE_OUTPUT asks for."""
    if content_type != CONTENT_TYPE or isinstance(data, str):
        raise RequestError(f"This container takes {CONTENT_TYPE}, not {content_type}.", 415)
    try:
        probabilities = model.probabilities(Rows.from_bytes(data))
    except ValueError as error:
        raise RequestError(f"The features cannot be answered: {error}.") from error
    records = []
    for row in probabilities.tolist():
        best = max(range(len(row)), key=row.__getitem__)
        answer = {"predicted_label": best, "probability": row[best], "probabilities": row}
        records.append([answer[key] for key in _wanted()])
    return answers.write(records), "text/csv"


def _wanted() -> list[str]:
    return answers.keys(os.environ.get("SAGEMAKER_INFERENCE_OUTPUT", "predicted_label"))
