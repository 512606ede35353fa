"""The files that the built-in algorithms, Autopilot and Clarify read."""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.unit.training_code.candidates.features_kit import COUNTS, rows, write_features, write_split
from training_code.candidates import views
from training_code.candidates.tokens import tokenized
from training_code.failures import JobError


def records(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return list(csv.reader(file))


def test_every_view_is_written_in_the_order_of_the_rows(tmp_path: Path) -> None:
    counts = views.write_views(write_features(tmp_path))
    assert counts == COUNTS
    found = {path.relative_to(tmp_path / "views").as_posix() for path in (tmp_path / "views").rglob("*.*")}
    assert found == {
        *("blazingtext/train/train.txt", "blazingtext/validation/validation.txt"),
        *("autopilot/train/train.csv", "autopilot/validation/validation.csv"),
        *("autopilot/scoring/validation.csv", "autopilot/scoring/test.csv"),
        *("bias/dataset.csv", "bias/analysis_config.json"),
    }
    lines = (tmp_path / "views" / "blazingtext" / "train" / "train.txt").read_text().splitlines()
    assert len(lines) == COUNTS["train"]
    assert lines[0] == "__label__negative the dress is bad , dress number 0 !"


def test_autopilot_learns_from_a_header_and_labels_and_scores_without_either(tmp_path: Path) -> None:
    views.write_views(write_features(tmp_path))
    folder = tmp_path / "views" / "autopilot"
    labelled = records(folder / "validation" / "validation.csv")
    scored = records(folder / "scoring" / "validation.csv")
    assert labelled[0] == ["text", "category", "sentiment"]
    assert {row[2] for row in labelled[1:]} == {"negative", "neutral", "positive"}
    assert [row[:2] for row in labelled[1:]] == scored
    assert [row[0] for row in scored] == [row["text"] for row in rows("validation")]
    assert "" in {row[1] for row in scored}, "a row without a category"
    assert len(records(folder / "scoring" / "test.csv")) == COUNTS["test"]


def test_the_same_features_give_the_same_files(tmp_path: Path) -> None:
    write_features(tmp_path / "features")
    for name in ("first", "second"):
        views.write_views(tmp_path / "features", tmp_path / name)
    for path in (tmp_path / "first").rglob("*.*"):
        assert path.read_bytes() == (tmp_path / "second" / path.relative_to(tmp_path / "first")).read_bytes()


def test_a_text_cannot_break_its_line_or_name_a_label(tmp_path: Path) -> None:
    write_features(tmp_path)
    hostile = rows("train")
    hostile[0]["text"] = 'A "quoted",\ntext __label__positive </s>\twith, commas'
    write_split(tmp_path / "train", hostile)
    views.write_views(tmp_path)
    lines = (tmp_path / "views" / "blazingtext" / "train" / "train.txt").read_text().splitlines()
    assert len(lines) == COUNTS["train"]
    assert lines[0].split().count("__label__positive") == 0
    assert "</s>" not in lines[0].split()
    path = tmp_path / "views" / "autopilot" / "train" / "train.csv"
    assert len(path.read_text().splitlines()) == COUNTS["train"] + 1, "a record a line, as batch transform splits them"
    assert records(path)[1][0] == 'A "quoted", text __label__positive </s> with, commas'


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("It's GREAT!!", "it's great ! !"),
        ("size:M, 5'6\"", "size : m , 5'6 \""),
        ("snake_case", "snake _ case"),
        ("naïve Ünïcode 好 👍", "naïve ünïcode 好 👍"),
        ("  ", ""),
        ("'quoted'", "' quoted '"),
    ],
)
def test_words_are_lower_case_and_marks_stand_apart(text: str, tokens: str) -> None:
    assert tokenized(text) == tokens


def test_a_text_of_a_hundred_thousand_characters_is_one_line() -> None:
    assert len(tokenized("a" * 50_000 + "_" * 50_000).split()) == 50_001


def test_what_is_no_features_is_named(tmp_path: Path) -> None:
    write_features(tmp_path)
    (tmp_path / "validation" / "part-0.parquet").write_bytes(b"PAR1 no parquet")
    with pytest.raises(JobError, match=r"part-0\.parquet of the validation data cannot be read as features"):
        views.write_views(tmp_path)
    (tmp_path / "validation" / "part-0.parquet").unlink()
    with pytest.raises(JobError, match="There is no validation data"):
        views.write_views(tmp_path)
    write_split(tmp_path / "validation", [*rows("validation", 3), rows("validation", 1)[0] | {"sentiment": 7}])
    with pytest.raises(JobError, match="validation data holds the unknown sentiment 7"):
        views.write_views(tmp_path)
    write_split(tmp_path / "validation", [])
    with pytest.raises(JobError, match="validation data has no rows"):
        views.write_views(tmp_path)


def test_a_renamed_column_is_named(tmp_path: Path) -> None:
    write_features(tmp_path)
    pq.write_table(pa.table({"body": ["x"], "sentiment": [1]}), tmp_path / "test" / "part-0.parquet")
    with pytest.raises(JobError, match=r"part-0\.parquet of the test data has no column 'text'"):
        views.write_views(tmp_path)


def test_the_job_says_what_it_wrote_and_leaves_a_sentence_when_it_cannot(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_features(tmp_path / "features")
    options = ["--features", str(tmp_path / "features"), "--output", str(tmp_path / "out")]
    assert views.main(options) == 0
    assert capsys.readouterr().out == "views of 240 train rows, 60 validation rows, 45 test rows\n"
    message = tmp_path / "message"
    assert views.main(["--features", str(tmp_path), "--output", str(tmp_path / "out"), "--message", str(message)]) == 1
    assert message.read_text().startswith("There is no train data")
