"""The candidates of a run, their answers laid over the same rows, and those that failed with their reason.

Knows the folders of candidates and of features; knows nothing of figures.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training_code.bias.facets import LENGTH, length_band
from training_code.candidates import predictions
from training_code.candidates.predictions import TEST, VALIDATION, Candidate, Predictions
from training_code.failures import JobError
from training_code.feature_rows import batches, class_of
from training_code.metrics import Classes

FACETS = ("category", "channel", "age_band", "language")
COLUMNS = ("text_id", "text", "sentiment", "stars", "words", *FACETS)


@dataclass(frozen=True, kw_only=True)
class SplitFacts:
    """What is known of the rows of one split, in the order of its files."""

    text_ids: list[str]
    texts: list[str]
    truth: Classes
    stars: list[int | None]
    facets: Mapping[str, list[str | None]]
    """Each of FACETS, and `length` as a band of words."""

    def __len__(self) -> int:
        return len(self.text_ids)


@dataclass(frozen=True, kw_only=True)
class Contender:
    """A candidate with its answers to the rows of both splits, in the order of those."""

    candidate: Candidate
    validation: Predictions
    test: Predictions


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A candidate that has no answers, and why."""

    name: str
    reason: str


def read_facts(features: Path, split: str) -> SplitFacts:
    """All rows of the split; JobError where there is none."""
    columns: dict[str, list[object]] = {name: [] for name in COLUMNS}
    for batch in batches(features / split, COLUMNS, split=split):
        for name in COLUMNS:
            columns[name] += batch[name]
    if not columns["text_id"]:
        raise JobError(f"The {split} data has no rows.")
    words = [value if isinstance(value, int) else 0 for value in columns["words"]]
    facets = {name: [None if value is None else str(value) for value in columns[name]] for name in FACETS}
    return SplitFacts(
        text_ids=[str(value) for value in columns["text_id"]],
        texts=[str(value) for value in columns["text"]],
        truth=np.array([class_of(value, split=split) for value in columns["sentiment"]], dtype=np.int64),
        stars=[value if isinstance(value, int) else None for value in columns["stars"]],
        facets={**facets, LENGTH: [length_band(count) for count in words]},
    )


def read_contenders(folder: Path, validation: SplitFacts, test: SplitFacts) -> list[Contender]:
    """Every candidate below `folder`, by name; JobError where one has not answered all rows."""
    found = []
    for place in sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []:
        candidate, answers = predictions.read(place)
        if candidate.name != place.name:
            raise JobError(f"The folder {place.name} holds the candidate '{candidate.name}'.")
        try:
            known, unseen = (
                answers.of(split).aligned(facts.text_ids) for split, facts in ((VALIDATION, validation), (TEST, test))
            )
        except JobError as error:
            raise JobError(f"The candidate '{candidate.name}' has not answered every row: {error}") from error
        found.append(Contender(candidate=candidate, validation=known, test=unseen))
    if not found:
        raise JobError(f"There is no candidate to compare in {folder}.")
    return found


def read_failures(given: Sequence[str]) -> list[Failure]:
    """Each as JSON with `name` and `reason`."""
    failures = []
    for one in given:
        try:
            document = json.loads(one)
            failures.append(Failure(name=str(document["name"]), reason=str(document["reason"])))
        except (ValueError, KeyError, TypeError) as error:
            raise JobError("A failed candidate is told as JSON with name and reason.") from error
    return failures
