"""A fitted classifier as plain arrays: linear scores, or trees, and the link that makes them probabilities.

Knows features by their place only.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING or __package__:
    from local.sagemaker.builtin.autopilot_serving.matrix import Floats, Integers, Rows
else:
    from matrix import Floats, Integers, Rows

DESCRIPTION, ARRAYS = "algorithm.json", "algorithm.npz"
ROWS_AT_ONCE = 128


class Classifier:
    """The second container's model."""

    def __init__(self, description: Mapping[str, Any], arrays: Mapping[str, Any]) -> None:
        self._link: str = description["link"]
        self._slopes: Floats = arrays.get("slopes", np.zeros(0))
        self._offsets: Floats = arrays.get("offsets", np.zeros(0))
        self.width: int = description["features"]
        self._scores = _Linear(arrays) if description["kind"] == "linear" else _Trees(arrays, self.width)

    @classmethod
    def load(cls, folder: Path) -> "Classifier":
        """From what a candidate's training left."""
        with np.load(folder / ARRAYS, allow_pickle=False) as arrays:
            return cls(json.loads((folder / DESCRIPTION).read_text("utf-8")), dict(arrays))

    def probabilities(self, rows: Rows) -> Floats:
        """[rows, classes]; ValueError where the rows have other features."""
        if rows.width != self.width:
            raise ValueError(f"the rows have {rows.width} features, and the model has {self.width}")
        scores = self._scores.of(rows)
        result: Floats
        if self._link == "softmax":
            exponentials: Floats = np.exp(scores - scores.max(axis=1, keepdims=True))
            result = exponentials / exponentials.sum(axis=1, keepdims=True)
            return result
        # One sigmoid for each class, brought to a sum of 1: Platt's scaling of a one-against-the-rest machine.
        each = 1.0 / (1.0 + np.exp(self._slopes * scores + self._offsets))
        total = each.sum(axis=1, keepdims=True)
        result = np.where(total > 0, each / np.where(total > 0, total, 1.0), 1.0 / each.shape[1])
        return result


class _Linear:
    def __init__(self, arrays: Mapping[str, Any]) -> None:
        self._weights: Floats = arrays["weights"]
        self._intercepts: Floats = arrays["intercepts"]

    def of(self, rows: Rows) -> Floats:
        return rows.times(self._weights) + self._intercepts


class _Trees:
    """All trees side by side, each row walking down each of them at once.

    A child below 0 is the leaf ``-child - 1``. Nodes and leaves of all trees lie one after the other.
    """

    def __init__(self, arrays: Mapping[str, Any], width: int) -> None:
        self._feature: Integers = arrays["feature"]
        self._threshold: Floats = arrays["threshold"]
        self._left: Integers = arrays["left"]
        self._right: Integers = arrays["right"]
        self._leaves: Floats = arrays["leaves"]
        self._roots: Integers = arrays["roots"]
        self._class: Integers = arrays["class_of_tree"]
        self._classes = int(arrays["classes"])
        used = np.unique(self._feature)
        self._count = max(1, len(used))
        self._place = np.full(width, -1, dtype=np.int64)
        self._place[used] = np.arange(len(used))

    def of(self, rows: Rows) -> Floats:
        scores = np.zeros((len(rows), self._classes))
        for first in range(0, len(rows), ROWS_AT_ONCE):
            last = min(first + ROWS_AT_ONCE, len(rows))
            reached = self._walk(rows.dense(first, last, self._place, self._count))
            for index in range(self._classes):
                scores[first:last, index] = self._leaves[reached[:, self._class == index]].sum(axis=1)
        return scores

    def _walk(self, cells: Floats) -> Integers:
        """The leaf [rows, trees] that each row comes to in each tree."""
        node = np.tile(self._roots, (len(cells), 1))
        row = np.arange(len(cells))[:, None]
        while (on_the_way := node >= 0).any():
            here = np.where(on_the_way, node, 0)
            goes_left = cells[row, self._place[self._feature[here]]] <= self._threshold[here]
            node = np.where(on_the_way, np.where(goes_left, self._left[here], self._right[here]), node)
        return -node - 1
