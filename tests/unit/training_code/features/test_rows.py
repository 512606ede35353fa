"""How rows become a file: in groups of one size, whatever an engine's batches are."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from training_code.features import rows


def test_batches_of_any_size_become_row_groups_of_one_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "ROWS_PER_GROUP", 10)
    # As an engine gives them: it says of no column that it is never empty.
    schema = pa.schema([pa.field(field.name, field.type) for field in rows.SCHEMA])
    made = [{field.name: place if field.type == pa.int64() else str(place) for field in schema} for place in range(35)]
    batches = [pa.RecordBatch.from_pylist(made[start : start + 7], schema=schema) for start in range(0, 35, 7)]

    rows.write(batches, tmp_path / "part-0.parquet", fingerprint="f00d")

    file = pq.ParquetFile(tmp_path / "part-0.parquet")
    assert [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)] == [10, 10, 10, 5]
    assert file.read().to_pylist() == made
    assert file.schema_arrow.metadata[b"fingerprint"] == b"f00d"
    assert file.schema_arrow.equals(rows.SCHEMA)
