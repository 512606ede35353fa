"""Training rows as a model meets them: token ids and classes, in batches of like length.

Reads the feature job's Parquet files. Needs numpy and pyarrow; knows nothing of torch or of the model.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from feedback.sentiment import CLASSES, LABELS, STARS
from training_code import feature_rows
from training_code.containers.ragged import Ids, Ragged, RaggedIds, pad
from training_code.containers.tokenization import Tokenization
from training_code.failures import JobError
from training_code.metrics import Classes

BATCHES_SORTED_TOGETHER = 40


@dataclass(frozen=True, kw_only=True)
class Rows:
    """One split: texts, their classes as column indices, and the fingerprint of the features that it is from.

    `stars` count from 0, and are None where not every row has a rating.
    """

    texts: list[str]
    classes: Classes
    fingerprint: str | None
    stars: Classes | None = None

    def __len__(self) -> int:
        return len(self.texts)

    def limited(self, maximum: int | None) -> Rows:
        """The first rows in the files' order, which is by hash: a fair draw that grows without changing."""
        if maximum is None or maximum >= len(self):
            return self
        return Rows(
            texts=self.texts[:maximum],
            classes=self.classes[:maximum],
            fingerprint=self.fingerprint,
            stars=self.stars[:maximum] if self.stars is not None else None,
        )


def read_rows(folder: Path | None, *, split: str) -> Rows:
    """All Parquet files under `folder`; JobError when there are no rows, no such columns, or an unknown sentiment."""
    if folder is None:
        raise JobError(f"There is no {split} data: the channel holds no parquet file.")
    texts: list[str] = []
    classes: list[int] = []
    stars: list[int | None] = []
    for batch in feature_rows.batches(folder, ("text", "sentiment"), split=split, optional=("stars",)):
        texts += batch["text"]
        classes += [feature_rows.class_of(sentiment, split=split) for sentiment in batch["sentiment"]]
        stars += batch.get("stars", [None] * len(batch["text"]))
    if not texts:
        raise JobError(f"The {split} data has no rows.")
    is_rated = all(type(each) is int and each in STARS for each in stars)
    return Rows(
        texts=texts,
        classes=np.array(classes, dtype=np.int64),
        fingerprint=feature_rows.fingerprint_of(folder),
        stars=np.array(stars, dtype=np.int64) - STARS[0] if is_rated else None,
    )


def require_every_class(rows: Rows, *, split: str) -> None:
    counts = np.bincount(rows.classes, minlength=len(CLASSES))
    for label, count in zip(LABELS, counts, strict=True):
        if count == 0:
            raise JobError(f"The {split} data has no '{label}' row, so nothing can be learned of that class.")


@dataclass(frozen=True, kw_only=True)
class Batch:
    """`taught` are a teacher's probabilities of the targets, where there is one; a spare batch counts for nothing."""

    input_ids: Ids
    attention_mask: Ids
    targets: Classes
    taught: npt.NDArray[np.float32] | None = None
    is_spare: bool = False

    def part(self, place: int, of: int) -> Batch:
        """Every `of`-th row from `place` on; a spare row where there is none, since models know no empty batch."""
        if of == 1:
            return self
        is_spare = place >= len(self.targets)
        rows = slice(0, 1) if is_spare else slice(place, None, of)
        return Batch(
            input_ids=self.input_ids[rows],
            attention_mask=self.attention_mask[rows],
            targets=self.targets[rows],
            taught=None if self.taught is None else self.taught[rows],
            is_spare=is_spare,
        )


@dataclass(frozen=True, kw_only=True)
class Examples:
    """Tokenised rows. The loss is about `stars` where there are any, everything else about the classes."""

    ids: Sequence[Sequence[int] | RaggedIds]
    classes: Classes
    pad_id: int
    stars: Classes | None = None
    taught: npt.NDArray[np.float32] | None = None

    @classmethod
    def of(cls, rows: Rows, tokenization: Tokenization, *, with_stars: bool = False) -> Examples:
        return cls(
            ids=Ragged.of(tokenization.encode(rows.texts)).rows(),
            classes=rows.classes,
            pad_id=tokenization.pad_id,
            stars=rows.stars if with_stars else None,
        )

    @property
    def targets(self) -> Classes:
        return self.classes if self.stars is None else self.stars

    def __len__(self) -> int:
        return len(self.ids)

    def limited(self, maximum: int) -> Examples:
        stars = self.stars[:maximum] if self.stars is not None else None
        return Examples(ids=self.ids[:maximum], classes=self.classes[:maximum], pad_id=self.pad_id, stars=stars)

    def steps_per_epoch(self, batch_size: int) -> int:
        return -(-len(self) // batch_size)

    def shuffled_batches(self, batch_size: int, generator: np.random.Generator) -> Iterator[Batch]:
        """Every row once: shuffled, then sorted by length within a few batches, so that little padding is computed."""
        lengths = np.array([len(row) for row in self.ids])
        order = generator.permutation(len(self))
        group = batch_size * BATCHES_SORTED_TOGETHER
        batches: list[npt.NDArray[np.int64]] = []
        for start in range(0, len(order), group):
            part = order[start : start + group]
            part = part[np.argsort(-lengths[part], kind="stable")]
            batches += [part[index : index + batch_size] for index in range(0, len(part), batch_size)]
        for place in generator.permutation(len(batches)):
            yield self._batch(batches[place])

    def ordered_batches(self, batch_size: int) -> Iterator[tuple[npt.NDArray[np.int64], Batch]]:
        """Every row once, sorted by length, with the rows' places."""
        order = np.argsort([len(row) for row in self.ids], kind="stable")
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            yield rows, self._batch(rows)

    def _batch(self, rows: npt.NDArray[np.int64]) -> Batch:
        input_ids, attention_mask = pad([self.ids[row] for row in rows], pad_id=self.pad_id)
        taught = None if self.taught is None else self.taught[rows]
        return Batch(input_ids=input_ids, attention_mask=attention_mask, targets=self.targets[rows], taught=taught)
