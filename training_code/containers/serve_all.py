"""The three containers in one process, with the same four verbs: for a container of one's own.

The model folder holds the three artifacts, unpacked, in folders by their names. Between the parts nothing is written or
read, and the answers are the same, byte for byte. Knows nothing of servers.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from training_code.containers.classify import inference as classify
from training_code.containers.label import inference as label
from training_code.containers.requests import Request
from training_code.containers.transform import inference as transform

if TYPE_CHECKING:
    from training_code.containers.tokenization import Tokenization


@dataclass(frozen=True)
class Served:
    """What each container's `model_fn` gave."""

    tokenization: Tokenization
    classifier: classify.Classifier
    calibration: label.Calibration


def model_fn(model_dir: str) -> Served:
    folder = Path(model_dir)
    return Served(
        tokenization=transform.model_fn(str(folder / "transform")),
        classifier=classify.model_fn(str(folder / "classify")),
        calibration=label.model_fn(str(folder / "label")),
    )


def input_fn(body: bytes | str, content_type: str) -> Request:
    return transform.input_fn(body, content_type)


def predict_fn(data: Request, model: Served) -> label.Answers:
    tokens = transform.predict_fn(data, model.tokenization)
    return label.predict_fn(classify.predict_fn(tokens, model.classifier), model.calibration)


def output_fn(prediction: label.Answers, accept: str) -> tuple[bytes, str]:
    return label.output_fn(prediction, accept)
