"""What many explained texts say of words in general: which of them move the answer towards a class, and how far.

Knows nothing of how the attributions were made.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training_code.explanations.attributions import Attribution
from training_code.explanations.words import plain

LEAST_TEXTS = 2
"""A word of a single text says more of the text than of the word."""


@dataclass(frozen=True, kw_only=True)
class Word:
    """A word's part in one class's probability."""

    word: str
    mean: float
    """What it adds on average to a text in which it stands."""
    weight: float
    """What it adds on average to any of the texts: how strong it is, and how often it occurs."""
    texts: int


def importance(found: Sequence[Attribution], *, class_index: int, most: int) -> list[Word]:
    """The words that move the texts most towards or away from a class, the weightiest first."""
    sums: dict[str, float] = defaultdict(float)
    texts: dict[str, int] = defaultdict(int)
    for attribution in found:
        in_text: dict[str, float] = defaultdict(float)
        column: npt.NDArray[np.float64] = attribution.values[:, class_index]
        for word, value in zip(attribution.words, column.tolist(), strict=True):
            if plain(word):
                in_text[plain(word)] += value
        for word, value in in_text.items():
            sums[word] += value
            texts[word] += 1
    words = [
        Word(word=word, mean=sums[word] / texts[word], weight=sums[word] / len(found), texts=texts[word])
        for word in sums
        if texts[word] >= LEAST_TEXTS
    ]
    return sorted(words, key=lambda word: (-abs(word.weight), word.word))[:most]
