"""Writes what an artifact is tested with where it is loaded: plain texts and what this model makes of them.

The counterpart of `containers.selftest`. The answers come from the containers' own code. Knows nothing of archives.
"""

from __future__ import annotations

import json
from pathlib import Path

from feedback.text import clean
from training_code.containers.classify.inference import load_classifier
from training_code.containers.label.inference import answer, load_calibration
from training_code.containers.ragged import Ragged
from training_code.containers.tokenization import Tokenization

TEXTS = (
    "The dress fits perfectly and feels lovely, thank you!",
    "Broke after one day.<br>I want my money back &amp; an apology.",
    "It is okay, nothing special.",
    "Très déçu: la taille ne va pas du tout 😞",
    "The shoes came late and in the wrong colour, the box was open and nobody answered my three letters. " * 2,
)
"""Of unlike lengths and in more than one language; none is anybody's."""


def selftest_cases(model: Path) -> dict[str, list[dict[str, object]]]:
    """Cases by container, for a folder with a model's data files; RuntimeError when the model cannot be loaded."""
    tokenization = Tokenization.load(model)
    ids = tokenization.encode([clean(text) for text in TEXTS])
    logits = load_classifier(model).batches.logits(Ragged.of(ids).rows())
    calibration = load_calibration(str(model), model_version="")
    answers = []
    for row, probabilities in zip(logits, calibration.probabilities(logits), strict=True):
        answers.append({"logits": row.tolist(), "answer": _versionless(answer(probabilities, calibration))})
    return {
        "transform": [{"text": text, "ids": row} for text, row in zip(TEXTS, ids, strict=True)],
        "classify": [{"ids": row, "logits": found.tolist()} for row, found in zip(ids, logits, strict=True)],
        "label": json.loads(json.dumps(answers)),
    }


def _versionless(answered: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in answered.items() if name != "model_version"}
