"""The table of an AutoML job: what columns are taken for, and what cannot be learned from."""

import gzip
from pathlib import Path

import pytest

from local.sagemaker.builtin.autopilot_table import (
    AutopilotError,
    Table,
    aligned,
    check,
    columns_of,
    read_table,
)
from tests.unit.local_sagemaker.automl_kit import rows, table


def read(folder: Path, content: bytes, *, only: str | None = None) -> Table:
    (folder / "rows.csv").write_bytes(content)
    return read_table(folder, target="sentiment", only=only, channel="training")


def test_columns_are_taken_for_what_their_cells_are(tmp_path: Path) -> None:
    records = [[*row[:3], "same", f"id{number}", row[3]] for number, row in enumerate(rows(500))]
    found = read(tmp_path, table(records, ("text", "category", "age", "constant", "key", "sentiment")))

    kinds = {column.name: column.kind for column in columns_of(found)}
    assert kinds == {"text": "text", "category": "category", "age": "number", "constant": "unused", "key": "unused"}
    assert check(found, None, target="sentiment") == ["negative", "neutral", "positive"]


def test_several_files_gzip_and_columns_in_another_order_are_one_table(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(table([["one", "x", "positive"]], ("text", "category", "sentiment")))
    (tmp_path / "b.csv.gz").write_bytes(
        gzip.compress(table([["negative", "two", "y"]], ("sentiment", "text", "category")))
    )
    found = read_table(tmp_path, target="sentiment", only=None, channel="training")
    assert (found.cells, found.targets) == ([["one", "x"], ["two", "y"]], ["positive", "negative"])
    assert aligned(found, ["category", "text"]).cells == [["x", "one"], ["y", "two"]]


def test_rows_without_a_target_are_left_out(tmp_path: Path) -> None:
    found = read(tmp_path, b"text,sentiment\none,\ntwo,positive\n")
    assert found.cells == [["two"]]


def test_a_text_job_reads_one_column(tmp_path: Path) -> None:
    assert read(tmp_path, table(rows(3)), only="text").columns == ["text"]


@pytest.mark.parametrize(
    ("content", "only", "complaint"),
    [
        (b"", None, "rows.csv of the training data is empty"),
        (b"\n\n", None, "is empty"),
        (b"text,label\na,b\n", None, "the target column 'sentiment' is not in the training data: rows.csv has the col"),
        (b"text,sentiment\na,b\n", "body", "the content column 'body' is not in rows.csv"),
        (b"text,sentiment\na\n", None, "row 2 of rows.csv in the training data has 1 fields, and the header has 2"),
        (b"text,text,sentiment\na,b,c\n", None, "two columns of one name"),
        (b"text,sentiment\na,\n", None, "no row with a value of the target column"),
        (b"\xff\xfe,sentiment\n", None, "cannot be read as CSV in UTF-8"),
        (gzip.compress(b"text,sentiment\n", mtime=0)[:-4], None, "cannot be read as CSV in UTF-8"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, content: bytes, only: str | None, complaint: str) -> None:
    with pytest.raises(AutopilotError, match=complaint):
        read(tmp_path, content, only=only)


@pytest.mark.parametrize(
    ("targets", "complaint"),
    [
        (["a"] * 250 + ["b"] * 249, "the training data has 499 rows, and a job needs at least 500"),
        (["a"] * 500, "holds only the value 'a', and a classification needs at least two"),
        (["a"] * 500 + ["b"], "holds the value 'b' only once"),
    ],
)
def test_what_cannot_be_told_apart_is_refused(targets: list[str], complaint: str) -> None:
    training = Table(columns=["text"], cells=[["x"]] * len(targets), targets=targets)
    with pytest.raises(AutopilotError, match=complaint):
        check(training, None, target="label")


def test_a_label_that_only_validation_has_is_refused() -> None:
    training = Table(columns=["text"], cells=[["x"]] * 500, targets=["a", "b"] * 250)
    with pytest.raises(AutopilotError, match="the validation data holds the label 'c', which training has not"):
        check(training, Table(columns=["text"], cells=[["x"]], targets=["c"]), target="label")
    with pytest.raises(AutopilotError, match="other columns than the training data"):
        check(training, Table(columns=["body"], cells=[["x"]], targets=["a"]), target="label")
    with pytest.raises(AutopilotError, match="no column of the training data varies"):
        columns_of(training)
