"""Reads a Clarify data set in CSV: with a header line, or with `headers` and none. Every value stays text."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from training_code.bias.analysis import Dataset
from training_code.bias.contingency import Coded
from training_code.failures import JobError


def read_csv(place: Path, *, headers: Sequence[str] | None) -> Dataset:
    """All CSV files under a folder, or one file; an empty cell is a missing value. JobError where there is no row."""
    paths = [place] if place.is_file() else sorted(path for path in place.rglob("*") if path.is_file())
    if not paths:
        raise JobError(f"The dataset {place} holds no file.")
    tables = [_read(path, headers) for path in paths]
    names = tables[0].schema.names
    if any(table.schema.names != names for table in tables):
        raise JobError("The files of the dataset have different columns.")
    table = pa.concat_tables(tables).unify_dictionaries()
    if table.num_rows == 0:
        raise JobError("The dataset has no rows.")
    return Dataset(columns={name: Coded.of(table.column(name)) for name in names})


def _read(path: Path, headers: Sequence[str] | None) -> pa.Table:
    # Dictionaries keep a column of few values small while it is read.
    text = pa.dictionary(pa.int32(), pa.string())
    names = list(headers) if headers else _first_line(path)
    try:
        return pa.csv.read_csv(
            path,
            read_options=pa.csv.ReadOptions(column_names=names, skip_rows=0 if headers else 1),
            convert_options=pa.csv.ConvertOptions(
                column_types=dict.fromkeys(names, text), null_values=[""], strings_can_be_null=True
            ),
        )
    except (pa.ArrowException, OSError) as error:
        reason = re.sub(r"(got \d+):.*", r"\1", str(error), flags=re.DOTALL)  # without the line itself
        raise JobError(f"{path.name} of the dataset cannot be read as CSV of {len(names)} columns: {reason}") from error


def _first_line(path: Path) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return next(csv.reader(file), [])
