"""Athena's queries on DuckDB: tables by their declared columns, Trino's functions where DuckDB names them otherwise.

ministack finds the tables of a query and their files; this module says how they are read and runs the statement.
Does not know the Glue catalog.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import duckdb

from local.aws import athena_statements, seams

_MEMORY_LIMIT = "1GB"
_THREADS = 2

_SCALARS = {
    "boolean": "BOOLEAN",
    "tinyint": "TINYINT",
    "smallint": "SMALLINT",
    "int": "INTEGER",
    "integer": "INTEGER",
    "bigint": "BIGINT",
    "float": "FLOAT",
    "real": "FLOAT",
    "double": "DOUBLE",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "binary": "BLOB",
    "string": "VARCHAR",
    "varchar": "VARCHAR",
    "char": "VARCHAR",
}

# Functions of Trino that DuckDB has under another name or with other arguments.
_MACROS = (
    "approx_distinct(x) AS approx_count_distinct(x)",
    "approx_percentile(x, p) AS approx_quantile(x, p)",
    "arbitrary(x) AS any_value(x)",
    "cardinality(x) AS len(x)",
    "date_format(moment, pattern) AS strftime(moment, pattern)",
    "date_parse(text, pattern) AS strptime(text, pattern)",
    "day_of_week(moment) AS isodow(moment)",
    "day_of_year(moment) AS dayofyear(moment)",
    "day_of_month(moment) AS day(moment)",
    "element_at(x, position) AS x[position]",
    "from_iso8601_date(text) AS CAST(text AS DATE)",
    "from_iso8601_timestamp(text) AS CAST(text AS TIMESTAMPTZ)",
    "from_unixtime(seconds) AS to_timestamp(seconds)",
    "json_extract_scalar(document, path) AS json_extract_string(document, path)",
    "regexp_like(text, pattern) AS regexp_matches(text, pattern)",
    "strpos(text, part) AS instr(text, part)",
    "to_iso8601(moment) AS strftime(moment, '%Y-%m-%dT%H:%M:%S.%gZ')",
    "to_unixtime(moment) AS epoch(moment)",
    """date_add(unit, amount, moment) AS moment + to_seconds(amount * CASE lower(unit)
        WHEN 'second' THEN 1 WHEN 'minute' THEN 60 WHEN 'hour' THEN 3600 WHEN 'day' THEN 86400 WHEN 'week' THEN 604800
    END)""",
)

_IDENTIFIER = re.compile(r"[\w ]+")

# Trino's date patterns are MySQL's, in which minutes and seconds have other letters: the last argument of these two.
_DATE_FUNCTION = re.compile(r"\bdate_(?:format|parse)\s*\(", re.IGNORECASE)
_LAST_ARGUMENT = re.compile(r"(,\s*')([^']*%[^']*)('\s*\))")


def register() -> None:
    """Take the execution of queries over."""
    seams.replace_query_engine(run, athena_statements.answer)
    seams.replace_table_relation(relation)
    seams.place_query_results()


def run(sql: str) -> tuple[list[str], list[str], list[list[Any]]]:
    """Column names, DuckDB's type names and rows; an expression without a name is ``_col0`` and so on, as on Athena."""
    with duckdb.connect(":memory:", config={"threads": _THREADS, "memory_limit": _MEMORY_LIMIT}) as database:
        database.execute("SET TimeZone = 'UTC'")
        for macro in _MACROS:
            database.execute(f"CREATE MACRO {macro}")
        result = database.execute(_with_own_date_patterns(sql))
        described = result.description or ()
        rows = [list(row) for row in result.fetchall()] if described else []
        names = [each[0] if _IDENTIFIER.fullmatch(each[0]) else f"_col{at}" for at, each in enumerate(described)]
    return names, [str(each[1]) for each in described], rows


