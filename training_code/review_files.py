"""Finds the review files under a folder and reads them as one table of canonical columns.

Every file is looked at before any is read, so that a broken one or a renamed column is named, with its path. Knows the
file formats and DuckDB; knows nothing of what makes a review worth keeping.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.backends.duckdb import Backend

from training_code.failures import JobError
from training_code.selection import OPTIONAL, REQUIRED

SUFFIXES = {
    ".parquet": "parquet",
    ".csv": "csv",
    ".csv.gz": "csv",
    ".jsonl": "jsonl",
    ".jsonl.gz": "jsonl",
}


def find(folder: Path) -> dict[str, list[Path]]:
    """The files by format, sorted; JobError when there is none. Hidden files and other suffixes are passed over."""
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*")):
        kind = next((kind for suffix, kind in SUFFIXES.items() if path.name.lower().endswith(suffix)), None)
        if kind and path.is_file() and not path.name.startswith((".", "_")) and path.stat().st_size > 0:
            found.setdefault(kind, []).append(path)
    if not found:
        raise JobError(f"There are no reviews under {folder}: no file ends in {', '.join(SUFFIXES)}.")
    return found


def read(connection: Backend, folder: Path) -> tuple[ir.Table, int]:
    """All reviews as one table, and the number of files. JobError names the file that cannot be read."""
    found = find(folder)
    tables = [_read_group(connection, kind, paths, folder) for kind, paths in sorted(found.items())]
    return ibis.union(*tables) if len(tables) > 1 else tables[0], sum(map(len, found.values()))


def _read_group(connection: Backend, kind: str, paths: list[Path], folder: Path) -> ir.Table:
    """Files of one format; a file may lack optional columns, so files of unlike columns are read apart."""
    by_columns: dict[tuple[str, ...], list[Path]] = {}
    for path in paths:
        columns = _columns(connection, kind, path, folder)
        missing = [name for name in REQUIRED if name not in columns]
        if missing:
            raise JobError(
                f"{path.relative_to(folder)} has no column {' and no '.join(map(repr, missing))}; "
                f"it has {', '.join(columns[:20]) or 'none'}."
            )
        by_columns.setdefault(columns, []).append(path)
    tables = [
        _canonical(_scan(connection, kind, group, tuple(name for name in columns if name in (*REQUIRED, *OPTIONAL))))
        for columns, group in sorted(by_columns.items())
    ]
    return ibis.union(*tables) if len(tables) > 1 else tables[0]


def _columns(connection: Backend, kind: str, path: Path, folder: Path) -> tuple[str, ...]:
    try:
        if kind == "parquet":
            return tuple(pq.read_schema(path).names)
        return tuple(_scan(connection, kind, [path]).columns)
    except (pa.ArrowException, OSError, duckdb.Error) as error:
        raise JobError(f"{path.relative_to(folder)} is no readable {kind} file: {_first_line(error)}.") from error


def _scan(connection: Backend, kind: str, paths: list[Path], wanted: tuple[str, ...] = ()) -> ir.Table:
    names = [str(path) for path in paths]
    if kind == "parquet":
        return connection.read_parquet(names, hive_partitioning=False)
    if kind == "csv":
        return connection.read_csv(names, all_varchar=True, header=True, hive_partitioning=False)
    # Types are never guessed: a date would be written anew, and an id would lose its leading zeros.
    columns = dict.fromkeys(wanted, "VARCHAR") if wanted else None
    return connection.read_json(names, columns=columns, format="newline_delimited", hive_partitioning=False)


def _canonical(table: ir.Table) -> ir.Table:
    """The required columns and the optional ones, null where the files have none; all as strings but the rating."""
    selected = {"text": table.text.cast("string"), "rating": table.rating.cast("string")}
    for name in OPTIONAL:
        selected[name] = table[name].cast("string") if name in table.columns else ibis.null("string")
    return table.select(**selected)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".")[:300]
