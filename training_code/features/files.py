"""Finds the review files under a folder and learns the columns of each, before any is read to the end.

So a broken file or a renamed column is named at once, with its path. Knows the file formats; knows neither the engine
that reads them nor what makes a review worth keeping.
"""

from __future__ import annotations

import csv
import gzip
import json
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import IO, cast

import pyarrow as pa
import pyarrow.parquet as pq

from training_code.failures import JobError
from training_code.features.selection import OPTIONAL, REQUIRED

SUFFIXES = {
    f".{suffix}{packed}": kind
    for suffix, kind in (
        ("parquet", "parquet"),
        ("csv", "csv"),
        ("tsv", "csv"),
        ("jsonl", "jsonl"),
        ("ndjson", "jsonl"),
    )
    for packed in ("", ".gz")
}
DELIMITERS = (",", ";", "\t", "|")
LINES_LOOKED_AT = 1_000
LONGEST_HEADER = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Group:
    """Files that are read alike. `columns` are canonical name -> name in the files."""

    kind: str
    columns: Mapping[str, str]
    header: tuple[str, ...]
    delimiter: str
    paths: tuple[Path, ...]


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


def groups(folder: Path, *, named: Mapping[str, str], scratch: Path) -> list[Group]:
    """All files under the folder. A file may lack optional columns, so files of unlike columns are read apart.

    `named` says which column of the files holds a canonical one; what it leaves out has its canonical name.
    """
    found: dict[tuple[str, tuple[str, ...], str], list[Path]] = {}
    for kind, paths in sorted(find(folder).items()):
        for path in paths:
            place = path.relative_to(folder)
            readable = _unpacked(path, place, scratch) if path.name.lower().endswith(".parquet.gz") else path
            header, delimiter = _header(kind, readable, place)
            _check(header, named, place)
            found.setdefault((kind, header, delimiter), []).append(readable)
    return [
        Group(
            kind=kind,
            columns=_canonical(header, named),
            header=header,
            delimiter=delimiter,
            paths=tuple(paths),
        )
        for (kind, header, delimiter), paths in sorted(found.items())
    ]


def _canonical(header: tuple[str, ...], named: Mapping[str, str]) -> dict[str, str]:
    wanted = {name: named.get(name, name) for name in (*REQUIRED, *OPTIONAL)}
    return {name: column for name, column in wanted.items() if column in header}


def _check(header: tuple[str, ...], named: Mapping[str, str], place: Path) -> None:
    wanted = [named.get(name, name) for name in REQUIRED] + list(named.values())
    missing = [name for name in dict.fromkeys(wanted) if name not in header]
    if missing:
        raise JobError(
            f"{place} has no column {' and no '.join(map(repr, missing))}; it has {', '.join(header[:20]) or 'none'}."
        )


def _header(kind: str, path: Path, place: Path) -> tuple[tuple[str, ...], str]:
    """The names of a file's columns, and what separates them where something does."""
    try:
        if kind == "parquet":
            return tuple(pq.read_schema(path).names), ""
        with _opened(path) as file:
            return _names_of_lines(file) if kind == "jsonl" else _names_of_table(file, path)
    except (pa.ArrowException, OSError, EOFError, ValueError, csv.Error) as error:
        first_line = str(error).strip().partition("\n")[0].rstrip(".")[:300]
        raise JobError(f"{place} is no readable {kind} file: {first_line}.") from error


def _names_of_table(file: IO[str], path: Path) -> tuple[tuple[str, ...], str]:
    first = file.readline(LONGEST_HEADER)
    if path.name.lower().removesuffix(".gz").endswith(".tsv"):
        delimiter = "\t"
    else:
        counted = Counter(first)
        delimiter = max(DELIMITERS, key=lambda character: counted[character])
    # A header's name may hold a line break: then the record goes on.
    while first.count('"') % 2 and (more := file.readline(LONGEST_HEADER)):
        first += more
    return tuple(next(csv.reader([first], delimiter=delimiter, strict=True), [])), delimiter


def _names_of_lines(file: IO[str]) -> tuple[tuple[str, ...], str]:
    names: dict[str, None] = {}
    for number, line in enumerate(file, start=1):
        if number > LINES_LOOKED_AT:
            break
        if not line.strip():
            continue
        row = json.loads(line)
        if not isinstance(row, dict):
            raise ValueError(f"line {number} is not a JSON object")
        names.update(dict.fromkeys(row))
    # Only what is used tells groups apart; the order of keys does not.
    return tuple(sorted(names)), ""


def _opened(path: Path) -> IO[str]:
    if path.name.lower().endswith(".gz"):
        return cast(IO[str], TextIOWrapper(gzip.open(path), encoding="utf-8-sig", newline=""))
    return path.open(encoding="utf-8-sig", newline="")


def _unpacked(path: Path, place: Path, scratch: Path) -> Path:
    """Parquet is read from its end, so that a packed one is unpacked first."""
    target = scratch / "unpacked" / place.with_suffix("")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with gzip.open(path) as packed, target.open("wb") as file:
            shutil.copyfileobj(packed, file)
    except (OSError, EOFError) as error:
        raise JobError(f"{place} is no readable gzip file: {error}.") from error
    return target
