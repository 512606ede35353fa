"""A Parquet file as gzipped JSON Lines, a line per row, in bounded memory.

The functions on AWS carry no native library that reads Parquet; this machine has one. It does not know what rows mean.
"""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path

from cli.errors import BadInput

MAGIC = b"PAR1"
ROWS_AT_ONCE = 1_000


def is_parquet(content: bytes) -> bool:
    """Whether it begins as Parquet does."""
    return content.startswith(MAGIC)


def as_json_lines(file: Path) -> bytes:
    """Every row as a JSON object; what JSON has no word for (a date, a decimal) is its text. BadInput when broken."""
    import pyarrow
    from pyarrow import parquet

    written = io.BytesIO()
    try:
        with gzip.GzipFile(fileobj=written, mode="wb", mtime=0) as lines:
            for batch in parquet.ParquetFile(file).iter_batches(batch_size=ROWS_AT_ONCE):
                for row in batch.to_pylist():
                    lines.write(json.dumps(row, default=str).encode("ascii") + b"\n")
    except (pyarrow.ArrowException, OSError) as error:
        raise BadInput(f"{file} cannot be read as Parquet ({type(error).__name__}).") from None
    return written.getvalue()
