"""Comma-separated values of one text per record (RFC 4180): where records end, and the one field in each.

Split before they are read, so that a broken record costs no other. Knows nothing of encodings or of what a text is.
"""

from __future__ import annotations

import re

_QUOTED = re.compile(r'"[^"]*(?:""[^"]*)*"')


class CsvRecordError(ValueError):
    """A record that is not one field; the message is one sentence and quotes nothing of it."""


def split_records(raw: bytes) -> list[bytes]:
    """The records without their line ends. A line feed inside quotes ends none; a field left open runs to the end."""
    records: list[bytes] = []
    pending: list[bytes] = []
    is_open = False
    for part in raw.split(b"\n"):
        if pending or part.startswith(b'"'):
            is_open ^= part.count(b'"') % 2 == 1
        pending.append(part)
        if not is_open:
            records.append(b"\n".join(pending).removesuffix(b"\r"))
            pending = []
    if pending:
        records.append(b"\n".join(pending))
    if records and not records[-1].strip():
        records.pop()
    return records


def only_field(record: str) -> str:
    """The one field of a record."""
    if not record.startswith('"'):
        if '"' in record:
            raise CsvRecordError("The record has a quotation mark inside a field without quotes.")
        if "," in record:
            raise CsvRecordError("The record has more than one field; put a text with commas in quotes.")
        return record
    match = _QUOTED.match(record)
    if match is None:
        raise CsvRecordError("The record has a quotation mark that is never closed.")
    if match.end() != len(record):
        raise CsvRecordError("The record goes on after its closing quotation mark.")
    return record[1:-1].replace('""', '"')
