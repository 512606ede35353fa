from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.unit.training_code.features.feature_rows import long_text, read_all, reviews, write_csv, write_lines
from tests.unit.training_code.model_kit import run_training_python

# Several runs in one process: most of a run is imports.
PROGRAM = """
import json, sys
from training_code.features.__main__ import main
for arguments in json.loads(sys.argv[1]):
    print("status", main(arguments))
"""


def run_all(*runs: list[str]) -> tuple[list[int], list[str]]:
    """The exit statuses, and the lines of stderr."""
    done = run_training_python("-c", PROGRAM, json.dumps(runs))
    assert done.returncode == 0, done.stderr
    statuses = [int(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("status ")]
    return statuses, done.stderr.splitlines()


def arguments(source: Path, target: Path, *options: str) -> list[str]:
    return ["--input", str(source), "--output", str(target), *options]


def report(target: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((target / "features.json").read_text())
    return found


def test_every_format_packed_or_not_and_columns_of_any_name_give_the_same_rows(tmp_path: Path) -> None:
    rows = reviews(280)
    write_csv(tmp_path / "plain" / "a.csv", rows)
    mixed = tmp_path / "mixed"
    write_csv(mixed / "a.csv.gz", rows[:40], delimiter=";")
    write_csv(mixed / "b.tsv", rows[40:80], delimiter="\t")
    write_csv(mixed / "c.tsv.gz", rows[80:120], delimiter="\t")
    write_lines(mixed / "d.jsonl.gz", rows[120:160])
    write_lines(mixed / "e.ndjson", rows[160:200])
    pq.write_table(pa.Table.from_pylist(rows[200:240]), mixed / "f.parquet")
    pq.write_table(pa.Table.from_pylist(rows[240:]), tmp_path / "g.parquet")
    (mixed / "g.parquet.gz").write_bytes(gzip.compress((tmp_path / "g.parquet").read_bytes()))
    names = {"text": "Review, Text", "rating": "Stars", "title": "Head\nline", "customer_age": "Age"}
    write_csv(tmp_path / "named" / "a.csv", rows, names=names | {"text": "Review Text"})

    statuses, errors = run_all(
        arguments(tmp_path / "plain", tmp_path / "out-plain"),
        arguments(mixed, tmp_path / "out-mixed"),
        arguments(
            tmp_path / "named",
            tmp_path / "out-named",
            "--columns",
            "text=Review Text,rating=Stars,title=Head\nline,customer_age=Age",
        ),
    )

    assert statuses == [0, 0, 0], errors
    plain = read_all(tmp_path / "out-plain")
    assert len(plain) == 280
    assert plain == read_all(tmp_path / "out-mixed") == read_all(tmp_path / "out-named")
    ages = {row["review_id"]: row["customer_age"] for row in rows}
    bands = {None: 0, "18-24": 0, "25-34": 0, "55-64": 0, "65+": 0}
    for row in plain.values():
        bands[row["age_band"]] += 1
        assert row["words"] == len(row["text"].split())
        assert row["language"] == "en"
    assert bands["18-24"] == sum(age == 18 for age in ages.values())
    assert bands[None] == sum(age in (None, 17) for age in ages.values())
    assert report(tmp_path / "out-mixed")["files"] == 7


def test_of_near_duplicates_one_stays_and_a_row_never_moves_when_data_is_added(tmp_path: Path) -> None:
    rows = reviews(280)
    base = [rows[0] | {"review_id": f"l{number}", "text": long_text(number), "title": None} for number in range(40)]
    changed = [row | {"review_id": row["review_id"] + "b", "text": row["text"] + " indeed"} for row in base]
    unlike = [row | {"review_id": row["review_id"] + "c", "text": row["text"][::-1]} for row in base]
    write_lines(tmp_path / "few" / "a.jsonl", [*rows, *base])
    write_lines(tmp_path / "many" / "a.jsonl", [*changed[::-1], *unlike, *base, *rows])

    statuses, errors = run_all(
        arguments(tmp_path / "few", tmp_path / "out-few"),
        arguments(tmp_path / "many", tmp_path / "out-many"),
        arguments(tmp_path / "many", tmp_path / "out-all", "--near-duplicates", "keep"),
    )

    assert statuses == [0, 0, 0], errors
    few, many, every = (read_all(tmp_path / name) for name in ("out-few", "out-many", "out-all"))
    assert report(tmp_path / "out-few")["dropped"]["near_duplicate"] == 0
    assert report(tmp_path / "out-many")["dropped"]["near_duplicate"] == 40
    for text_id, row in few.items():
        assert every[text_id]["split"] == row["split"]
        assert many.get(text_id, row)["split"] == row["split"]
    by_text = {row["text"]: row for row in every.values()}
    order = ("train", "validation", "test")
    for one, other in zip(base, changed, strict=True):
        pair = [by_text[one["text"]], by_text[other["text"]]]
        kept = [row for row in pair if row["text_id"] in many]
        assert len(kept) == 1
        assert order.index(kept[0]["split"]) == max(order.index(row["split"]) for row in pair)


def test_a_crowd_of_texts_alike_is_thinned_in_blocks(tmp_path: Path) -> None:
    crowd = [
        reviews(1)[0] | {"review_id": f"c{number}", "text": f"{long_text(0)} {number}", "title": None}
        for number in range(300)
    ]
    write_lines(tmp_path / "in" / "a.jsonl", [*reviews(280), *crowd])
    statuses, errors = run_all(arguments(tmp_path / "in", tmp_path / "out"))
    assert statuses == [0], errors
    assert report(tmp_path / "out")["dropped"]["near_duplicate"] == 299


def test_what_is_odd_is_counted_and_classes_are_weighed(tmp_path: Path) -> None:
    rows = reviews(280)
    odd = [
        rows[0] | {"review_id": "long", "text": "so it goes " * 9_091, "title": None},
        rows[0] | {"review_id": "words", "rating": "five", "text": "a rating in words"},
        rows[0] | {"review_id": "half", "rating": "3.5", "text": "three and a half"},
        rows[0]
        | {"review_id": "markup", "text": "an item of a strange name", "product_id": "<script>alert(1)</script>"},
        rows[0] | {"review_id": "e1", "text": "", "title": None},
        rows[0] | {"review_id": "e2", "text": "<br>", "title": None},
    ]
    write_lines(tmp_path / "in" / "a.jsonl", [*rows, *odd])
    statuses, errors = run_all(
        arguments(tmp_path / "in", tmp_path / "dropped", "--balance", "weights"),
        arguments(tmp_path / "in", tmp_path / "kept", "--empty", "keep"),
    )
    assert statuses == [0, 0], errors
    found = report(tmp_path / "dropped")
    assert (found["dropped"]["no_rating"], found["dropped"]["empty_text"]) == (2, 2)
    assert found["texts_cut"] == {"at_characters": 10_000, "texts": 1}
    assert found["characters"]["longest"] == 10_000
    train = found["splits"]["train"]
    weighed = [found["class_weights"][label] * count for label, count in train.items()]
    assert max(weighed) - min(weighed) < 0.01
    assert found["products"]["distinct"] == 8
    page = (tmp_path / "dropped" / "features.html").read_text()
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page
    assert report(tmp_path / "kept")["rows"] == found["rows"] + 2
    assert report(tmp_path / "kept")["dropped"]["empty_text"] == 0


def test_what_cannot_be_learned_from_ends_in_one_sentence(tmp_path: Path) -> None:
    rows = reviews(200)
    same = [row | {"text": "All the same!", "title": None} for row in rows]
    few = [row for row in rows if row["rating"] != 3] + [row for row in rows if row["rating"] == 3][:3]
    write_lines(tmp_path / "same" / "a.jsonl", same)
    write_lines(tmp_path / "three" / "a.jsonl", few)
    write_csv(tmp_path / "foreign" / "a.csv", rows)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "a.csv.gz").write_bytes(b"not packed")
    (tmp_path / "array").mkdir()
    (tmp_path / "array" / "a.jsonl").write_text("[1, 2]\n")
    write_lines(tmp_path / "torn" / "a.jsonl", rows * 6)  # beyond what is looked at first
    with (tmp_path / "torn" / "a.jsonl").open("a") as file:
        file.write('{"text": "half a')
    whole = tmp_path / "damaged" / "a.parquet"
    whole.parent.mkdir()
    pq.write_table(pa.Table.from_pylist(rows), whole)
    data = bytearray(whole.read_bytes())
    data[4 : len(data) // 2] = b"\xff" * (len(data) // 2 - 4)
    whole.write_bytes(data)
    sentences = {
        "same": "All 200 usable reviews say the same, so there is nothing to tell apart.",
        "three": "The class 'neutral' (3 stars) has 3 usable reviews, and training needs at least 10 of each class.",
        "foreign": "a.csv has no column 'Review'; it has review_id, title, text, rating,",
        "broken": "a.csv.gz is no readable csv file: ",
        "array": "a.jsonl is no readable jsonl file: line 1 is not a JSON object.",
        "torn": f"The reviews under {tmp_path / 'torn'} cannot be read to the end: ",
        "damaged": f"The reviews under {tmp_path / 'damaged'} cannot be read to the end: ",
    }
    options = {"foreign": ["--columns", "text=Review"]}
    statuses, errors = run_all(
        *(arguments(tmp_path / case, tmp_path / "out", *options.get(case, [])) for case in sentences)
    )
    assert statuses == [1] * len(sentences)
    for line, sentence in zip(errors, sentences.values(), strict=True):
        assert line.startswith(sentence)
