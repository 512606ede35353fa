"""Rows of the review queue as a file that a spreadsheet or a program opens. It does not know where rows come from."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

from cli.errors import BadInput
from feedback.neutral import csv_cell

COLUMNS = (
    "id",
    "reason",
    "received_at",
    "channel",
    "product_id",
    "category",
    "rating",
    "label",
    "confidence",
    "model_version",
    "text",
)


class Format(Enum):
    """What a file can be."""

    CSV = ".csv"
    JSON_LINES = ".jsonl"

    @classmethod
    def of(cls, file: Path) -> Format:
        """By the file's ending; BadInput for any other."""
        for form in cls:
            if file.suffix.lower() == form.value:
                return form
        raise BadInput(f"{file} ends in none of {', '.join(form.value for form in cls)}.")


def write_rows(file: Path, form: Format, rows: Iterable[Mapping[str, Any]]) -> int:
    """Write the rows and return how many there were; BadInput where the file cannot be written."""
    try:
        with file.open("w", encoding="utf-8", newline="") as target:
            if form is Format.JSON_LINES:
                return _count(target.write(json.dumps(dict(row), ensure_ascii=True) + "\n") for row in rows)
            writer = csv.writer(target, lineterminator="\n")
            writer.writerow(COLUMNS)
            return _count(writer.writerow([_cell(row[column]) for column in COLUMNS]) for row in rows)
    except OSError as error:
        raise BadInput(f"{file} cannot be written: {error.strerror}.") from None


def _cell(value: object) -> object:
    """Text is made harmless; numbers stay numbers."""
    return csv_cell(value) if isinstance(value, str) else value


def _count(written: Iterable[object]) -> int:
    return sum(1 for _ in written)
