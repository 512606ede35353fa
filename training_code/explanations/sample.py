"""Draws the texts that are explained: as many of each class, from the test rows, by a seed.

Long texts are left out, since every word costs questions to the model. Knows nothing of models.
"""

from __future__ import annotations

from itertools import chain, zip_longest
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from feedback.sentiment import CLASSES
from training_code.explanations.attributions import Text
from training_code.explanations.words import words_of
from training_code.failures import JobError

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
    class_of = {int(sentiment): sentiment.class_index for sentiment in CLASSES}
    found: list[Text] = []
    for path in sorted(test.rglob("*.parquet")):
        try:
            table = pq.read_table(path, columns=["text_id", "text", "sentiment"], partitioning=None)
        except (pa.ArrowException, OSError) as error:
            raise JobError(f"{path.name} of the test data cannot be read as features: {error}") from error
        found += [
            Text(text_id=row["text_id"], text=row["text"], truth=class_of[row["sentiment"]])
            for row in table.to_pylist()
            if 2 <= len(words_of(row["text"])) <= MOST_WORDS and row["sentiment"] in class_of
        ]
    return sorted(found, key=lambda text: text.text_id)
