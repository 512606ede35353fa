"""The comparison job: who is champion, by how much, what it costs, and what a reader sees."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.unit.training_code.candidates.features_kit import rows, write_split
from tests.unit.training_code.comparison.contenders_kit import write_candidate
from tests.unit.training_code.model_kit import run_training_python
from training_code.candidates.predictions import Candidate
from training_code.comparison.costs import cost

COUNTS = {"train": 30, "validation": 120, "test": 300}
FAILED = json.dumps({"name": "autopilot", "reason": "The column 'sentiment' is <missing>."})


def write_features(folder: Path) -> Path:
    for split, count in COUNTS.items():
        write_split(folder / split, rows(split, count))
    return folder


def run_compare(features: Path, candidates: Path, output: Path, *options: str) -> Any:
    return run_training_python(
        *("-m", "training_code.compare", "--candidates", str(candidates), "--features", str(features)),
        *("--run", "r1", "--output", str(output), *options),
    )


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("compare")
    features = write_features(folder / "features")
    write_candidate(folder / "candidates", name="bert", right=0.9, is_deployable=True, counts=COUNTS)
    write_candidate(folder / "candidates", name="tuned", right=0.85, is_deployable=True, counts=COUNTS)
    write_candidate(folder / "candidates", name="tfidf", right=0.95, counts=COUNTS, texts_per_second=None)
    write_candidate(folder / "before", name="bert", right=0.6, is_deployable=True, counts=COUNTS)
    done = run_compare(
        features,
        folder / "candidates",
        folder / "out",
        *("--current", str(folder / "before" / "bert"), "--failed", FAILED, "--message", str(folder / "message")),
    )
    assert done.returncode == 0, done.stderr
    assert (folder / "message").read_text() == "bert"
    return folder, json.loads((folder / "out" / "comparison.json").read_text())


def named(found: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in found["candidates"] if one["name"] == name)


def test_the_champion_is_the_best_that_can_be_served_not_the_best_of_all(
    compared: tuple[Path, dict[str, Any]],
) -> None:
    _, found = compared
    assert found["champion"] == "bert"
    assert named(found, "tfidf")["metrics"]["macro_f1"] > named(found, "bert")["metrics"]["macro_f1"]


def test_figures_are_those_of_the_answers(compared: tuple[Path, dict[str, Any]]) -> None:
    _, found = compared
    metrics = named(found, "bert")["metrics"]
    assert metrics["rows"] == found["test_rows"] == 300
    assert metrics["accuracy"] == pytest.approx(0.9)
    assert metrics["negative_recall"] == pytest.approx(0.9)
    low, high = metrics["macro_f1_interval"]
    assert low < metrics["macro_f1"] < high
    assert metrics["calibration_error"] == pytest.approx(0.2)
    assert sum(sum(row) for row in metrics["confusion"]) == 300
    assert {value["rows"] for value in metrics["by"]["channel"].values()} == {150}


def test_the_champion_is_held_against_each_other_on_the_same_rows(compared: tuple[Path, dict[str, Any]]) -> None:
    _, found = compared
    pairs = {pair["other"]: pair for pair in found["pairs"]}
    assert set(pairs) == {"tuned", "tfidf"}
    for other, pair in pairs.items():
        expected = named(found, "bert")["metrics"]["macro_f1"] - named(found, other)["metrics"]["macro_f1"]
        assert pair["macro_f1"]["difference"] == pytest.approx(expected)
        assert pair["macro_f1"]["low"] <= pair["macro_f1"]["difference"] <= pair["macro_f1"]["high"]
    assert pairs["tfidf"]["macro_f1"]["high"] < 0


def test_what_is_clearly_better_than_the_approved_model_is_said_so(compared: tuple[Path, dict[str, Any]]) -> None:
    _, found = compared
    against = found["against_current"]
    assert (against["model_version"], against["rows"]) == ("bert-1", 300)
    assert against["macro_f1"]["low"] > 0.2
    assert against["macro_f1"]["p_value"] < 0.01
    assert against["accuracy_p_value"] < 0.01


def test_cost_follows_from_what_was_measured_and_is_unknown_where_nothing_was(
    compared: tuple[Path, dict[str, Any]],
) -> None:
    _, found = compared
    cost = named(found, "bert")["cost"]
    assert cost["training_dollars"] == pytest.approx(60 / 3600 * 1.408)
    assert cost["dollars_per_million"] == pytest.approx(1e6 / 250 / 3600 * 0.102)
    assert named(found, "tfidf")["cost"]["dollars_per_million"] is None


def test_machines_that_train_together_all_cost() -> None:
    alone = Candidate(
        name="bert",
        title="BERT",
        family="bert",
        trained_rows=1,
        training_seconds=60,
        training_instance="ml.g5.xlarge",
        size_bytes=1,
        texts_per_second=None,
        is_deployable=True,
    )
    three = cost(replace(alone, training_instances=3))["training_dollars"]
    assert three == pytest.approx(3 * cost(alone)["training_dollars"])


def test_a_candidate_that_failed_is_told_with_its_reason(compared: tuple[Path, dict[str, Any]]) -> None:
    folder, found = compared
    assert named(found, "autopilot") == {"name": "autopilot", "status": "failed", **json.loads(FAILED)}
    page = (folder / "out" / "comparison.html").read_text()
    assert "is &lt;missing&gt;." in page


def test_the_page_stands_alone_and_asks_nothing_of_the_network(compared: tuple[Path, dict[str, Any]]) -> None:
    folder, _ = compared
    page = (folder / "out" / "comparison.html").read_text()
    assert page.count("<svg") >= 3
    assert "<script" not in page
    assert not re.search(r'(src|href)="(https?:)?//', page)


def test_the_model_card_has_every_candidate_and_no_text_of_a_customer(compared: tuple[Path, dict[str, Any]]) -> None:
    folder, _ = compared
    card = (folder / "out" / "model_card.json").read_text()
    (evaluation,) = json.loads(card)["evaluation_details"]
    told = {one["name"] for group in evaluation["metric_groups"] for one in group["metric_data"]}
    assert {"macro_f1", "negative recall", "BERT", "TUNED", "TFIDF"} <= told
    assert not any(str(row["text"]) in card for row in rows("test", COUNTS["test"]))


def test_mistakes_and_conflicts_are_rows_that_are_wrong(compared: tuple[Path, dict[str, Any]]) -> None:
    _, found = compared
    assert found["worst_mistakes"]
    assert found["conflicts"]
    for row in (*found["worst_mistakes"], *found["conflicts"]):
        assert row["true"] != row["answered"]


def test_the_answers_of_the_champion_are_laid_out_for_the_bias_job(compared: tuple[Path, dict[str, Any]]) -> None:
    folder, _ = compared
    config = json.loads((folder / "out" / "posttraining" / "analysis_config.json").read_text())
    assert {facet["name_or_index"] for facet in config["facet"]} >= {"channel", "age_band"}
    assert len((folder / "out" / "posttraining" / "dataset.csv").read_text().splitlines()) == 300


def test_the_same_comparison_is_the_same_bytes(compared: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    folder, _ = compared
    done = run_compare(
        folder / "features",
        folder / "candidates",
        tmp_path / "out",
        *("--current", str(folder / "before" / "bert"), "--failed", FAILED),
    )
    assert done.returncode == 0, done.stderr
    for name in ("comparison.json", "comparison.html", "model_card.json"):
        assert (tmp_path / "out" / name).read_bytes() == (folder / "out" / name).read_bytes()


def test_few_common_rows_are_no_comparison(compared: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    folder, _ = compared
    write_candidate(tmp_path, name="bert", right=0.6, counts={"validation": 120, "test": 150})
    done = run_compare(
        folder / "features", folder / "candidates", tmp_path / "out", "--current", str(tmp_path / "bert")
    )
    assert done.returncode == 0, done.stderr
    against = json.loads((tmp_path / "out" / "comparison.json").read_text())["against_current"]
    assert against["rows"] == 150
    assert "at least 200" in against["note"]


def test_a_candidate_that_left_rows_out_stops_the_comparison(
    compared: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    folder, _ = compared
    write_candidate(tmp_path / "candidates", name="bert", right=0.9, is_deployable=True, counts={"test": 20})
    done = run_compare(folder / "features", tmp_path / "candidates", tmp_path / "out")
    assert done.returncode == 1
    assert re.search(r"The candidate 'bert' has not answered every row: .* the text validation-0060", done.stderr)


def test_without_a_candidate_that_can_be_served_there_is_no_champion(
    compared: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    folder, _ = compared
    write_candidate(tmp_path / "candidates", name="tfidf", right=0.9, counts=COUNTS)
    done = run_compare(folder / "features", tmp_path / "candidates", tmp_path / "out")
    assert done.returncode == 1
    assert done.stderr.strip() == "No candidate of this run can be served, so there is none to release."
