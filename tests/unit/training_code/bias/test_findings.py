from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from training_code.bias import analysis, findings, write_posttraining
from training_code.bias.dataset import read_csv
from training_code.failures import JobError

Row = tuple[str | None, int, int]
"""Category, truth, answer."""

EQUAL: list[Row] = [("Knits", -1, -1), ("Knits", 1, 1), ("Dresses", -1, -1), ("Dresses", 1, 1)] * 50
UNHEARD: list[Row] = [("Knits", -1, -1)] * 100 + [("Dresses", -1, -1)] * 40 + [("Dresses", -1, 1)] * 60 + EQUAL


def write_stage(folder: Path, rows: list[Row], *, name: str = "posttraining") -> Path:
    """Clarify's files and the analysis that the local one makes of them, both in one folder."""
    write_posttraining(
        folder,
        facets={"category": [category for category, _, _ in rows]},
        truth=[truth for _, truth, _ in rows],
        answers=[answer for _, _, answer in rows],
        text_ids=[f"t{number}" for number in range(len(rows))],
    )
    config = json.loads((folder / "analysis_config.json").read_text())
    if name == "pretraining":
        config["methods"] = {"pre_training_bias": {"methods": ["CI", "DPL"]}}
        (folder / "analysis_config.json").write_text(json.dumps(config))
    found = analysis.analyse(config, read_csv(folder / "dataset.csv", headers=config["headers"]))
    (folder / "analysis.json").write_text(json.dumps(found))
    return folder


def document(tmp_path: Path, rows: list[Row]) -> dict[str, Any]:
    stages = [
        findings.read_stage(name, analysis_file=folder / "analysis.json", data=folder)
        for name in ("pretraining", "posttraining")
        for folder in [write_stage(tmp_path / name, rows, name=name)]
    ]
    return findings.document(*stages)


def test_every_group_has_its_figures_its_rows_and_its_intervals(tmp_path: Path) -> None:
    found = document(tmp_path, UNHEARD)

    entry = next(entry for entry in found["facets"] if entry["value"] == "Dresses")
    assert entry["facet"] == "category"
    assert entry["rows"] == 200
    assert entry["posttraining"]["labelled_rows"] == 150
    assert entry["posttraining"]["RD"] == pytest.approx(1 - 90 / 150)
    low, high = entry["posttraining"]["intervals"]["RD"]
    assert low < entry["posttraining"]["RD"] < high
    assert entry["pretraining"]["CI"] == 0.0
    json.dumps(found, allow_nan=False)


def test_the_largest_difference_names_its_group_and_how_sure_it_is(tmp_path: Path) -> None:
    largest = document(tmp_path, UNHEARD)["largest"]["recall_difference"]

    assert largest["value"] == pytest.approx(0.4)
    assert largest["facet"] == "category"
    assert largest["facet_value"] == "Dresses"
    assert largest["rows"] == 200
    assert largest["counted_rows"] == 150
    assert 0.2 < largest["surely_at_least"] < 0.4


def test_no_difference_is_surely_at_least_nothing(tmp_path: Path) -> None:
    largest = document(tmp_path, EQUAL)["largest"]["accuracy_difference"]

    assert largest["value"] == 0
    assert largest["surely_at_least"] == 0


def test_a_difference_counted_from_few_rows_is_none_of_the_largest(tmp_path: Path) -> None:
    few: list[Row] = [("Dresses", -1, 1)] * 20 + [("Dresses", 1, 1)] * 50 + [("Knits", -1, -1)] * 50
    rows: list[Row] = few + [("Knits", 1, 1)] * 50

    largest = document(tmp_path, rows)["largest"]

    assert largest["recall_difference"] is None
    assert largest["accuracy_difference"] is not None


def test_halves_by_chance_are_never_the_largest_difference(tmp_path: Path) -> None:
    found = document(tmp_path, [(None, truth, answer) for _, truth, answer in UNHEARD])

    assert {entry["facet"] for entry in found["facets"]} == {"half"}
    assert set(found["largest"].values()) == {None}


def test_figures_of_another_clarify_are_kept_and_their_deviation_is_stated(tmp_path: Path) -> None:
    folder = write_stage(tmp_path / "posttraining", EQUAL)
    text = json.loads((folder / "analysis.json").read_text())
    metrics = text["post_training_bias_metrics"]["facets"]["category"][0]["metrics"]
    next(metric for metric in metrics if metric["name"] == "AD")["value"] = 0.25
    (folder / "analysis.json").write_text(json.dumps(text))

    stage = findings.read_stage("posttraining", analysis_file=folder / "analysis.json", data=folder)

    assert stage.largest_deviation == 0.25
    assert {metrics["AD"] for metrics in stage.metrics.values()} == {0.25, 0.0}


def test_a_figure_that_only_one_side_has_is_an_infinite_deviation(tmp_path: Path) -> None:
    folder = write_stage(tmp_path / "posttraining", EQUAL)
    text = json.loads((folder / "analysis.json").read_text())
    text["post_training_bias_metrics"]["facets"]["category"][0]["metrics"][0]["value"] = None
    (folder / "analysis.json").write_text(json.dumps(text))

    stage = findings.read_stage("posttraining", analysis_file=folder / "analysis.json", data=folder)

    assert stage.largest_deviation == math.inf
    assert findings.document(None, stage)["largest_deviation"] is None


def test_an_analysis_of_other_data_is_refused(tmp_path: Path) -> None:
    first = write_stage(tmp_path / "first", EQUAL)
    second = write_stage(tmp_path / "second", [(f"New {category}", truth, answer) for category, truth, answer in EQUAL])

    with pytest.raises(JobError, match="different facets or values"):
        findings.read_stage("posttraining", analysis_file=first / "analysis.json", data=second)


def test_the_analysis_of_the_other_stage_is_refused(tmp_path: Path) -> None:
    folder = write_stage(tmp_path / "posttraining", EQUAL)

    with pytest.raises(JobError, match="is not the pretraining analysis"):
        findings.read_stage("pretraining", analysis_file=folder / "analysis.json", data=folder)


@pytest.mark.parametrize("content", [None, "no json"])
def test_a_missing_or_broken_analysis_is_named(tmp_path: Path, content: str | None) -> None:
    folder = write_stage(tmp_path / "posttraining", EQUAL)
    (folder / "analysis.json").unlink()
    if content is not None:
        (folder / "analysis.json").write_text(content)

    with pytest.raises(JobError, match=r"analysis\.json"):
        findings.read_stage("posttraining", analysis_file=folder / "analysis.json", data=folder)
