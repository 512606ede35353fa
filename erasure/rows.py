"""Contents of objects without the customer's rows. Bytes in, bytes out; what stays is byte for byte what it was.

Knows the formats of the lake: JSON Lines, the endpoint's captured batches, Parquet. It does not know S3.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from erasure.subject import Subject


@dataclass(frozen=True, kw_only=True)
class Kept:
    """``content`` is None where nothing is left to keep; ``removed`` counts the rows that are gone."""

    content: bytes | None
    removed: int


Rule = Callable[[bytes, Subject], Kept]


def without_lines(content: bytes, subject: Subject) -> Kept:
    """JSON Lines without the customer's."""
    lines = content.splitlines(keepends=True)
    kept = [line for line in lines if not _is_theirs(line, subject)]
    return _joined(content, kept, removed=len(lines) - len(kept))


def without_quoted_lines(content: bytes, subject: Subject) -> Kept:
    """JSON Lines without those that hold a text of the customer's: rows that have lost their ids."""
    lines = content.splitlines(keepends=True)
    kept = [line for line in lines if not (_is_theirs(line, subject) or subject.wrote(_text_in(line)))]
    return _joined(content, kept, removed=len(lines) - len(kept))


def without_captured(content: bytes, subject: Subject) -> Kept:
    """Captured invocations: each holds a batch of lines and the lines of the answer, of which only some may go."""
    kept: list[bytes] = []
    removed = 0
    for line in content.splitlines(keepends=True):
        record = _parsed(line)
        sides = record.get("captureData", {}) if isinstance(record, dict) else {}
        gone = 0
        for side in sides.values():
            data = without_lines(_data(side), subject)
            if data.removed:
                gone = max(gone, data.removed)
                _set_data(side, data.content or b"")
        removed += gone
        if not gone:
            kept.append(line)
        elif any(side.get("data") for side in sides.values()):
            kept.append(json.dumps(record).encode("utf-8") + b"\n")
    return _joined(content, kept, removed=removed)


def without_table_rows(content: bytes, subject: Subject) -> Kept:
    """A Parquet file without rows that name the customer's feedback, or hold a text of theirs."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = pq.ParquetFile(io.BytesIO(content))
    names = [name for name in file.schema_arrow.names if name in ("review_id", "feedback_id", "customer_ref", "text")]
    rows = file.read(columns=names).to_pylist() if names else []
    stays = [not (subject.owns(row) or subject.wrote(row.get("text"))) for row in rows]
    removed = stays.count(False)
    if not removed:
        return Kept(content=content, removed=0)
    table = file.read().filter(pa.array(stays))
    if table.num_rows == 0:
        return Kept(content=None, removed=removed)
    compression = file.metadata.row_group(0).column(0).compression.lower()
    target = io.BytesIO()
    pq.write_table(table, target, compression="none" if compression == "uncompressed" else compression)
    return Kept(content=target.getvalue(), removed=removed)


def without_if_named(content: bytes, subject: Subject) -> Kept:
    """All of a document, where it names the customer or one of their feedbacks."""
    is_theirs = subject.is_named_in_document(content.decode("utf-8", "replace"))
    return Kept(content=None if is_theirs else content, removed=int(is_theirs))


def without_if_answered(content: bytes, subject: Subject) -> Kept:
    """All of a query's result, where a row of it names the customer or quotes them."""
    is_theirs = subject.is_answered_in(content.decode("utf-8", "replace"))
    return Kept(content=None if is_theirs else content, removed=int(is_theirs))


def parsed_rows(content: bytes) -> Iterator[dict[str, Any]]:
    """The rows of JSON Lines; what is no JSON object is no row."""
    for line in content.splitlines():
        if isinstance(document := _parsed(line), dict):
            yield document


def _text_in(line: bytes) -> object:
    document = _parsed(line)
    return document.get("text") if isinstance(document, dict) else None


def _is_theirs(line: bytes, subject: Subject) -> bool:
    document = _parsed(line)
    return isinstance(document, dict) and subject.owns(document)


def _parsed(line: bytes) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None


def _joined(content: bytes, kept: list[bytes], *, removed: int) -> Kept:
    if not removed:
        return Kept(content=content, removed=0)
    return Kept(content=b"".join(kept) or None, removed=removed)


def _data(side: dict[str, Any]) -> bytes:
    data: str = side.get("data", "")
    return base64.b64decode(data) if side.get("encoding") == "BASE64" else data.encode("utf-8")


def _set_data(side: dict[str, Any], data: bytes) -> None:
    side["data"] = base64.b64encode(data).decode("ascii") if side.get("encoding") == "BASE64" else data.decode("utf-8")
