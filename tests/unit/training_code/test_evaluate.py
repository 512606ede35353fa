"""The evaluation job on a model of three words: what it writes for the registry, and for the comparison."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.training_code.candidates.features_kit import rows, write_features, write_split
from tests.unit.training_code.model_kit import write_json, write_model, write_serving_code
from training_code import evaluate as job
from training_code import metrics
from training_code.calibration import softmax
from training_code.candidates import predictions
from training_code.candidates.predictions import TEST, VALIDATION
from training_code.failures import JobError

TRAINING = {"base": "three words", "rows": 240, "seconds": 12.5, "hyperparameters": {"epochs": 2}}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evaluate")
    write_features(folder / "features")
    write_serving_code(folder / "serving")
    return folder


def evaluated(
    place: Path, target: Path, *, calibration: dict[str, Any] | None = None, **options: Any
) -> dict[str, Any]:
    model = write_model(target / "model", temperature=2.0, abstain_below=0.0)
    write_json(model / "training.json", TRAINING)
    if calibration:
        write_json(model / "calibration.json", calibration)
    return job.evaluate(
        model=model,
        test=place / "features" / "test",
        serving=place / "serving",
        run="run-1",
        output=target / "output",
        release=target / "release",
        **options,
    )


def classes(split: str) -> np.ndarray:
    return np.array([int(row["sentiment"]) + 1 for row in rows(split)])  # type: ignore[call-overload]


def test_the_candidates_folder_holds_what_the_containers_answered(place: Path, tmp_path: Path) -> None:
    report = evaluated(
        place,
        tmp_path,
        name="tuned",
        validation=place / "features" / "validation",
        candidate=tmp_path / "candidate",
        training_instance="ml.g5.xlarge",
        training_seconds=99.0,
    )
    candidate, found = predictions.read(tmp_path / "candidate")
    assert (candidate.name, candidate.family, candidate.is_deployable) == ("tuned", "tuned", True)
    assert (candidate.trained_rows, candidate.training_seconds) == (240, 99.0)
    assert candidate.training_instance == "ml.g5.xlarge"
    assert candidate.size_bytes == (tmp_path / "model" / "model.onnx").stat().st_size
    assert candidate.texts_per_second == report["rows_per_second"]
    assert candidate.details["hyperparameters"] == {"epochs": 2}
    for split in (VALIDATION, TEST):
        assert found.of(split).text_ids.tolist() == [row["text_id"] for row in rows(split)]
    test = found.of(TEST)
    scores = metrics.score(classes(TEST), test.probabilities, test.answers)
    assert report["macro_f1"] == pytest.approx(scores.macro_f1)
    assert report["negative_recall_interval"] == pytest.approx(scores.negative_recall_interval)
    validation = found.of(VALIDATION)
    assert report["validation"]["macro_f1"] == pytest.approx(
        metrics.score(classes(VALIDATION), validation.probabilities, validation.answers).macro_f1
    )
    assert report["candidate"] == "tuned"


def test_raw_probabilities_are_those_before_the_temperature(place: Path, tmp_path: Path) -> None:
    report = evaluated(place, tmp_path, validation=place / "features" / "validation", candidate=tmp_path / "candidate")
    _, found = predictions.read(tmp_path / "candidate")
    # One word of a class adds 2 to its logit, and the temperature is 2.
    expected = {round(float(p), 4) for p in softmax(np.array([[2.0, 0.0, 0.0], [0.0, 0.0, 0.0]])).ravel()}
    assert {round(float(p), 4) for p in found.raw.ravel()} <= expected
    assert report["calibration_error_before"] == pytest.approx(
        metrics.calibration_error(classes(TEST), found.of(TEST).raw)
    )


def test_where_the_containers_are_unsure_the_answer_is_the_one_that_the_weights_decide_for(
    place: Path, tmp_path: Path
) -> None:
    calibration = {
        "temperature": 1.0,
        "abstain_below": 0.99,
        "decision_weights": {"negative": 100.0, "neutral": 1.0, "positive": 1.0},
    }
    report = evaluated(
        place,
        tmp_path,
        calibration=calibration,
        validation=place / "features" / "validation",
        candidate=tmp_path / "candidate",
    )
    assert report["unsure_share"] == 1
    assert report["negative_recall"] == 1, "what the metrics judge is what was decided"
    _, found = predictions.read(tmp_path / "candidate")
    assert set(found.answers.tolist()) == {0}
    assert not (found.probabilities.argmax(axis=1) == 0).all()
    probes = (tmp_path / "release" / "probes.jsonl").read_text().splitlines()
    assert {json.loads(line)["expected"] for line in probes} == {"unsure"}


def test_without_validation_rows_there_is_a_report_and_no_candidate(place: Path, tmp_path: Path) -> None:
    report = evaluated(place, tmp_path)
    assert report["validation"] is None
    assert (report["candidate"], report["rows"]) == ("bert", 45)
    assert report["features"] == {"fingerprint": "f00d"}
    with pytest.raises(JobError, match="--candidate needs --validation"):
        evaluated(place, tmp_path, candidate=tmp_path / "candidate")


def test_answers_stand_at_their_rows_whatever_their_length(place: Path, tmp_path: Path) -> None:
    """Rows are asked in the order of their length, and the report is in the order of the file."""
    longer = [{**row, "text": f"{row['text']}{' and again' * (n % 7)}"} for n, row in enumerate(rows("test", 90))]
    write_split(tmp_path / "features" / "test", longer)
    (tmp_path / "serving").symlink_to(place / "serving")
    evaluated(tmp_path, tmp_path, validation=place / "features" / "validation", candidate=tmp_path / "candidate")
    _, found = predictions.read(tmp_path / "candidate")
    is_bad = np.array([" bad," in str(row["text"]) for row in longer])
    assert is_bad.sum() > 5
    assert ((found.of(TEST).probabilities[:, 0] > 0.5) == is_bad).all(), "the model knows one negative word"
