"""A text as words that can be taken away one by one, in the form that the shap library asks for.

Knows nothing of models.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

NOTHING = "..."
"""What a model is asked when every word is taken away: an empty text is refused by our containers."""


def words_of(text: str) -> tuple[str, ...]:
    """The words in their order, with the punctuation that touches them."""
    return tuple(text.split())


def plain(word: str) -> str:
    """The word as it is counted over many texts: without case and without punctuation around it."""
    return word.strip(".,;:!?\"'()[]{}*~-_/\\…“”‘’").casefold()  # noqa: RUF001 - typographic quotes are meant


class TakenAway:
    """A masker: given which words stay, the text that is left.

    Words that stand beside each other are credited together before they are told apart, halving the text again and
    again, so that a negation and what it negates are first seen as one.
    """

    def shape(self, words: Sequence[str]) -> tuple[int, int]:
        return 1, len(words)

    def mask_shapes(self, words: Sequence[str]) -> list[tuple[int]]:
        return [(len(words),)]

    def clustering(self, words: Sequence[str]) -> npt.NDArray[np.float64]:
        return halves(len(words))

    def __call__(self, stays: npt.NDArray[np.bool_], words: Sequence[str]) -> tuple[npt.NDArray[np.object_]]:
        left = " ".join(word for word, is_left in zip(words, stays, strict=True) if is_left)
        return (np.array([left or NOTHING], dtype=object),)


def halves(size: int) -> npt.NDArray[np.float64]:
    """A tree over so many neighbours, as SciPy writes linkages: [size - 1, (left, right, distance, leaves)]."""
    rows: list[tuple[float, float, float, float]] = []

    def node(start: int, end: int) -> int:
        if end - start == 1:
            return start
        middle = (start + end + 1) // 2
        left, right = node(start, middle), node(middle, end)
        rows.append((left, right, (end - start) / size, end - start))
        return size + len(rows) - 1

    if size > 1:
        node(0, size)
    return np.array(rows, dtype=np.float64).reshape(-1, 4)
