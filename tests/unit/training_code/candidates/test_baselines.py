"""The most frequent class, and TF-IDF with logistic regression, as their job writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.training_code.candidates.features_kit import COUNTS, rows, write_features, write_split
from tests.unit.training_code.model_kit import run_training_python
from training_code import metrics
from training_code.candidates import predictions
from training_code.candidates.predictions import TEST, VALIDATION


def run_baselines(features: Path, output: Path, *options: str) -> Any:
    return run_training_python(
        *("-m", "training_code.candidates.baselines", "--features", str(features), "--output", str(output), *options)
    )


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("baselines")
    write_features(folder / "features")
    done = run_baselines(folder / "features", folder / "out", "--seed", "7", "--instance", "ml.m5.xlarge")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return folder, done.stdout


def truth(split: str) -> np.ndarray:
    return np.array([int(row["sentiment"]) + 1 for row in rows(split)])  # type: ignore[call-overload]


def test_both_baselines_answer_every_validation_and_test_row(written: tuple[Path, str]) -> None:
    folder, _ = written
    for name in ("majority", "tfidf"):
        candidate, found = predictions.read(folder / "out" / name)
        assert (candidate.name, candidate.family, candidate.trained_rows) == (name, name, COUNTS["train"])
        assert candidate.training_instance == "ml.m5.xlarge"
        assert not candidate.is_deployable
        assert candidate.size_bytes > 0
        assert candidate.texts_per_second
        for split in (VALIDATION, TEST):
            assert found.of(split).text_ids.tolist() == [row["text_id"] for row in rows(split)]


def test_the_most_frequent_class_knows_nothing_else(written: tuple[Path, str]) -> None:
    folder, _ = written
    _, found = predictions.read(folder / "out" / "majority")
    assert len(np.unique(found.answers)) == 1
    np.testing.assert_allclose(found.raw, 1 / 3)


def test_words_tell_the_classes_apart_and_confidence_is_calibrated(written: tuple[Path, str]) -> None:
    folder, _ = written
    candidate, found = predictions.read(folder / "out" / "tfidf")
    test = found.of(TEST)
    assert metrics.score(truth(TEST), test.probabilities).accuracy > 0.85
    assert (test.answers == test.probabilities.argmax(axis=1)).all()
    validation = found.of(VALIDATION)
    before = metrics.calibration_error(truth(VALIDATION), validation.raw)
    assert metrics.calibration_error(truth(VALIDATION), validation.probabilities) < before
    assert candidate.details["C"] in (0.1, 0.3, 1.0)


def test_a_person_can_follow_the_job_and_no_text_is_in_its_log(written: tuple[Path, str]) -> None:
    _, output = written
    assert "240 train, 60 validation and 45 test rows" in output
    assert "C 0.3: validation macro-F1 0." in output
    assert "dress" not in output


def test_the_same_rows_give_the_same_predictions(written: tuple[Path, str], tmp_path: Path) -> None:
    folder, _ = written
    assert run_baselines(folder / "features", tmp_path, "--seed", "7").returncode == 0
    for name in ("majority", "tfidf"):
        first = (folder / "out" / name / "predictions.parquet").read_bytes()
        assert (tmp_path / name / "predictions.parquet").read_bytes() == first


def test_a_class_without_rows_ends_the_job_with_a_sentence(tmp_path: Path) -> None:
    write_features(tmp_path / "features")
    write_split(tmp_path / "features" / "train", [row for row in rows("train") if row["sentiment"] != 0])
    done = run_baselines(tmp_path / "features", tmp_path / "out", "--message", str(tmp_path / "message"))
    assert done.returncode == 1
    sentence = "The train data has no 'neutral' row, so nothing can be learned of that class."
    assert done.stderr.strip() == sentence == (tmp_path / "message").read_text()
