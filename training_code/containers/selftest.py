"""What an artifact must still answer where it is loaded: `selftest.json`, written when the artifact was packed.

Run once at the start of a container. It is also the warm-up, so that the first request is not the slow one, and a
processor on which the numbers come out differently is found before it answers a customer. An artifact without the file
is not tested. Knows nothing of how the answers are made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from feedback.sentiment import CLASSES
from feedback.text import clean
from training_code.containers.manifest import read_json

FILE = "selftest.json"
LARGEST_DIFFERENCE = 0.02
"""Of a probability before calibration."""
LARGEST_LOGIT = 1e6

Numbers = npt.NDArray[np.float32]


def check_transform(model_dir: str, encode: Callable[[list[str]], list[list[int]]]) -> None:
    """Cases are {"text", "ids"}; RuntimeError in one sentence where a text is cut into other tokens."""
    cases = _cases(model_dir, {"text": str, "ids": list})
    if cases and encode([clean(case["text"]) for case in cases]) != [case["ids"] for case in cases]:
        raise RuntimeError("The self-test failed: texts do not become the token ids that the model was packed with.")


def check_classify(model_dir: str, logits_of: Callable[[list[list[int]]], Numbers]) -> None:
    """Cases are {"ids", "logits"}; RuntimeError where probabilities differ by more than LARGEST_DIFFERENCE."""
    cases = _cases(model_dir, {"ids": list, "logits": list})
    if not cases:
        return
    if not all(case["ids"] and all(type(id_) is int for id_ in case["ids"]) for case in cases):
        raise _unusable()
    expected = np.stack([_logits(case) for case in cases])
    found = logits_of([case["ids"] for case in cases])
    if found.shape != expected.shape or not np.isfinite(found).all():
        raise RuntimeError("The self-test failed: the model gives no usable numbers.")
    difference = float(np.abs(_softmax(found) - _softmax(expected)).max())
    if not difference <= LARGEST_DIFFERENCE:
        raise RuntimeError(
            f"The self-test failed: probabilities are {difference:.3f} away from those that the model was packed with."
        )


def check_label(model_dir: str, answer: Callable[[Numbers], dict[str, object]]) -> None:
    """Cases are {"logits", "answer"}, the answer without its model version; RuntimeError where another is given."""
    for case in _cases(model_dir, {"logits": list, "answer": dict}):
        found = answer(_logits(case)[None])
        if {name: value for name, value in found.items() if name != "model_version"} != case["answer"]:
            raise RuntimeError("The self-test failed: logits do not become the answer that the model was packed with.")


def _cases(model_dir: str, fields: Mapping[str, type]) -> list[dict[str, Any]]:
    if not (Path(model_dir) / FILE).is_file():
        return []
    cases = read_json(model_dir, FILE).get("cases")
    if not isinstance(cases, list) or not cases:
        raise RuntimeError(f"{FILE} in the model artifact holds no cases.")
    for case in cases:
        if not isinstance(case, dict) or not all(isinstance(case.get(name), kind) for name, kind in fields.items()):
            raise _unusable()
    return cases


def _logits(case: dict[str, Any]) -> Numbers:
    """[3]"""
    values = case["logits"]
    is_usable = all(type(value) in (int, float) and abs(value) <= LARGEST_LOGIT for value in values)
    if len(values) != len(CLASSES) or not is_usable:
        raise _unusable()
    return np.array(values, dtype=np.float32)


def _unusable() -> RuntimeError:
    return RuntimeError(f"{FILE} in the model artifact holds a case that cannot be used.")


def _softmax(logits: Numbers) -> npt.NDArray[np.float64]:
    exponentials = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    result: npt.NDArray[np.float64] = exponentials / exponentials.sum(axis=1, keepdims=True)
    return result
