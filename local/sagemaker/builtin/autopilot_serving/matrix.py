"""Rows of features, most of them zero, as they pass from the first container to the second. Knows no features."""

import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

CONTENT_TYPE = "application/x-npz"

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Rows:
    """Compressed sparse rows: row i holds ``values[starts[i]:starts[i + 1]]`` in ``columns`` of the same range."""

    values: Floats
    columns: Integers
    starts: Integers
    width: int

    def __len__(self) -> int:
        return len(self.starts) - 1

    def times(self, weights: Floats) -> Floats:
        """The product with ``weights`` [width, outputs]: [rows, outputs]."""
        result = np.zeros((len(self), weights.shape[1]))
        filled = np.flatnonzero(np.diff(self.starts))
        if len(filled):
            products = self.values[:, None] * weights[self.columns]
            result[filled] = np.add.reduceat(products, self.starts[:-1][filled], axis=0)
        return result

    def dense(self, first: int, last: int, place: Integers, count: int) -> Floats:
        """Rows first to last - 1 of some columns: ``place`` [width] says where each goes, -1 for nowhere."""
        part = slice(int(self.starts[first]), int(self.starts[last]))
        row = np.repeat(np.arange(last - first), np.diff(self.starts[first : last + 1]))
        to = place[self.columns[part]]
        result = np.zeros((last - first, count))
        result[row[to >= 0], to[to >= 0]] = self.values[part][to >= 0]
        return result

    def to_bytes(self) -> bytes:
        """For :meth:`from_bytes`."""
        stream = io.BytesIO()
        np.savez(stream, values=self.values, columns=self.columns, starts=self.starts, width=np.int64(self.width))
        return stream.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> "Rows":
        """ValueError where the bytes are no rows."""
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
                rows = cls(
                    values=arrays["values"].astype(np.float64),
                    columns=arrays["columns"].astype(np.int64),
                    starts=arrays["starts"].astype(np.int64),
                    width=int(arrays["width"]),
                )
        except (OSError, KeyError, EOFError) as error:
            raise ValueError(f"the features cannot be read: {error}") from error
        ends = len(rows.starts) > 0 and rows.starts[0] == 0 and rows.starts[-1] == len(rows.values) == len(rows.columns)
        inside = rows.columns.size == 0 or (rows.columns.min() >= 0 and rows.columns.max() < rows.width)
        if not (ends and inside and (np.diff(rows.starts) >= 0).all()):
            raise ValueError("the features do not fit together")
        return rows
