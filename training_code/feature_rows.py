"""The rows of the features folder as every later job reads them: in the order of the files.

Candidates and views go through the rows in this one order, so that answers can be joined by place. Needs numpy and
pyarrow alone. Knows nothing of models.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from feedback.sentiment import CLASSES
from training_code.failures import JobError
from training_code.metrics import Classes

ROWS_PER_BATCH = 8192
FINGERPRINT_KEY = b"fingerprint"
CLASS_OF = {int(sentiment): sentiment.class_index for sentiment in CLASSES}


@dataclass(frozen=True, kw_only=True)
class SplitRows:
    """One split in memory."""

    text_ids: list[str]
    texts: list[str]
    classes: Classes
    fingerprint: str | None
    """Of the features that the split is from, where its files state it."""

    def __len__(self) -> int:
        return len(self.texts)


def read_split(folder: Path, *, split: str) -> SplitRows:
    """All rows of a split's own folder; JobError when there are none or they are no features."""
    text_ids: list[str] = []
    texts: list[str] = []
    classes: list[int] = []
    for batch in batches(folder, ("text_id", "text", "sentiment"), split=split):
        text_ids += batch["text_id"]
        texts += batch["text"]
        classes += [class_of(sentiment, split=split) for sentiment in batch["sentiment"]]
    if not texts:
        raise JobError(f"The {split} data has no rows.")
    return SplitRows(
        text_ids=text_ids,
        texts=texts,
        classes=np.array(classes, dtype=np.int64),
        fingerprint=fingerprint_of(folder),
    )


def batches(
    folder: Path, columns: Sequence[str], *, split: str, optional: Sequence[str] = ()
) -> Iterator[dict[str, list[Any]]]:
    """These columns of all parquet files under `folder`, and of the `optional` ones those that a file has.

    A few thousand rows at a time, however many there are.
    """
    paths = sorted(folder.rglob("*.parquet")) if folder.is_dir() else []
    if not paths:
        raise JobError(f"There is no {split} data: {folder} holds no parquet file.")
    for path in paths:
        try:
            with pq.ParquetFile(path) as file:
                names = file.schema_arrow.names
                missing = [name for name in columns if name not in names]
                if missing:
                    raise JobError(f"{path.name} of the {split} data has no column '{missing[0]}'.")
                wanted = [*columns, *(name for name in optional if name in names)]
                # Group by group: one iterator over all keeps the groups that it has passed in memory.
                for group in range(file.num_row_groups):
                    for batch in file.iter_batches(ROWS_PER_BATCH, row_groups=[group], columns=wanted):
                        yield batch.to_pydict()
        except (pa.ArrowException, OSError) as error:
            first_line = str(error).partition("\n")[0][:300]
            raise JobError(f"{path.name} of the {split} data cannot be read as features: {first_line}") from error


def count(folder: Path, *, split: str) -> int:
    """How many rows there are, from the files' own footers."""
    try:
        return sum(pq.read_metadata(path).num_rows for path in sorted(folder.rglob("*.parquet")))
    except (pa.ArrowException, OSError) as error:
        raise JobError(f"The {split} data in {folder} cannot be read: {error}") from error


def fingerprint_of(folder: Path) -> str | None:
    """The last file's, as all files of one build state the same."""
    metadata = pq.read_metadata(max(folder.rglob("*.parquet"))).metadata or {}
    return metadata[FINGERPRINT_KEY].decode() if FINGERPRINT_KEY in metadata else None


def class_of(sentiment: object, *, split: str) -> int:
    """The class index of a sentiment; JobError for one that there is not."""
    found = CLASS_OF.get(sentiment) if isinstance(sentiment, int) else None
    if found is None:
        raise JobError(f"The {split} data holds the unknown sentiment {sentiment}.")
    return found
