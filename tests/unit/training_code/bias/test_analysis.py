from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from training_code.bias.analysis import Dataset, analyse
from training_code.bias.contingency import Coded
from training_code.bias.dataset import read_csv
from training_code.failures import JobError


def dataset(**columns: list[str | None]) -> Dataset:
    return Dataset(columns={name: Coded.of(values) for name, values in columns.items()})


def config(**changes: Any) -> dict[str, Any]:
    return {
        "dataset_type": "text/csv",
        "label": "label",
        "label_values_or_threshold": ["cat", "dog"],
        "facet": [{"name_or_index": "facet"}],
        "methods": {"pre_training_bias": {"methods": "all"}},
    } | changes


PETS = dataset(label=["cat", "bird", "dog", "bird"], answer=["cat", "cat", "bird", "bird"], facet=["x", "x", "y", "z"])


def values(found: dict[str, Any], facet: str = "facet", section: str = "pre_training_bias_metrics") -> dict[str, Any]:
    return {
        entry["value_or_threshold"]: {metric["name"]: metric["value"] for metric in entry["metrics"]}
        for entry in found[section]["facets"][facet]
    }


def test_the_document_has_clarifys_shape() -> None:
    found = analyse(config(), PETS)

    assert found["version"] == "1.0"
    section = found["pre_training_bias_metrics"]
    assert section["label"] == "label"
    assert section["label_value_or_threshold"] == "cat,dog"
    entry = section["facets"]["facet"][0]
    assert entry["value_or_threshold"] == "x"
    assert entry["metrics"][1] == {"name": "CI", "description": "Class Imbalance (CI)", "value": 0.0}
    assert entry["metrics"][0] == {
        "name": "CDDL",
        "description": "Conditional Demographic Disparity in Labels (CDDL)",
        "value": None,
        "error": "there is no group variable",
    }


def test_several_classes_are_two_outcomes_the_favoured_and_the_others() -> None:
    assert values(analyse(config(methods={"pre_training_bias": {"methods": ["DPL"]}}), PETS)) == {
        "x": {"DPL": 0.0},
        "y": {"DPL": pytest.approx(1 / 3 - 1)},
        "z": {"DPL": pytest.approx(2 / 3)},
    }


def test_values_of_a_facet_that_are_named_form_one_group() -> None:
    asked = config(
        facet=[{"name_or_index": 2, "value_or_threshold": ["y", "z"]}],
        methods={"pre_training_bias": {"methods": ["CI"]}},
    )

    assert values(analyse(asked, PETS)) == {"y,z": {"CI": 0.0}}


def test_numbers_are_parted_by_a_threshold() -> None:
    rows = dataset(label=["0.2", "0.7", "0.9", "0.5"], facet=["a", "a", "b", "b"])
    asked = config(label_values_or_threshold=[0.5], methods={"pre_training_bias": {"methods": ["DPL"]}})

    found = analyse(asked, rows)

    assert found["pre_training_bias_metrics"]["label_value_or_threshold"] == "(0.5, 0.9]"
    assert values(found)["a"] == {"DPL": 0.0}


def test_whole_numbers_of_few_kinds_are_classes_however_they_are_written() -> None:
    rows = dataset(label=["1", "0"] * 50, facet=["a", "b"] * 50)
    asked = config(label_values_or_threshold=[1.0], methods={"pre_training_bias": {"methods": ["DPL"]}})

    assert values(analyse(asked, rows))["a"] == {"DPL": -1.0}


def test_infinite_figures_are_written_as_clarify_writes_them() -> None:
    rows = dataset(label=["cat", "bird"], answer=["cat", "bird"], facet=["x", "y"])
    asked = config(methods={"post_training_bias": {"methods": ["DI"]}}, predicted_label="answer")

    assert values(analyse(asked, rows), section="post_training_bias_metrics")["x"] == {"DI": "Infinity"}


def test_all_metrics_after_training_name_the_one_that_is_not_computed() -> None:
    asked = config(methods={"post_training_bias": {"methods": "all"}}, predicted_label="answer", group_variable="label")

    found = analyse(asked, PETS)["post_training_bias_metrics"]["facets"]["facet"][0]["metrics"]

    assert [metric["name"] for metric in found] == sorted(metric["name"] for metric in found)
    assert {metric["name"] for metric in found if "error" in metric} == {"FT"}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"label": "nothing"}, "label 'nothing' is no column"),
        ({"label": 7}, "label 7 is no column"),
        ({"label_values_or_threshold": []}, "no 'label_values_or_threshold'"),
        ({"facet": []}, "no 'facet'"),
        ({"facet": [{"name_or_index": "age"}]}, "facet 'age' is no column"),
        ({"group_variable": "size"}, "group variable 'size' is no column"),
        ({"methods": {"pre_training_bias": {"methods": ["XX"]}}}, "no pre_training_bias metric 'XX'"),
        ({"methods": {"post_training_bias": {"methods": "all"}}}, "no 'predicted_label'"),
    ],
)
def test_what_the_data_has_not_is_named(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(JobError, match=sentence):
        analyse(config(**changes), PETS)


def test_answers_without_a_favoured_one_end_the_analysis() -> None:
    asked = config(
        methods={"post_training_bias": {"methods": "all"}}, predicted_label="answer", label_values_or_threshold=["dog"]
    )

    with pytest.raises(JobError, match="No row of 'answer' has a favoured value"):
        analyse(asked, PETS)


def test_measured_facets_need_a_threshold() -> None:
    rows = dataset(label=["cat", "bird"], facet=["1.5", "2.5"])

    with pytest.raises(JobError, match="has no value_or_threshold"):
        analyse(config(), rows)


def test_csv_is_read_with_a_header_line_or_with_the_headers_given(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('x,y\n1,"a, b"\n,c\n')

    given = read_csv(tmp_path, headers=["p", "q"])
    found = read_csv(tmp_path, headers=None)

    assert given.rows == 3
    assert found.columns["y"].values == ("a, b", "c")
    assert found.columns["x"].codes.tolist() == [0, -1]


def test_files_of_a_data_set_are_read_one_after_the_other(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("k\nb\n")
    (tmp_path / "b.csv").write_text("a\nk\n")

    column = read_csv(tmp_path, headers=["x"]).columns["x"]

    assert [column.values[code] for code in column.codes] == ["k", "b", "a", "k"]


def test_a_line_with_too_many_cells_is_refused_without_being_quoted(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("secret,words,here\n")

    with pytest.raises(JobError, match=r"a\.csv of the dataset cannot be read as CSV of 2 columns") as refusal:
        read_csv(tmp_path, headers=["x", "y"])
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("content", ["", "x,y\n"])
def test_a_data_set_without_rows_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.csv").write_text(content)

    with pytest.raises(JobError):
        read_csv(tmp_path, headers=None)


def test_a_folder_without_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="holds no file"):
        read_csv(tmp_path, headers=None)
