"""Counts rows once: how many have each value of a facet, in each group, with each label and each answer.

Everything in `measures` is computed from such a table, so its cost does not depend on how many metrics or values are
asked for. Knows nothing of metrics.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Codes = npt.NDArray[np.integer]
Booleans = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Coded:
    """A column as numbers of its values, which stand in the order of their first row; -1 is a missing value."""

    codes: Codes
    values: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.codes)

    @classmethod
    def of(cls, column: Sequence[str | None] | pa.Array | pa.ChunkedArray) -> Coded:
        """From strings, or from a string column of Arrow."""
        array = column if isinstance(column, pa.Array | pa.ChunkedArray) else pa.array(column, pa.string())
        encoded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
        if isinstance(encoded, pa.ChunkedArray):
            encoded = encoded.unify_dictionaries().combine_chunks()
        codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        return cls(codes=codes, values=tuple(encoded.dictionary.to_pylist()))

    def is_one_of(self, values: Sequence[str]) -> Booleans:
        """Which rows have one of the values."""
        chosen = np.array([value in values for value in self.values] + [False])
        result: Booleans = chosen[self.codes]
        return result


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows per value of a facet, group, label and answer."""

    values: tuple[str, ...]
    has_groups: bool
    has_answers: bool
    counts: Counts
    """[values + 1, groups, 2, 2]: the last entry of the first axis counts rows without a value; the last two axes say
    whether the label, and whether the answer, is the favoured one. Without answers their axis repeats the label."""

    @property
    def rows(self) -> int:
        return int(self.counts.sum())


def count(
    facet: Coded, is_favoured: Booleans, *, is_favoured_answer: Booleans | None = None, group: Coded | None = None
) -> Table:
    """The table of these columns; ValueError where they differ in length, or a group is missing."""
    others = [column for column in (is_favoured, is_favoured_answer, group) if column is not None]
    if any(len(column) != len(facet) for column in others):
        raise ValueError("facet, labels, answers and groups must have a value for every row")
    if group is not None and len(group) and int(group.codes.min()) < 0:
        raise ValueError("every row must have a group")
    answers = is_favoured if is_favoured_answer is None else is_favoured_answer
    groups = 1 if group is None else max(len(group.values), 1)
    size = len(facet.values) + 1
    place = facet.codes.astype(np.intp)
    if group is not None:
        place *= groups
        place += group.codes
    place *= 4
    place += is_favoured.view(np.uint8) * np.uint8(2)
    place += answers.view(np.uint8)
    # A missing value has the code -1: it counts backwards from the end of the table, which is where it belongs.
    place[place < 0] += size * groups * 4
    counts = np.bincount(place, minlength=size * groups * 4).reshape(size, groups, 2, 2)
    return Table(
        values=facet.values,
        has_groups=group is not None,
        has_answers=is_favoured_answer is not None,
        counts=counts.astype(np.int64),
    )
