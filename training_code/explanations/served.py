"""Asks a release's packed containers for the probabilities of texts, as an endpoint would be asked.

Knows nothing of explanations.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from feedback.sentiment import LABELS
from training_code import chain
from training_code.artifacts import CONTAINERS
from training_code.explanations.attributions import Ask
from training_code.failures import JobError
from training_code.metrics import Probabilities

LINES_PER_REQUEST = 64


@contextmanager
def answering(release: Path, scratch: Path) -> Iterator[Ask]:
    """A function from texts to probabilities [texts, classes], for as long as the block lasts."""
    archives = {container: release / f"{container}.tar.gz" for container in CONTAINERS}
    missing = [path.name for path in archives.values() if not path.is_file()]
    if missing:
        raise JobError(f"There is no {missing[0]} in {release}, so it is no release of a model.")
    with chain.running(archives, scratch) as containers:

        def ask(texts: Sequence[str]) -> Probabilities:
            answers = np.empty((len(texts), len(LABELS)))
            for start in range(0, len(texts), LINES_PER_REQUEST):
                part = texts[start : start + LINES_PER_REQUEST]
                answers[start : start + len(part)] = _answers(containers, part)
            return answers

        yield ask


def _answers(containers: chain.Chain, texts: Sequence[str]) -> list[list[float]]:
    request = "\n".join(json.dumps({"id": str(place), "text": text}) for place, text in enumerate(texts))
    answers = [json.loads(line) for line in containers.ask(request.encode()).splitlines()]
    if [answer.get("id") for answer in answers] != [str(place) for place in range(len(texts))]:
        raise JobError("The containers lost or reordered lines of a request.")
    for answer in answers:
        if "error" in answer:
            raise JobError(f"The containers refused a text: {answer['error']['message']}")
    return [[answer["probabilities"][label] for label in LABELS] for answer in answers]
