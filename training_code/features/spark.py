"""Spark as the engine, for reviews that outgrow one machine. Knows no expressions.

Checked here with pyspark 4.0.5 on Java 17 in local mode (Python 3.11, Ibis 12). Written for SageMaker's container
`sagemaker-spark-processing:3.5-cpu-py312` (Spark 3.5, Python 3.12), in which nothing was run; it needs numpy, pandas,
pyarrow, ibis-framework, sqlglot and what these need on every node. Files are read by path, so that an input of several
instances must be whole on each (S3DataDistributionType FullyReplicated) or on a shared file system. The splits are
written by the driver, partition by partition, since one training job reads them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.functions import pandas_udf
from pyspark.sql.types import ArrayType, DataType, DoubleType, LongType, StringType, StructField, StructType

from training_code.failures import JobError
from training_code.features.files import Group
from training_code.features.functions import FUNCTIONS, Function

ROWS_PER_BATCH = 8_192
ROOT = Path(__file__).resolve().parents[2]

_TYPES: dict[pa.DataType, DataType] = {
    pa.string(): StringType(),
    pa.float64(): DoubleType(),
    pa.list_(pa.int64()): ArrayType(LongType()),
}


class SparkEngine:
    name = "spark"

    def __init__(self, scratch: Path) -> None:
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        builder = SparkSession.builder.appName("earshot-features").config("spark.sql.session.timeZone", "UTC")
        if "SPARK_ENV_LOADED" not in os.environ and "SM_CURRENT_HOST" not in os.environ:
            # Not submitted: this machine alone.
            builder = (
                builder.master("local[*]")
                .config("spark.ui.enabled", "false")
                .config("spark.driver.bindAddress", "127.0.0.1")
                .config("spark.driver.host", "127.0.0.1")
                .config("spark.sql.shuffle.partitions", "2")
                .config("spark.ui.showConsoleProgress", "false")
                .config("spark.local.dir", str(scratch))
                .config("spark.sql.warehouse.dir", str(scratch / "warehouse"))
            )
        builder = builder.config("spark.sql.maxPlanStringLength", "10000")
        self._session = builder.config("spark.executorEnv.PYTHONPATH", str(ROOT)).getOrCreate()
        self._session.sparkContext.setLogLevel("ERROR")
        self._connection = ibis.pyspark.connect(self._session)
        self._stored: dict[str, DataFrame] = {}
        for each in FUNCTIONS:
            self._session.udf.register(each.name, _for_spark(each))

    def read(self, group: Group) -> ir.Table:
        """The files with their own columns, all as strings but those of Parquet."""
        names = [path.absolute().as_uri() for path in group.paths]
        reader = self._session.read
        if group.kind == "parquet":
            frame = reader.parquet(*names)
        else:
            wanted = group.header if group.kind == "csv" else tuple(group.columns.values())
            reader = reader.schema(StructType([StructField(name, StringType()) for name in wanted]))
            reader = reader.option("mode", "FAILFAST").option("recursiveFileLookup", "true")
            if group.kind == "csv":
                reader = reader.option("header", "true").option("sep", group.delimiter).option("multiLine", "true")
                frame = reader.option("quote", '"').option("escape", '"').option("maxCharsPerColumn", "-1").csv(names)
            else:
                frame = reader.json(names)
        # One group of files after another has the same view name, and a view is read when rows are.
        name = f"group_{len(self._stored)}"
        frame.createOrReplaceTempView(name)
        self._stored[name] = frame
        return self._connection.table(name)

    def store(self, name: str, rows: ir.Table) -> ir.Table:
        # Cut off from where it came from: a plan that holds every earlier plan outgrows the driver's memory.
        frame = self._session.sql(str(self._connection.compile(rows))).localCheckpoint(eager=True)
        frame.createOrReplaceTempView(name)
        self._stored[name] = frame
        return self._connection.table(name)

    def forget(self, name: str) -> None:
        self._stored[name].unpersist()

    def batches(self, rows: ir.Table) -> Iterator[pa.RecordBatch]:
        schema = rows.schema().to_pyarrow()
        frame = self._session.sql(str(self._connection.compile(rows)))
        found: list[tuple[Any, ...]] = []
        for row in frame.toLocalIterator():
            found.append(tuple(row))
            if len(found) == ROWS_PER_BATCH:
                yield _batch(found, schema)
                found = []
        if found:
            yield _batch(found, schema)

    def failure(self, error: Exception) -> JobError | None:
        """What the input has to do with an error; None where it is a defect."""
        if not isinstance(error, PySparkException):
            return None
        return JobError(" ".join(str(error).split())[:300])

    def close(self) -> None:
        self._session.stop()


def _batch(rows: list[tuple[Any, ...]], schema: pa.Schema) -> pa.RecordBatch:
    columns = zip(*rows, strict=True)
    return pa.record_batch(
        [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)], schema
    )


def _for_spark(each: Function) -> Any:
    """A function of Arrow's columns as one of pandas' series, the form that Spark 3.5 and 4.0 have in common."""
    function = each.function

    def of_one(first: pd.Series) -> pd.Series:
        return _series(function(_column(first)))

    def of_two(first: pd.Series, second: pd.Series) -> pd.Series:
        return _series(function(_column(first), _column(second)))

    return pandas_udf({1: of_one, 2: of_two}[each.inputs], returnType=_TYPES[each.returns])


def _column(series: pd.Series) -> pa.Array:
    return pa.array(series.tolist(), pa.string(), from_pandas=True)


def _series(column: pa.Array) -> pd.Series:
    return pd.Series(column.to_pylist(), dtype=object)
