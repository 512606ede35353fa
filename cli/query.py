"""`earshot query`: SQL over the lake with Athena."""

from __future__ import annotations

import csv
import sys
import time
from dataclasses import dataclass
from typing import Annotated

import typer

from cli import options
from cli.connection import Connection, connect
from cli.errors import BadInput, Problem
from cli.project import LOCAL
from cli.render import print_json, print_table, say, size
from feedback.neutral import csv_cell

POLL_SECONDS = 0.3
WAIT_SECONDS = 600.0


@dataclass(frozen=True, kw_only=True)
class Result:
    columns: list[str]
    rows: list[list[str | None]]
    scanned_bytes: int

    def records(self) -> list[dict[str, str | None]]:
        """A mapping per row."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def query(
    sql: Annotated[str, typer.Argument(help="SQL over the tables reviews and feedback.", show_default=False)],
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    stage: options.Stage = LOCAL,
    as_json: options.Json = False,
) -> None:
    """Ask the lake with Athena and print the result."""
    result = run(connect(stage), sql)
    if as_json:
        print_json(result.records())
    elif as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow([csv_cell(column) for column in result.columns])
        writer.writerows([None if cell is None else csv_cell(cell) for cell in row] for row in result.rows)
    else:
        print_table(result.columns, result.rows)
        # The local AWS does not count what it reads.
        say(
            f"{len(result.rows)} row{'' if len(result.rows) == 1 else 's'}"
            + ("" if stage == LOCAL else f", {size(result.scanned_bytes)} scanned")
        )


def run(connection: Connection, sql: str) -> Result:
    """All rows of the result; a Problem carries Athena's reason."""
    if not sql.strip():
        raise BadInput("The query is empty.")
    client = connection.client("athena")
    started = client.start_query_execution(
        QueryString=sql,
        WorkGroup=connection.output("data-lake", "WorkGroup"),
        QueryExecutionContext={"Database": connection.output("data-lake", "Database")},
    )
    name = started["QueryExecutionId"]
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        execution = client.get_query_execution(QueryExecutionId=name)["QueryExecution"]
        state = execution["Status"]["State"]
        if state == "SUCCEEDED":
            break
        if state in {"FAILED", "CANCELLED"}:
            reason = " ".join(execution["Status"].get("StateChangeReason", "no reason was given").split())
            raise Problem(f"The query {state.lower()}: {reason}")
        if time.monotonic() > deadline:
            raise Problem(f"The query {name} is still running after {WAIT_SECONDS:.0f} s.")
        time.sleep(POLL_SECONDS)
    columns: list[str] = []
    rows: list[list[str | None]] = []
    for page in client.get_paginator("get_query_results").paginate(QueryExecutionId=name):
        found = page["ResultSet"]
        table = [[value.get("VarCharValue") for value in row["Data"]] for row in found["Rows"]]
        if not columns:
            columns = [column["Name"] for column in found["ResultSetMetadata"]["ColumnInfo"]]
            if table and table[0] == columns:  # Athena repeats the header as the first row of a SELECT
                table = table[1:]
        rows.extend(table)
    scanned = execution.get("Statistics", {}).get("DataScannedInBytes", 0)
    return Result(columns=columns, rows=rows, scanned_bytes=int(scanned))