def relation(table: Mapping[str, Any], files: list[str], native: Callable[..., str]) -> str:
    """What stands for a table in a query.

    Parquet and JSON tables have exactly their declared columns and partition keys, as on Athena: a column that no
    file has is null, one that is not declared is not there, and the types are the declared ones. Everything else is
    read as ministack reads it.
    """
    storage = table.get("StorageDescriptor") or {}
    columns = storage.get("Columns") or []
    reader = _reader(table, storage)
    if reader is None or not columns:
        return native(table, files)
    keys = table.get("PartitionKeys") or []
    declared = {str(each["Name"]): _duckdb_type(str(each.get("Type", "string"))) for each in (*columns, *keys)}
    nothing = ", ".join(f"CAST(NULL AS {kind}) AS {_quoted(name)}" for name, kind in declared.items())
    wanted = ", ".join(f"CAST({_quoted(name)} AS {kind}) AS {_quoted(name)}" for name, kind in declared.items())
    listed = "[" + ", ".join(_literal(path) for path in files) + "]"
    in_path = _keys_in_paths([str(each["Name"]) for each in keys], files)
    hive = "hive_partitioning = false"
    if in_path:
        types = ", ".join(f"{_literal(name)}: {declared[name]}" for name in in_path)
        hive = f"hive_partitioning = true, hive_types = {{{types}}}"
    if reader == "read_json":
        fields = ", ".join(
            f"{_literal(str(each['Name']))}: {_literal(declared[str(each['Name'])])}" for each in columns
        )
        source = f"read_json({listed}, format = 'newline_delimited', columns = {{{fields}}}, {hive})"
    else:
        source = f"read_parquet({listed}, union_by_name = true, {hive})"
    # The empty half gives the missing columns their names and types; DuckDB drops it from the plan.
    return (
        f"(SELECT {wanted} FROM (SELECT * FROM {source} UNION ALL BY NAME "  # noqa: S608 - quoted above
        f"SELECT {nothing} WHERE false))"
    )


def _with_own_date_patterns(sql: str) -> str:
    if not _DATE_FUNCTION.search(sql):
        return sql
    return _LAST_ARGUMENT.sub(lambda found: found[1] + found[2].replace("%i", "%M").replace("%s", "%S") + found[3], sql)


def _reader(table: Mapping[str, Any], storage: Mapping[str, Any]) -> str | None:
    classification = (table.get("Parameters") or {}).get("classification", "")
    serde = (storage.get("SerdeInfo") or {}).get("SerializationLibrary") or ""
    if classification == "parquet" or "parquet" in serde.lower():
        return "read_parquet"
    if classification == "json" or "json" in serde.lower():
        return "read_json"
    return None


def _keys_in_paths(keys: list[str], files: list[str]) -> list[str]:
    folders = [{part.partition("=")[0] for part in path.split("/")[:-1] if "=" in part} for path in files]
    return [key for key in keys if all(key in names for names in folders)]


def _duckdb_type(glue: str) -> str:
    """A Glue type, nested ones included, in DuckDB's words."""
    text = glue.strip()
    lower = text.lower()
    if lower.startswith("array<"):
        return f"{_duckdb_type(text[6:-1])}[]"
    if lower.startswith("map<"):
        key, value = _split(text[4:-1])
        return f"MAP({_duckdb_type(key)}, {_duckdb_type(value)})"
    if lower.startswith("struct<"):
        fields = (part.partition(":") for part in _split(text[7:-1]))
        return "STRUCT(" + ", ".join(f"{_quoted(name)} {_duckdb_type(kind)}" for name, _, kind in fields) + ")"
    if lower.startswith("decimal"):
        return text.upper()
    return _SCALARS.get(lower.partition("(")[0], "VARCHAR")


def _split(text: str) -> list[str]:
    """The parts between commas that are not inside brackets."""
    parts, depth, start = [], 0, 0
    for position, character in enumerate(text):
        depth += (character in "<(") - (character in ">)")
        if character == "," and depth == 0:
            parts.append(text[start:position])
            start = position + 1
    return [*parts, text[start:]]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
