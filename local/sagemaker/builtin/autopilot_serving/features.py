"""Cells of a table turned into features as the candidate's own scikit-learn steps turn them, in plain Python and numpy.

Follows scikit-learn's TfidfVectorizer (words, and characters within words), OneHotEncoder and MinMaxScaler, for the
settings that the search uses; a test holds both against each other. Knows no requests and no estimator.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING or __package__:
    from local.sagemaker.builtin.autopilot_serving.matrix import Floats, Rows
else:
    from matrix import Floats, Rows

DESCRIPTION, ARRAYS = "processor.json", "processor.npz"
_WORD = re.compile(r"(?u)\b\w\w+\b")
_SPACES = re.compile(r"\s\s+")


class Processor:
    """The first container's model: the columns it expects, the parts that features are made by, and the labels."""

    def __init__(self, description: Mapping[str, Any], arrays: Mapping[str, Floats]) -> None:
        self.columns: list[str] = description["columns"]
        self.labels: list[str] = description["labels"]
        self._parts = [
            _PARTS[part["kind"]](part, arrays, str(index)) for index, part in enumerate(description["parts"])
        ]
        self._offsets = [0]
        for part in self._parts:
            self._offsets.append(self._offsets[-1] + part.width)

    @classmethod
    def load(cls, folder: Path) -> "Processor":
        """From what a candidate's training left."""
        with np.load(folder / ARRAYS, allow_pickle=False) as arrays:
            return cls(json.loads((folder / DESCRIPTION).read_text("utf-8")), dict(arrays))

    def transform(self, records: Sequence[Sequence[str]]) -> Rows:
        """The features of records with a cell for each column; ValueError where a record has more or fewer."""
        values: list[float] = []
        columns: list[int] = []
        starts = [0]
        for number, record in enumerate(records, start=1):
            if len(record) != len(self.columns):
                raise ValueError(
                    f"record {number} has {len(record)} fields, and the model was trained on {len(self.columns)}: "
                    f"{', '.join(self.columns)}"
                )
            for offset, part in zip(self._offsets[:-1], self._parts, strict=True):
                for column, value in part.features(record[part.column]):
                    columns.append(offset + column)
                    values.append(value)
            starts.append(len(values))
        return Rows(
            np.array(values, dtype=np.float64),
            np.array(columns, dtype=np.int64),
            np.array(starts, dtype=np.int64),
            self._offsets[-1],
        )


class _Terms:
    """TF-IDF over the terms of a text, each row of length 1."""

    def __init__(self, part: Mapping[str, Any], arrays: Mapping[str, Floats], name: str) -> None:
        self.column: int = part["column"]
        self._place = {term: index for index, term in enumerate(part["terms"])}
        self._shortest, self._longest = part["ngrams"]
        self._is_sublinear: bool = part["sublinear"]
        self._idf = [float(value) for value in arrays[f"idf_{name}"]]
        self.width = len(self._idf)

    def features(self, text: str) -> Iterator[tuple[int, float]]:
        place = self._place
        counts = Counter(place[term] for term in self._terms(text.lower()) if term in place)
        weighted = [
            (column, (math.log(count) + 1.0 if self._is_sublinear else float(count)) * self._idf[column])
            for column, count in sorted(counts.items())
        ]
        length = math.sqrt(sum(weight * weight for _, weight in weighted))
        return ((column, weight / length) for column, weight in weighted)

    def _terms(self, text: str) -> Iterator[str]:
        raise NotImplementedError


class _Words(_Terms):
    def _terms(self, text: str) -> Iterator[str]:
        words = _WORD.findall(text)
        for length in range(self._shortest, min(self._longest, len(words)) + 1):
            for start in range(len(words) - length + 1):
                yield " ".join(words[start : start + length])


class _Characters(_Terms):
    """Pieces of words with a blank at both ends, the analyzer ``char_wb``."""

    def _terms(self, text: str) -> Iterator[str]:
        for word in _SPACES.sub(" ", text).split():
            padded = f" {word} "
            for length in range(self._shortest, self._longest + 1):
                yield padded[:length]
                if length >= len(padded):
                    break  # A short word counts once.
                for start in range(1, len(padded) - length + 1):
                    yield padded[start : start + length]


class _Categories:
    """One column for each value that training has seen; nothing for another."""

    def __init__(self, part: Mapping[str, Any], arrays: Mapping[str, Floats], name: str) -> None:
        self.column: int = part["column"]
        self._place = {value: index for index, value in enumerate(part["values"])}
        self.width = len(self._place)

    def features(self, cell: str) -> Iterator[tuple[int, float]]:
        if cell in self._place:
            yield self._place[cell], 1.0


class _Number:
    """A number between the lowest and the highest of training, as 0 to 1; the median where there is none."""

    width = 1

    def __init__(self, part: Mapping[str, Any], arrays: Mapping[str, Floats], name: str) -> None:
        self.column: int = part["column"]
        self._median, self._low, self._high = part["median"], part["low"], part["high"]

    def features(self, cell: str) -> Iterator[tuple[int, float]]:
        try:
            value = float(cell)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            value = self._median
        yield 0, min(1.0, max(0.0, (value - self._low) / ((self._high - self._low) or 1.0)))


_PARTS: Mapping[str, Any] = {"words": _Words, "characters": _Characters, "categories": _Categories, "number": _Number}
