"""The rows that go out: their schema, their files and their fingerprint. Knows no engine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

ROWS_PER_GROUP = 65_536
SCHEMA = pa.schema(
    [
        pa.field("text_id", pa.string(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
        pa.field("stars", pa.int64(), nullable=False),
        pa.field("sentiment", pa.int64(), nullable=False),
        *(pa.field(name, pa.string()) for name in ("product_id", "category", "channel", "created_at", "language")),
        pa.field("words", pa.int64(), nullable=False),
        pa.field("age_band", pa.string()),
    ]
)
FINGERPRINT_KEY = "fingerprint"


def fingerprint(batches: Iterable[pa.RecordBatch]) -> str:
    """sha256 over text_id and sentiment of all rows, sorted by text_id: equal exactly when the labelled rows are."""
    digest = hashlib.sha256()
    for batch in batches:
        for text_id, sentiment in zip(batch["text_id"].to_pylist(), batch["sentiment"].to_pylist(), strict=True):
            digest.update(f"{text_id} {sentiment}\n".encode())
    return digest.hexdigest()


def write(batches: Iterable[pa.RecordBatch], path: Path, *, fingerprint: str) -> None:
    """One file of row groups; the fingerprint of all splits travels in its metadata."""
    path.parent.mkdir(parents=True, exist_ok=True)
    schema = SCHEMA.with_metadata({FINGERPRINT_KEY: fingerprint})
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        # Row groups of one size, whatever the engine's batches are: equal rows are equal files.
        waiting: list[pa.Table] = []
        for batch in batches:
            waiting.append(pa.Table.from_batches([batch]).cast(schema))
            if sum(map(len, waiting)) >= ROWS_PER_GROUP:
                table = pa.concat_tables(waiting).combine_chunks()
                whole = len(table) - len(table) % ROWS_PER_GROUP
                writer.write_table(table.slice(0, whole), row_group_size=ROWS_PER_GROUP)
                waiting = [table.slice(whole)]
        if sum(map(len, waiting)):
            writer.write_table(pa.concat_tables(waiting).combine_chunks())
