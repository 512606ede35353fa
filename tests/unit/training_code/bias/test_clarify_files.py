from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from training_code.bias import length_band, write_posttraining, write_pretraining
from training_code.bias.facets import LEAST_ROWS, MOST_VALUES, usable
from training_code.failures import JobError

SCHEMA = pa.schema(
    [("text_id", pa.string()), ("text", pa.string()), ("sentiment", pa.int64())]
    + [(name, pa.string()) for name in ("category", "channel", "age_band")]
    + [("words", pa.int64())]
)


def row(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "text_id": f"t{number}",
        "text": "secret words of a customer",
        "sentiment": number % 3 - 1,
        "category": "Dresses" if number % 2 else "Knits",
        "channel": None,
        "age_band": "18-24" if number % 5 else "65+",
        "words": 10 if number % 4 else 100,
    } | changes


def write_features(folder: Path, rows: list[dict[str, Any]], schema: pa.Schema = SCHEMA) -> Path:
    parts = {"train": rows[: len(rows) // 2], "validation": rows[len(rows) // 2 :], "test": []}
    for split, part in parts.items():
        (folder / split).mkdir(parents=True)
        pq.write_table(pa.Table.from_pylist(part, schema=schema), folder / split / "part-0.parquet")
    return folder


def pretraining(tmp_path: Path, rows: list[dict[str, Any]]) -> tuple[dict[str, Any], list[list[str]]]:
    write_pretraining(write_features(tmp_path / "features", rows), tmp_path / "bias")
    return read(tmp_path / "bias")


def read(folder: Path) -> tuple[dict[str, Any], list[list[str]]]:
    with (folder / "dataset.csv").open(encoding="utf-8", newline="") as file:
        return json.loads((folder / "analysis_config.json").read_text()), list(csv.reader(file))


def facet_names(config: dict[str, Any]) -> list[str]:
    return [facet["name_or_index"] for facet in config["facet"]]


def test_rows_of_all_splits_become_a_data_set_without_header_and_without_texts(tmp_path: Path) -> None:
    config, rows = pretraining(tmp_path, [row(number) for number in range(200)])

    assert config["headers"] == ["sentiment", "category", "age_band", "length"]
    assert rows[1] == ["neutral", "Dresses", "18-24", "1-20 words"]
    assert len(rows) == 200
    assert all(len(cells) == len(config["headers"]) for cells in rows)
    assert "secret" not in (tmp_path / "bias" / "dataset.csv").read_text()


def test_the_outcome_followed_is_being_heard_as_negative(tmp_path: Path) -> None:
    config, _ = pretraining(tmp_path, [row(number) for number in range(200)])

    assert config["label"] == "sentiment"
    assert config["label_values_or_threshold"] == ["negative"]


def test_a_constant_or_empty_facet_is_left_out(tmp_path: Path) -> None:
    config, _ = pretraining(tmp_path, [row(number, age_band="18-24") for number in range(200)])

    assert facet_names(config) == ["category", "length"]


def test_without_any_usable_facet_halves_by_hash_keep_the_analysis_possible(tmp_path: Path) -> None:
    bare = [row(number, category=None, age_band=None, words=10) for number in range(200)]

    config, rows = pretraining(tmp_path, bare)

    assert facet_names(config) == ["half"]
    assert "group_variable" not in config
    assert "CDDL" not in config["methods"]["pre_training_bias"]["methods"]
    halves = [cells[1] for cells in rows]
    assert 60 < halves.count("first half") < 140


def test_few_rows_are_pooled_and_missing_values_are_called_unknown(tmp_path: Path) -> None:
    rare = [row(number, category="Rare") for number in range(LEAST_ROWS - 1)]
    unknown = [row(number, category=None) for number in range(5)]

    _, rows = pretraining(tmp_path, [row(number) for number in range(200)] + rare + unknown)

    categories = [cells[1] for cells in rows]
    assert set(categories) == {"Dresses", "Knits", "other", "unknown"}
    assert categories.count("other") == LEAST_ROWS - 1
    assert categories.count("unknown") == 5


@pytest.mark.parametrize("value", ["12", "NA", "null", "1e3", "other", "unknown", "True"])
def test_a_value_that_csv_readers_would_take_for_something_else_is_written_with_its_facets_name(
    tmp_path: Path, value: str
) -> None:
    _, rows = pretraining(tmp_path, [row(number, category=value if number % 2 else "Knits") for number in range(100)])

    assert {cells[1] for cells in rows} == {"Knits", f"category {value}"}


def test_a_value_of_several_lines_stays_in_one_cell_of_one_line(tmp_path: Path) -> None:
    odd = 'Tops,\n "new"  ones'

    _, rows = pretraining(tmp_path, [row(number, category=odd if number % 2 else "Knits") for number in range(100)])

    assert {cells[1] for cells in rows} == {"Knits", 'Tops, "new" ones'}
    assert len((tmp_path / "bias" / "dataset.csv").read_text().splitlines()) == 100


def test_features_without_the_newer_columns_can_be_analysed(tmp_path: Path) -> None:
    schema = pa.schema([field for field in SCHEMA if field.name not in ("age_band", "words")])
    features = write_features(tmp_path / "features", [row(number) for number in range(100)], schema)

    write_pretraining(features, tmp_path / "bias")

    assert facet_names(read(tmp_path / "bias")[0]) == ["category"]


def test_no_rows_end_the_job_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="no rows"):
        write_pretraining(tmp_path, tmp_path / "bias")


def test_a_corrupt_file_ends_the_job_with_its_name(tmp_path: Path) -> None:
    write_features(tmp_path, [row(1)])
    (tmp_path / "train" / "part-0.parquet").write_bytes(b"nothing")

    with pytest.raises(JobError, match=r"part-0\.parquet of the train data"):
        write_pretraining(tmp_path, tmp_path / "bias")


def posttraining(
    tmp_path: Path, answers: list[int], **facets: list[str | None]
) -> tuple[dict[str, Any], list[list[str]]]:
    truth = [number % 3 - 1 for number in range(len(answers))]
    ids = [f"t{number}" for number in range(len(answers))]
    write_posttraining(tmp_path, facets=facets, truth=truth, answers=answers, text_ids=ids)
    return read(tmp_path)


def test_answers_stand_beside_the_labels_so_that_no_model_is_asked(tmp_path: Path) -> None:
    config, rows = posttraining(
        tmp_path, [-1, 0] * 50, category=["a", "b"] * 50, length=[length_band(5), length_band(500)] * 50
    )

    assert config["headers"] == ["sentiment", "predicted_sentiment", "category", "length"]
    assert config["predicted_label"] == "predicted_sentiment"
    assert config["group_variable"] == "length"
    assert rows[0] == ["negative", "negative", "a", "1-20 words"]


def test_a_model_that_never_answers_negative_is_measured_by_what_it_does_answer(tmp_path: Path) -> None:
    config, _ = posttraining(tmp_path, [1] * 100, category=["a", "b"] * 50)

    assert config["label_values_or_threshold"] == ["positive"]


def test_a_model_is_measured_also_where_nothing_is_recorded_of_its_texts(tmp_path: Path) -> None:
    config, _ = posttraining(tmp_path, [-1, 0] * 50, category=[None] * 100)

    assert facet_names(config) == ["half"]


def test_facets_of_another_length_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="every row"):
        posttraining(tmp_path, [1, 0], category=["a"])


def test_no_answers_end_the_job_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="no answers"):
        posttraining(tmp_path, [])


@pytest.mark.parametrize(
    ("words", "band"), [(1, "1-20 words"), (20, "1-20 words"), (21, "21-60 words"), (61, "over 60 words")]
)
def test_lengths_fall_into_fixed_bands(words: int, band: str) -> None:
    assert length_band(words) == band


def test_the_most_frequent_values_stay_apart_and_the_rest_is_pooled() -> None:
    facet = usable("category", {f"c{number}": 100 + number for number in range(MOST_VALUES + 5)})

    assert facet is not None
    assert facet.value(f"c{MOST_VALUES + 4}") == f"c{MOST_VALUES + 4}"
    assert facet.value("c0") == "other"


def test_one_frequent_value_beside_a_large_pool_can_be_compared() -> None:
    rare = {f"c{number}": LEAST_ROWS - 1 for number in range(2)}

    assert usable("category", {"frequent": 100, **rare}) is not None
    assert usable("category", {"frequent": 100, "rare": 5}) is None
    assert usable("category", rare) is None
