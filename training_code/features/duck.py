"""DuckDB as the engine: one machine, works on disk where memory ends. Knows no expressions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa
from duckdb import sqltypes

from training_code.failures import JobError
from training_code.features.files import Group
from training_code.features.functions import FUNCTIONS

ROWS_PER_BATCH = 65_536
MEMORY = "768MB"
"""What DuckDB keeps in memory before it goes to disk: enough for a million reviews, and no more for ten."""

_TYPES = {
    pa.string(): sqltypes.VARCHAR,
    pa.float64(): sqltypes.DOUBLE,
    pa.list_(pa.int64()): duckdb.list_type(sqltypes.BIGINT),
}


class DuckEngine:
    name = "duckdb"

    def __init__(self, scratch: Path) -> None:
        self._connection = ibis.duckdb.connect(
            scratch / "features.duckdb",
            temp_directory=str(scratch),
            memory_limit=MEMORY,
            preserve_insertion_order=False,
        )
        for each in FUNCTIONS:
            self._connection.con.create_function(
                each.name,
                each.function,
                [sqltypes.VARCHAR] * each.inputs,
                _TYPES[each.returns],
                type="arrow",
                null_handling="special",
            )

    def read(self, group: Group) -> ir.Table:
        """The files with their own columns, all as strings but those of Parquet."""
        names = [str(path) for path in group.paths]
        if group.kind == "parquet":
            return self._connection.read_parquet(names, hive_partitioning=False)
        if group.kind == "csv":
            return self._connection.read_csv(
                names,
                columns=dict.fromkeys(group.header, "VARCHAR"),
                header=True,
                delim=group.delimiter,
                quote='"',
                escape='"',
                strict_mode=False,
                hive_partitioning=False,
            )
        # Types are never guessed: a date would be written anew, and an id would lose its leading zeros.
        columns = dict.fromkeys(group.columns.values(), "VARCHAR")
        return self._connection.read_json(names, columns=columns, format="newline_delimited", hive_partitioning=False)

    def store(self, name: str, rows: ir.Table) -> ir.Table:
        return self._connection.create_table(name, rows, overwrite=True)

    def forget(self, name: str) -> None:
        self._connection.drop_table(name, force=True)

    def batches(self, rows: ir.Table) -> Iterator[pa.RecordBatch]:
        """Not by `to_pyarrow_batches`: Ibis 12 calls a method for it that DuckDB 2 has not."""
        yield from self._connection.con.sql(self._connection.compile(rows)).to_arrow_reader(ROWS_PER_BATCH)

    def failure(self, error: Exception) -> JobError | None:
        """What the input has to do with an error; None where it is a defect."""
        if not isinstance(error, duckdb.Error):
            return None
        return JobError(str(error).strip().partition("\n")[0][:300])

    def close(self) -> None:
        self._connection.disconnect()
