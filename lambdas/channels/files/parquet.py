"""Parquet, through DuckDB: only the columns that are wanted, a thousand rows at a time.

The library is native and large, so it is no part of the functions' bundle: where it is not installed beside them, a
Parquet file is refused with that reason, and ``earshot channels drop`` sends its rows as JSON Lines instead. It may
read this one file and nothing else, with bounded memory and without loading extensions. It does not know what rows
mean.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lambdas.channels.files.content import BrokenFileError, Content
from lambdas.channels.files.rows import BadRow, Row, find_columns, shown_columns
from lambdas.channels.files.tables import Table

if TYPE_CHECKING:
    import duckdb

SIZE_LIMIT_BYTES: Final = 256 * 1024 * 1024

_PIECE_BYTES: Final = 1 << 20
_FETCHED_ROWS: Final = 1_000
_MEMORY: Final = "768MB"


def parquet_table(content: Content) -> Table:
    """The table in a Parquet file."""
    return Table("parquet", lambda table: _rows(content, table))


def _rows(content: Content, table: Table) -> Iterator[Row | BadRow]:
    try:
        import duckdb
    except ImportError as error:
        raise BrokenFileError("It is Parquet, which is not read here: use `earshot channels drop`, or CSV.") from error

    with tempfile.TemporaryDirectory(prefix="earshot-") as folder:
        path = Path(folder, "dropped.parquet")
        _copy(content, path)
        try:
            with _connection(folder) as connection:
                yield from _read(connection, path, table)
        except (duckdb.Error, RuntimeError, ValueError) as error:  # the latter two for names that are no UTF-8
            raise BrokenFileError("It cannot be read as Parquet.") from error


def _read(connection: "duckdb.DuckDBPyConnection", path: Path, table: Table) -> Iterator[Row | BadRow]:
    described = connection.execute("SELECT * FROM read_parquet(?) LIMIT 0", [str(path)]).description or []
    header = [str(column[0]) for column in described]
    columns = find_columns(header)
    if "text" not in columns:
        raise BrokenFileError("No column is known by name as the one with the text.")
    table.columns = shown_columns(header, columns)
    wanted = ", ".join(f"CAST({_quoted(header[place])} AS VARCHAR)" for place in columns.values())
    # The only names in the statement are the file's own columns, each in quotes that it cannot leave.
    statement = f"SELECT {wanted} FROM read_parquet(?)"  # noqa: S608
    selected = connection.execute(statement, [str(path)])
    number = 0
    while fetched := selected.fetchmany(_FETCHED_ROWS):
        for values in fetched:
            number += 1
            yield Row(number=number, values=dict(zip(columns, values, strict=True)))


def _connection(folder: str) -> "duckdb.DuckDBPyConnection":
    import duckdb

    connection = duckdb.connect(
        ":memory:",
        config={
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "home_directory": folder,
            "memory_limit": _MEMORY,
            "temp_directory": "",
            "threads": 1,
        },
    )
    # Only what lies in the folder of this one file, and nothing that would undo it.
    connection.execute("SET allowed_directories = [$folder]", {"folder": folder})
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def _copy(content: Content, path: Path) -> None:
    copied = 0
    with path.open("wb") as file:
        while piece := content.read(_PIECE_BYTES):
            copied += len(piece)
            if copied > SIZE_LIMIT_BYTES:
                raise BrokenFileError("It is a Parquet file that is too large: drop it in parts, or as CSV.")
            file.write(piece)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
