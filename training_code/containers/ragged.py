"""Token ids of many texts without padding: all ids one behind the other, and how many belong to each text.

Knows nothing of tokenizers, models or the wire.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int64]
RaggedIds = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Ragged:
    """`ids` int32 [all tokens] and `lengths` int32 [rows], which add up."""

    ids: RaggedIds
    lengths: RaggedIds

    @classmethod
    def of(cls, rows: Sequence[Sequence[int] | RaggedIds]) -> Ragged:
        lengths = np.fromiter(map(len, rows), dtype=np.int32, count=len(rows))
        ids = np.fromiter(chain.from_iterable(rows), dtype=np.int32, count=int(lengths.sum()))
        return cls(ids=ids, lengths=lengths)

    def __post_init__(self) -> None:
        """ValueError where the lengths are not those of these ids, or a text has no token at all."""
        lengths = self.lengths
        if len(lengths) and int(lengths.min()) < 1:
            raise ValueError("a row has no token")
        if int(lengths.sum(dtype=np.int64)) != len(self.ids):
            raise ValueError("the lengths do not add up to the number of ids")

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def starts(self) -> npt.NDArray[np.int64]:
        """Where each row begins in `ids`."""
        return np.cumsum(self.lengths, dtype=np.int64) - self.lengths

    def rows(self) -> list[RaggedIds]:
        """A view of the ids per row."""
        return np.split(self.ids, np.cumsum(self.lengths, dtype=np.int64)[:-1]) if len(self) else []


def pad(rows: Sequence[Sequence[int] | RaggedIds], *, pad_id: int, multiple_of: int = 1) -> tuple[Ids, Ids]:
    """input_ids and attention_mask, int64 [rows, longest row, rounded up]; no rows give a width of zero."""
    width = max((len(row) for row in rows), default=0)
    width += -width % multiple_of
    input_ids = np.full((len(rows), width), pad_id, dtype=np.int64)
    attention_mask = np.zeros((len(rows), width), dtype=np.int64)
    for index, row in enumerate(rows):
        input_ids[index, : len(row)] = row
        attention_mask[index, : len(row)] = 1
    return input_ids, attention_mask
