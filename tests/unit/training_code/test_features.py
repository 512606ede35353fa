from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from feedback.text import compose
from tests.unit.training_code.model_kit import run_training_python
from training_code import failures

PHRASES = {1: "Broke at once", 2: "Rather poor", 3: "It is fine", 4: "Quite nice", 5: "Simply lovely"}


def reviews(count: int = 400) -> list[dict[str, Any]]:
    """Distinct reviews: 40 % negative, 20 % neutral, 40 % positive."""
    return [
        {
            "review_id": f"r{number:04d}",
            "text": f"{PHRASES[number % 5 + 1]}, order {number}",
            "rating": number % 5 + 1,
            "title": f"Order {number}" if number % 3 else None,
            "product_id": f"p{number % 7}",
            "category": "Dresses",
            "channel": "web",
            "created_at": "2026-01-02T03:04:05Z",
            "customer_age": 40,
        }
        for number in range(count)
    ]


def write_parquet(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), path)


def run_features(source: Path, target: Path, *options: str) -> dict[str, Any]:
    done = run_training_python(
        "-m", "training_code.features", "--input", str(source), "--output", str(target), *options
    )
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads((target / "features.json").read_text())
    return report


def read(target: Path, split: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(target / split / "part-0.parquet").to_pylist()
    return rows


def test_reviews_of_all_formats_become_the_same_rows_whatever_their_order(tmp_path: Path) -> None:
    rows = reviews()
    extra = [
        rows[0] | {"review_id": "again"},
        rows[1] | {"review_id": "s-louder", "title": "ORDER 1!!", "text": rows[1]["text"].upper() + " ..."},
        rows[2] | {"review_id": "unrated", "text": "No stars here", "rating": None},
        rows[2] | {"review_id": "six", "text": "Six stars here", "rating": 6},
        rows[2] | {"review_id": "empty", "text": " <br>&nbsp; ", "title": None},
    ]
    write_parquet(tmp_path / "a" / "ingest_date=2026-01-01" / "x.parquet", rows + extra)

    write_parquet(tmp_path / "b" / "x.parquet", extra[2:] + rows[:150][::-1])
    with (tmp_path / "b" / "y.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows[150:300])
    with (tmp_path / "b" / "z.jsonl").open("w") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows[300:] + extra[:2])

    first = run_features(tmp_path / "a", tmp_path / "out-a")
    second = run_features(tmp_path / "b", tmp_path / "out-b")

    assert first["fingerprint"] == second["fingerprint"]
    assert first["rows_read"] == len(rows) + len(extra)
    assert first["rows"] == len(rows)
    dropped = {
        "no_rating": 2,
        "empty_text": 1,
        "duplicate_text": 2,
        "near_duplicate": 0,
        "over_max_rows": 0,
        "balancing": 0,
    }
    assert first["dropped"] == second["dropped"] == dropped
    assert first["classes"] == {"negative": 160, "neutral": 80, "positive": 160}
    for split in ("train", "validation", "test"):
        name = f"{split}/part-0.parquet"
        assert (tmp_path / "out-a" / name).read_bytes() == (tmp_path / "out-b" / name).read_bytes()
        kept = read(tmp_path / "out-a", split)
        assert len(kept) == sum(first["splits"][split].values())
    train = read(tmp_path / "out-a", "train")
    assert 0.7 < len(train) / len(rows) < 0.9
    assert list(train[0]) == list(first["columns"])
    by_text = {compose(row["title"], row["text"]): row for row in rows}
    for row in train:
        assert row["sentiment"] == (row["stars"] > 3) - (row["stars"] < 3)
        assert by_text[row["text"]]["rating"] == row["stars"]


def test_a_row_never_changes_sides_when_data_is_added_limited_or_balanced(tmp_path: Path) -> None:
    write_parquet(tmp_path / "few" / "x.parquet", reviews(300))
    write_parquet(tmp_path / "many" / "x.parquet", reviews(420))
    run_features(tmp_path / "few", tmp_path / "out-few")
    options = ("--balance", "undersample", "--max-rows", "350", "--seed", "3")
    report = run_features(tmp_path / "many", tmp_path / "out-many", *options)
    sides: dict[str, str] = {}
    for folder in ("out-few", "out-many"):
        for split in ("train", "validation", "test"):
            for row in read(tmp_path / folder, split):
                assert sides.setdefault(row["text_id"], split) == split
    assert len(set(report["splits"]["train"].values())) == 1, "training classes are of equal size"
    assert report["splits"]["test"]["positive"] > report["splits"]["test"]["neutral"], "the test keeps its natural mix"
    assert report["dropped"]["over_max_rows"] == 70


def test_bad_input_ends_in_one_sentence_that_says_what_and_where(tmp_path: Path) -> None:
    for case in ("renamed", "corrupt"):
        write_parquet(tmp_path / case / "good.parquet", reviews(60))
    write_parquet(tmp_path / "renamed" / "new" / "bad.parquet", [{"review_id": "r", "text": "fine", "stars": 3}])
    (tmp_path / "corrupt" / "bad.parquet").write_bytes(b"PAR1 but nothing else PAR1")
    write_parquet(tmp_path / "no-class" / "a.parquet", [row for row in reviews(60) if row["rating"] != 3])
    write_parquet(tmp_path / "no-stars" / "a.parquet", [row | {"rating": 50} for row in reviews(60)])
    (tmp_path / "nothing").mkdir()
    sentences = {
        "renamed": "new/bad.parquet has no column 'rating'; it has review_id, text, stars.",
        "corrupt": "bad.parquet is no readable parquet file: ",
        "no-class": "The class 'neutral' (3 stars) has 0 usable reviews, and training needs at least 10 of each class.",
        "no-stars": "No review has both a rating of 1 to 5 stars and a text.",
        "nothing": f"There are no reviews under {tmp_path / 'nothing'}: no file ends in .parquet",
    }
    program = """
import sys
from training_code.features.__main__ import main
folder, *cases = sys.argv[1:]
for case in cases:
    status = main(["--input", f"{folder}/{case}", "--output", f"{folder}/out", "--message", f"{folder}/{case}.message"])
    assert status == 1, case
"""
    done = run_training_python("-c", program, str(tmp_path), *sentences)
    assert done.returncode == 0, done.stderr
    for line, (case, sentence) in zip(done.stderr.splitlines(), sentences.items(), strict=True):
        assert line.startswith(sentence)
        assert (tmp_path / f"{case}.message").read_text() == line


def test_a_defect_keeps_its_traceback(tmp_path: Path) -> None:
    def defect() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failures.run_job(defect, failure_file=tmp_path / "failure")
    assert not (tmp_path / "failure").exists()


def write_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_corrections_are_rows_too_and_win_over_stars_and_earlier_corrections(tmp_path: Path) -> None:
    rows = [row | {"title": None} for row in reviews()]
    write_parquet(tmp_path / "raw" / "reviews" / "ingest_date=2026-01-01" / "x.parquet", rows)
    before = run_features(tmp_path / "raw" / "reviews", tmp_path / "before")

    def correction(text: str, rating: int, at: str, review_id: str = "fb-1") -> dict[str, Any]:
        told = {"review_id": review_id, "product_id": None, "category": None, "channel": "call"}
        return {**told, "text": text, "rating": rating, "created_at": "2026-03-01T10:00:00.000Z", "corrected_at": at}

    stars_say_negative = rows[0]["text"]
    write_lines(
        tmp_path / "raw" / "corrections" / "ingest_date=2026-03-02" / "b.jsonl",
        [
            correction(stars_say_negative, 5, "2026-03-02T10:00:00.000Z"),
            correction("Said by nobody else", 3, "2026-03-02T10:00:00.000Z", "fb-2"),
        ],
    )
    write_lines(
        tmp_path / "raw" / "corrections" / "ingest_date=2026-03-03" / "a.jsonl",
        [correction(stars_say_negative, 3, "2026-03-03T10:00:00.000Z")],
    )
    after = run_features(tmp_path / "raw", tmp_path / "after")

    found = {row["text"]: row for split in ("train", "validation", "test") for row in read(tmp_path / "after", split)}
    assert (found[stars_say_negative]["sentiment"], found[stars_say_negative]["channel"]) == (0, "call")
    assert found["Said by nobody else"]["sentiment"] == 0
    assert after["rows"] == before["rows"] + 1
    assert after["dropped"]["duplicate_text"] == 2
    assert after["fingerprint"] != before["fingerprint"]
