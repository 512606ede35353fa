from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.unit.training_code.explain_kit import write_bias, write_features, write_release
from tests.unit.training_code.model_kit import run_training_python


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("explain")
    write_release(folder)
    write_bias(folder / "bias", write_features(folder / "features"), folder / "comparison")
    return folder


def explain(inputs: Path, output: Path, *options: str) -> tuple[int, str]:
    done = run_training_python(
        *("-m", "training_code.explain", "--model", str(inputs / "release"), "--features", str(inputs / "features")),
        *("--bias", str(inputs / "bias"), "--comparison", str(inputs / "comparison"), "--output", str(output)),
        *("--texts", "12", *options),
        # Compiling takes five seconds, and little is computed here.
        environment={"NUMBA_DISABLE_JIT": "1"},
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def explained(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    output = tmp_path_factory.mktemp("explained")
    status, log = explain(inputs, output)
    assert status == 0, log
    return output, log


def read(explained: tuple[Path, str], name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((explained[0] / name).read_text())
    return document


def test_the_words_that_the_model_goes_by_are_found(explained: tuple[Path, str]) -> None:
    importance = read(explained, "explanations.json")["importance"]

    for label, word in (("negative", "bad"), ("neutral", "okay"), ("positive", "good")):
        first = importance[label][0]
        assert first["word"] == word
        assert first["weight"] > 0.05


def test_the_words_of_every_text_add_up_to_the_answer(explained: tuple[Path, str]) -> None:
    document = read(explained, "explanations.json")

    assert document["texts_explained"] == 12
    assert document["largest_gap"] < 1e-6
    for text in document["texts"]:
        for label, probability in text["probabilities"].items():
            total = text["without_words"][label] + sum(word[label] for word in text["words"])
            assert total == pytest.approx(probability, abs=1e-6)


def test_every_class_is_explained_alike(explained: tuple[Path, str]) -> None:
    truths = [text["truth"] for text in read(explained, "explanations.json")["texts"]]

    assert {label: truths.count(label) for label in truths} == {"negative": 4, "neutral": 4, "positive": 4}


def test_texts_reach_the_pages_escaped_and_never_the_log(explained: tuple[Path, str]) -> None:
    output, log = explained
    page = (output / "explanations.html").read_text()

    assert "&lt;b&gt;really&lt;/b&gt;" in page
    assert "<b>really" not in page
    assert "<script" not in page
    assert "really" not in log
    assert "10 of 12 texts explained" in log


def test_the_bias_report_names_its_groups(explained: tuple[Path, str]) -> None:
    document = read(explained, "bias.json")

    assert {entry["facet"] for entry in document["facets"]} == {"category", "length"}
    assert document["largest_deviation"] == 0
    assert document["largest"]["accuracy_difference"]["rows"] >= 30
    page = (explained[0] / "bias.html").read_text()
    assert "Dresses" in page
    assert "<svg" in page
    assert "How surprised one would be" in page


def test_a_run_that_is_out_of_time_and_whose_first_analysis_failed_reports_what_it_has(
    inputs: Path, explained: tuple[Path, str], tmp_path: Path
) -> None:
    (tmp_path / "bias").mkdir()
    shutil.copytree(inputs / "bias" / "posttraining", tmp_path / "bias" / "posttraining")

    status, log = explain(inputs, tmp_path, "--seconds", "0", "--bias", str(tmp_path / "bias"))

    assert status == 0, log
    assert "is over after 1 of 12 texts" in log
    explanations, bias = read((tmp_path, log), "explanations.json"), read((tmp_path, log), "bias.json")
    assert explanations["texts"] == read(explained, "explanations.json")["texts"][:1]
    assert bias["largest"]["label_difference"] is None
    assert bias["largest"]["accuracy_difference"] == read(explained, "bias.json")["largest"]["accuracy_difference"]
    assert {entry["pretraining"] for entry in bias["facets"]} == {None}
    assert "was not analysed before training" in (tmp_path / "bias.html").read_text()


MISSING = {
    "release/classify.tar.gz": "There is no classify.tar.gz in",
    "bias/posttraining/analysis.json": "There is no analysis.json in",
    "features/views/bias/dataset.csv": "There is no dataset.csv of the pre-training analysis in",
    "comparison/posttraining/dataset.csv": "There is no dataset.csv of the post-training analysis in",
    "features/test": "There is no test data",
}
EVERY_RUN = """
import sys
from pathlib import Path
from training_code import explain

for run in map(Path, sys.argv[1:]):
    folders = [word for name in ("features", "bias", "comparison") for word in (f"--{name}", str(run / name))]
    options = ["--model", str(run / "release"), "--output", str(run / "output"), "--message", str(run / "message")]
    assert explain.main([*folders, *options]) == 1, run
"""


def test_a_missing_input_ends_the_job_with_a_sentence(inputs: Path, tmp_path: Path) -> None:
    runs = {}
    for number, missing in enumerate(MISSING):
        runs[missing] = tmp_path / str(number)
        for name in ("release", "bias", "comparison", "features"):
            shutil.copytree(inputs / name, runs[missing] / name)
        place = runs[missing] / missing
        shutil.rmtree(place) if place.is_dir() else place.unlink()

    done = run_training_python("-c", EVERY_RUN, *map(str, runs.values()))

    assert done.returncode == 0, done.stderr
    for missing, sentence in MISSING.items():
        assert sentence in (runs[missing] / "message").read_text()
