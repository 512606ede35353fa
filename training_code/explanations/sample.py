"""Draws the texts that are explained: as many of each class, from the test rows, by a seed.

Long texts are left out, since every word costs questions to the model. Knows nothing of models.
"""

from __future__ import annotations

from itertools import chain, zip_longest
from pathlib import Path

import numpy as np

from feedback.sentiment import CLASSES
from training_code.explanations.attributions import Text
from training_code.explanations.words import words_of
from training_code.failures import JobError
from training_code.feature_rows import batches, class_of

MOST_WORDS = 80


def drawn(test: Path, *, texts: int, seed: int) -> list[Text]:
    """At most so many texts of 2 to MOST_WORDS words, the classes in turn. JobError where there is none."""
    rows = _rows(test)
    generator = np.random.default_rng(seed)
    per_class = -(-texts // len(CLASSES))
    of_class = []
    for sentiment in CLASSES:
        own = [row for row in rows if row.truth == sentiment.class_index]
        places = generator.permutation(len(own))[:per_class]
        of_class.append([own[place] for place in places])
    in_turn = [text for text in chain.from_iterable(zip_longest(*of_class)) if text is not None]
    if not in_turn:
        raise JobError(f"There is no test row under {test} of 2 to {MOST_WORDS} words that could be explained.")
    return in_turn[:texts]


def _rows(test: Path) -> list[Text]:
    """By text id, so that the files' division does not matter."""
    found = [
        Text(text_id=text_id, text=text, truth=class_of(sentiment, split="test"))
        for batch in batches(test, ("text_id", "text", "sentiment"), split="test")
        for text_id, text, sentiment in zip(batch["text_id"], batch["text"], batch["sentiment"], strict=True)
        if 2 <= len(words_of(text)) <= MOST_WORDS
    ]
    return sorted(found, key=lambda text: text.text_id)
