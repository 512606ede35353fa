"""What format sample files have and what columns are in them, in Glue's words. Reads local files only."""

import gzip
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

_PARQUET_MAGIC = b"PAR1"
_GZIP_MAGIC = b"\x1f\x8b"
_HEAD_BYTES = 64 * 1024

_PARQUET = "org.apache.hadoop.hive.ql.io.parquet"
_TEXT_INPUT = "org.apache.hadoop.mapred.TextInputFormat"
_TEXT_OUTPUT = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"

_TYPES = {
    "BOOLEAN": "boolean",
    "TINYINT": "tinyint",
    "SMALLINT": "smallint",
    "INTEGER": "int",
    "BIGINT": "bigint",
    "UTINYINT": "smallint",
    "USMALLINT": "int",
    "UINTEGER": "bigint",
    "UBIGINT": "bigint",
    "HUGEINT": "decimal(38,0)",
    "FLOAT": "float",
    "DOUBLE": "double",
    "DATE": "date",
    "BLOB": "binary",
}


class UnreadableError(ValueError):
    """No built-in classifier knows the file."""


@dataclass(frozen=True, kw_only=True)
class Schema:
    """A table's columns and how its files are read, as the Glue catalog keeps them."""

    classification: str
    columns: tuple[tuple[str, str], ...]
    input_format: str
    output_format: str
    serde: str
    serde_parameters: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    compression: str = "none"


def infer(samples: Sequence[Path]) -> Schema:
    """The schema of files that belong to one table; raises UnreadableError where they are of no known format."""
    head, compressed = _head(samples[0])
    if head.startswith(_PARQUET_MAGIC):
        return _parquet(samples)
    text = head.decode("utf-8", errors="replace").lstrip("\ufeff \t\r\n")
    if text.startswith(("{", "[")):
        return _json(samples, compressed)
    return _delimited(samples, compressed)


def _head(path: Path) -> tuple[bytes, bool]:
    with path.open("rb") as file:
        compressed = file.read(2) == _GZIP_MAGIC
    if not compressed:
        with path.open("rb") as file:
            return file.read(_HEAD_BYTES), False
    with gzip.open(path) as file:
        return file.read(_HEAD_BYTES), True


def _parquet(samples: Sequence[Path]) -> Schema:
    described = _describe("read_parquet(?, union_by_name = true, hive_partitioning = false)", samples)
    return Schema(
        classification="parquet",
        columns=_columns(described, typed_times=True),
        input_format=f"{_PARQUET}.MapredParquetInputFormat",
        output_format=f"{_PARQUET}.MapredParquetOutputFormat",
        serde=f"{_PARQUET}.serde.ParquetHiveSerDe",
        serde_parameters={"serialization.format": "1"},
    )


def _json(samples: Sequence[Path], compressed: bool) -> Schema:
    described = _describe(
        "read_json_auto(?, union_by_name = true, hive_partitioning = false, sample_size = -1)", samples
    )
    columns = _columns(described, typed_times=False)
    return Schema(
        classification="json",
        columns=columns,
        input_format=_TEXT_INPUT,
        output_format=_TEXT_OUTPUT,
        serde="org.openx.data.jsonserde.JsonSerDe",
        serde_parameters={"paths": ",".join(name for name, _ in columns)},
        compression="gzip" if compressed else "none",
    )


def _delimited(samples: Sequence[Path], compressed: bool) -> Schema:
    """CSV, TSV and the like. Quoted fields need OpenCSVSerde, to which every column is a string."""
    with _database() as database:
        try:
            dialect = database.execute(
                "SELECT Delimiter, Quote, HasHeader FROM sniff_csv(?)", [str(samples[0])]
            ).fetchone()
        except duckdb.Error as problem:
            raise UnreadableError(str(problem).splitlines()[0]) from None
    delimiter, quote, header = dialect or (",", "", False)
    described = _describe("read_csv_auto(?, union_by_name = true, hive_partitioning = false)", samples)
    quoted = bool(quote) and quote in _head(samples[0])[0].decode("utf-8", errors="replace")
    columns = _columns(described, typed_times=False)
    parameters = {
        "areColumnsQuoted": str(quoted).lower(),
        "columnsOrdered": "true",
        "delimiter": delimiter,
    }
    if header:
        parameters["skip.header.line.count"] = "1"
    serde, serde_parameters = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe", {"field.delim": delimiter}
    if quoted:
        serde = "org.apache.hadoop.hive.serde2.OpenCSVSerde"
        serde_parameters = {"separatorChar": delimiter, "quoteChar": quote, "escapeChar": "\\"}
        columns = tuple((name, "string") for name, _ in columns)
    return Schema(
        classification="csv",
        columns=columns,
        input_format=_TEXT_INPUT,
        output_format=_TEXT_OUTPUT,
        serde=serde,
        serde_parameters=serde_parameters,
        parameters=parameters,
        compression="gzip" if compressed else "none",
    )


def _database() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(":memory:", config={"threads": 2, "memory_limit": "512MB"})


def _describe(relation: str, samples: Sequence[Path]) -> list[tuple[str, Any]]:
    with _database() as database:
        try:
            found = database.execute(f"SELECT * FROM {relation} LIMIT 0", [[str(path) for path in samples]])  # noqa: S608
        except duckdb.Error as problem:
            raise UnreadableError(str(problem).splitlines()[0]) from None
        return [(name, kind) for name, kind, *_ in found.description or ()]


def _columns(described: Sequence[tuple[str, Any]], *, typed_times: bool) -> tuple[tuple[str, str], ...]:
    columns: dict[str, str] = {}
    for name, kind in described:
        columns.setdefault(name.strip().lower(), _glue_type(kind, typed_times=typed_times))
    return tuple(columns.items())


def _glue_type(kind: Any, *, typed_times: bool) -> str:
    name = str(kind.id).upper() if hasattr(kind, "id") else str(kind).upper()
    nested = {"typed_times": typed_times}
    if name == "LIST":
        return f"array<{_glue_type(kind.children[0][1], **nested)}>"
    if name == "STRUCT":
        return "struct<" + ",".join(f"{field}:{_glue_type(each, **nested)}" for field, each in kind.children) + ">"
    if name == "MAP":
        (_, key), (_, value) = kind.children
        return f"map<{_glue_type(key, **nested)},{_glue_type(value, **nested)}>"
    if name == "DECIMAL":
        (_, precision), (_, scale) = kind.children
        return f"decimal({precision},{scale})"
    if name.startswith("TIMESTAMP"):
        return "timestamp" if typed_times else "string"
    if name == "DATE" and not typed_times:
        return "string"
    return _TYPES.get(name, "string")
