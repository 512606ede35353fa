"""Athena's statements about the catalog itself: SHOW, DESCRIBE and MSCK REPAIR, answered from Glue.

Queries over data are ``athena``'s.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

from local.aws.clients import client

Rows = list[list[str]]

_NAME = r'[`"]?(?P<{0}>[A-Za-z0-9_]+)[`"]?'
_TABLE = rf'(?:[`"]?(?P<database>[A-Za-z0-9_]+)[`"]?\.)?{_NAME.format("table")}'


def answer(statement: str, database: str) -> tuple[list[str], Rows] | None:
    """Column names and rows, or None where the statement is not one of these."""
    text = statement.strip().rstrip(";").strip()
    for pattern, columns, do in _STATEMENTS:
        if found := pattern.fullmatch(text):
            return list(columns), do({**found.groupdict(), "database": found.groupdict().get("database") or database})
    return None


def _statement(
    pattern: str, columns: Sequence[str], do: Callable[[dict[str, str]], Rows]
) -> tuple[re.Pattern[str], Sequence[str], Callable[[dict[str, str]], Rows]]:
    return re.compile(pattern, re.IGNORECASE), columns, do


def _databases(_: dict[str, str]) -> Rows:
    pages = client("glue").get_paginator("get_databases").paginate()
    return [[each["Name"]] for page in pages for each in page["DatabaseList"]]


def _tables(named: dict[str, str]) -> Rows:
    pages = client("glue").get_paginator("get_tables").paginate(DatabaseName=named["database"])
    return sorted([each["Name"]] for page in pages for each in page["TableList"])


def _columns(named: dict[str, str]) -> Rows:
    table = _table(named)
    columns = [*table["StorageDescriptor"].get("Columns", []), *table.get("PartitionKeys", [])]
    return [[each["Name"], each.get("Type", "string"), each.get("Comment", "")] for each in columns]


def _column_names(named: dict[str, str]) -> Rows:
    return [row[:1] for row in _columns(named)]


def _partitions(named: dict[str, str]) -> Rows:
    keys = [each["Name"] for each in _table(named).get("PartitionKeys", [])]
    return [["/".join(f"{key}={value}" for key, value in zip(keys, values, strict=True))] for values in _known(named)]


def _repair(named: dict[str, str]) -> Rows:
    """Register the Hive partitions whose folders are there and the catalog does not know yet."""
    table = _table(named)
    storage = table["StorageDescriptor"]
    keys = [each["Name"] for each in table.get("PartitionKeys", [])]
    bucket, _, prefix = storage["Location"].removeprefix("s3://").partition("/")
    prefix = prefix if not prefix or prefix.endswith("/") else f"{prefix}/"
    folder = re.compile("/".join(rf"{re.escape(key)}=([^/]+)" for key in keys) + "/")
    known, new = set(_known(named)), []
    pages = client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    for each in (found for page in pages for found in page.get("Contents", ())):
        match = folder.match(each["Key"].removeprefix(prefix)) if keys else None
        if match and match.groups() not in known:
            known.add(match.groups())
            location = f"s3://{bucket}/{prefix}{match.group()}"
            client("glue").create_partition(
                DatabaseName=named["database"],
                TableName=named["table"],
                PartitionInput={
                    "Values": list(match.groups()),
                    "StorageDescriptor": {**storage, "Location": location},
                },
            )
            new.append([f"Repair: Added partition to metastore {named['table']}:{match.group()[:-1]}"])
    return new


def _known(named: dict[str, str]) -> list[tuple[str, ...]]:
    pages = (
        client("glue")
        .get_paginator("get_partitions")
        .paginate(DatabaseName=named["database"], TableName=named["table"])
    )
    return [tuple(each["Values"]) for page in pages for each in page["Partitions"]]


def _table(named: dict[str, str]) -> dict[str, Any]:
    glue = client("glue")
    try:
        table: dict[str, Any] = glue.get_table(DatabaseName=named["database"], Name=named["table"])["Table"]
    except glue.exceptions.EntityNotFoundException:
        raise ValueError(f"TABLE_NOT_FOUND: Table '{named['database']}.{named['table']}' does not exist") from None
    return table


_STATEMENTS = (
    _statement(r"show\s+(?:databases|schemas)", ["database_name"], _databases),
    _statement(rf"show\s+tables(?:\s+(?:in|from)\s+{_NAME.format('database')})?", ["tab_name"], _tables),
    _statement(rf"(?:describe|desc)\s+{_TABLE}", ["col_name", "data_type", "comment"], _columns),
    _statement(rf"show\s+columns\s+(?:in|from)\s+{_TABLE}", ["field"], _column_names),
    _statement(rf"show\s+partitions\s+{_TABLE}", ["partition"], _partitions),
    _statement(rf"msck\s+repair\s+table\s+{_TABLE}", ["result"], _repair),
)
