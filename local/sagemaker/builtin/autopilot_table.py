"""The table that an AutoML job learns from: CSV files with a header, and what kind of column each one is.

What cannot be learned from is an AutopilotError, whose sentence becomes the job's FailureReason. Knows no models.
"""

import csv
import gzip
import io
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateAutoMLJobV2.html: "Minimum of 500 rows"
LEAST_ROWS = 500
LONGEST_CELL = 16 * 1024 * 1024
MOST_CATEGORIES = 100
WORDS_OF_A_TEXT = 3.0
GZIP = b"\x1f\x8b"

Kind = Literal["text", "category", "number", "unused"]


class AutopilotError(Exception):
    """The data or a setting makes the job impossible; the message is one sentence for the person who started it."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """Cells as text, by row, without the target; and the target's values."""

    columns: list[str]
    cells: list[list[str]]
    targets: list[str]

    def __len__(self) -> int:
        return len(self.targets)

    def column(self, index: int) -> list[str]:
        """One column's cells."""
        return [record[index] for record in self.cells]

    def where(self, rows: Sequence[int]) -> "Table":
        """These rows in this order."""
        return Table(
            columns=self.columns, cells=[self.cells[row] for row in rows], targets=[self.targets[row] for row in rows]
        )


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column as the search uses it."""

    name: str
    index: int
    kind: Kind
    distinct: int
    empty: int
    mean_words: float


def read_table(folder: Path, *, target: str, only: str | None, channel: str) -> Table:
    """All files of a channel; ``only`` is the one column to learn from, where the problem type has one.

    Rows without a target are left out, as Autopilot leaves them.
    """
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    if not paths:
        raise AutopilotError(f"the {channel} channel holds no file")
    columns: list[str] = []
    cells: list[list[str]] = []
    targets: list[str] = []
    for path in paths:
        header, records = _records(path, channel)
        if target not in header:
            raise AutopilotError(
                f"the target column {target!r} is not in the {channel} data: {path.name} has the columns "
                f"{', '.join(header)[:300]}"
            )
        if only is not None and only not in header:
            raise AutopilotError(f"the content column {only!r} is not in {path.name} of the {channel} data")
        kept = [only] if only is not None else [name for name in header if name != target]
        columns = columns or kept
        if sorted(kept) != sorted(columns):
            raise AutopilotError(f"{path.name} of the {channel} data has other columns than the files before it")
        places, place_of_target = [header.index(name) for name in columns], header.index(target)
        for number, record in records:
            if len(record) != len(header):
                raise AutopilotError(
                    f"row {number} of {path.name} in the {channel} data has {len(record)} fields, and the header has "
                    f"{len(header)}"
                )
            if record[place_of_target].strip():
                cells.append([record[place] for place in places])
                targets.append(record[place_of_target])
    if not targets:
        raise AutopilotError(f"the {channel} data has no row with a value of the target column {target!r}")
    return Table(columns=columns, cells=cells, targets=targets)


def check(training: Table, validation: Table | None, *, target: str) -> list[str]:
    """The labels, sorted; AutopilotError where there is nothing to learn to tell apart."""
    if len(training) < LEAST_ROWS:
        raise AutopilotError(f"the training data has {len(training)} rows, and a job needs at least {LEAST_ROWS}")
    counts = Counter(training.targets)
    if len(counts) < 2:
        raise AutopilotError(
            f"the target column {target!r} holds only the value {next(iter(counts))!r}, and a classification needs at "
            "least two"
        )
    scarce = sorted(label for label, count in counts.items() if count < 2)
    if scarce:
        raise AutopilotError(f"the target column {target!r} holds the value {scarce[0][:100]!r} only once")
    if validation is not None:
        if sorted(validation.columns) != sorted(training.columns):
            raise AutopilotError("the validation data has other columns than the training data")
        unknown = sorted(set(validation.targets) - set(counts))
        if unknown:
            raise AutopilotError(f"the validation data holds the label {unknown[0][:100]!r}, which training has not")
    return sorted(counts)


def aligned(table: Table, columns: Sequence[str]) -> Table:
    """The table with its columns in this order."""
    places = [table.columns.index(name) for name in columns]
    cells = [[record[place] for place in places] for record in table.cells]
    return Table(columns=list(columns), cells=cells, targets=table.targets)


def columns_of(table: Table) -> list[Column]:
    """What each column is taken for; AutopilotError where no column can be learned from."""
    found = [_column(table, index) for index in range(len(table.columns))]
    if all(column.kind == "unused" for column in found):
        raise AutopilotError("no column of the training data varies, so that nothing can be learned from it")
    return found


def _column(table: Table, index: int) -> Column:
    cells = table.column(index)
    filled = [cell for cell in cells if cell.strip()]
    distinct = len(set(cells))
    mean_words = sum(len(cell.split()) for cell in filled) / len(filled) if filled else 0.0
    kind: Kind
    if distinct < 2:
        kind = "unused"
    elif all(_is_number(cell) for cell in filled) and distinct > 2:
        kind = "number"
    elif mean_words >= WORDS_OF_A_TEXT and distinct > MOST_CATEGORIES / 10:
        kind = "text"
    elif distinct <= max(MOST_CATEGORIES, len(cells) // 100):
        kind = "category"
    else:
        kind = "text" if mean_words > 1.5 else "unused"
    return Column(
        name=table.columns[index],
        index=index,
        kind=kind,
        distinct=distinct,
        empty=len(cells) - len(filled),
        mean_words=round(mean_words, 2),
    )


def _is_number(cell: str) -> bool:
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False


def _records(path: Path, channel: str) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    content = path.read_bytes()
    csv.field_size_limit(LONGEST_CELL)
    try:
        if content.startswith(GZIP):
            content = gzip.decompress(content)
        text = content.decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise AutopilotError(f"{path.name} of the {channel} data cannot be read as CSV in UTF-8: {error}") from error
    try:
        records = list(csv.reader(io.StringIO(text, newline="")))
    except csv.Error as error:
        raise AutopilotError(f"{path.name} of the {channel} data cannot be read as CSV: {error}") from error
    if not records or not any(records):
        raise AutopilotError(f"{path.name} of the {channel} data is empty")
    header = records[0]
    if len(set(header)) != len(header):
        raise AutopilotError(f"{path.name} of the {channel} data has two columns of one name")
    return header, ((number, record) for number, record in enumerate(records[1:], start=2) if record)
