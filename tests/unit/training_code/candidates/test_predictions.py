"""What a candidate hands to the comparison, written and read back."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from training_code.candidates import predictions
from training_code.candidates.predictions import TEST, VALIDATION, Answered, Candidate, Predictions
from training_code.failures import JobError
from training_code.metrics import calibration_error

CANDIDATE = Candidate(
    name="tfidf",
    title="TF-IDF and logistic regression",
    family="tfidf",
    trained_rows=240,
    training_seconds=1.5,
    training_instance=None,
    size_bytes=1000,
    texts_per_second=None,
    is_deployable=False,
    details={"C": 0.3, "ngrams": [1, 2]},
)


def answered(split: str, rows: int = 6) -> Answered:
    classes = np.arange(rows) % 3
    return Answered(
        text_ids=[f"{split}-{row}" for row in range(rows)], classes=classes, raw=np.eye(3)[classes] * 0.7 + 0.1
    )


def predicted() -> Predictions:
    return predictions.calibrated(answered(VALIDATION), answered(TEST, 3))[0]


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    decided = replace(predicted(), answers=np.zeros(9, dtype=np.int64))
    predictions.write(tmp_path / "tfidf", CANDIDATE, decided)
    candidate, found = predictions.read(tmp_path / "tfidf")
    assert candidate == CANDIDATE
    for name in ("text_ids", "split", "probabilities", "raw", "answers"):
        np.testing.assert_array_equal(getattr(found, name), getattr(decided, name))


def test_the_columns_are_those_that_others_read_and_answers_are_sentiments(tmp_path: Path) -> None:
    predictions.write(tmp_path, CANDIDATE, predicted())
    table = pq.read_table(tmp_path / "predictions.parquet")
    assert table.column_names == [
        *("text_id", "split", "negative", "neutral", "positive"),
        *("raw_negative", "raw_neutral", "raw_positive", "answer"),
    ]
    assert table.column("answer").to_pylist() == [-1, 0, 1, -1, 0, 1, -1, 0, 1]
    assert table.column("split").to_pylist() == [VALIDATION] * 6 + [TEST] * 3
    document = json.loads((tmp_path / "candidate.json").read_text())
    assert document["is_deployable"] is False
    assert document["texts_per_second"] is None


def test_equal_content_gives_equal_bytes(tmp_path: Path) -> None:
    for name in ("first", "second"):
        predictions.write(tmp_path / name, CANDIDATE, predicted())
    for name in ("candidate.json", "predictions.parquet"):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()


def test_one_split_and_rows_in_another_order_can_be_taken() -> None:
    found = predicted()
    assert found.of(TEST).text_ids.tolist() == ["test-0", "test-1", "test-2"]
    assert found.aligned(["test-2", "validation-0"]).text_ids.tolist() == ["test-2", "validation-0"]
    with pytest.raises(JobError, match="no answer to the text elsewhere"):
        found.aligned(["elsewhere"])


def test_temperature_is_fitted_on_validation_rows_and_makes_confidence_honest() -> None:
    generator = np.random.default_rng(3)
    truth = generator.integers(0, 3, 3000)
    hits = generator.random(3000) < 0.7
    told = np.where(hits, truth, (truth + 1) % 3)
    # Right in seven cases of ten, and sure of it as if it were in nine.
    validation = Answered(text_ids=[f"v{n}" for n in range(3000)], classes=truth, raw=np.eye(3)[told] * 0.85 + 0.05)
    found, temperature = predictions.calibrated(validation, answered(TEST))
    assert temperature > 1.2
    assert calibration_error(truth, validation.raw) > 0.15
    assert calibration_error(truth, found.of(VALIDATION).probabilities) < 0.03
    np.testing.assert_array_equal(found.of(TEST).raw, answered(TEST).raw)


def test_a_probability_of_zero_stays_a_number() -> None:
    certain = Answered(text_ids=["a", "b"], classes=np.array([0, 1]), raw=np.eye(3)[[0, 1]])
    found, _ = predictions.calibrated(certain, answered(TEST))
    assert np.isfinite(found.probabilities).all()


Fault = Callable[[Predictions], Predictions]


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (lambda p: replace(p, probabilities=p.probabilities * 2), "not all numbers from 0 to 1"),
        (lambda p: replace(p, probabilities=p.probabilities * 0.5), "do not sum to 1 in every row"),
        (lambda p: replace(p, raw=np.full_like(p.raw, np.nan)), "raw probabilities in .* are not all numbers"),
        (lambda p: replace(p, probabilities=p.probabilities[:, :2]), r"shape \(9, 2\), and 9 texts need \(9, 3\)"),
        (lambda p: replace(p, text_ids=np.array(["same"] * 9)), "answer some text twice"),
        (lambda p: replace(p, split=np.array([TEST] * 9)), "have no validation row"),
        (
            lambda p: replace(p, split=np.array([TEST, VALIDATION, "train"] * 3)),
            "the split 'train', which is not compared",
        ),
        (lambda p: replace(p, answers=p.answers + 3), "an answer that is no class"),
    ],
)
def test_predictions_that_do_not_fit_are_not_written(tmp_path: Path, fault: Fault, sentence: str) -> None:
    with pytest.raises(JobError, match=sentence):
        predictions.write(tmp_path / "tfidf", CANDIDATE, fault(predicted()))
    assert not (tmp_path / "tfidf").exists()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"name": ""}, "states no usable name"),
        ({"trained_rows": -1}, "states no usable trained_rows: -1"),
        ({"texts_per_second": "fast"}, "states no usable texts_per_second"),
        ({"is_deployable": 1}, "states no usable is_deployable"),
        ({"title": None, "speed": 3}, "it has speed"),
    ],
)
def test_a_description_that_does_not_fit_is_named(tmp_path: Path, change: dict[str, Any], sentence: str) -> None:
    predictions.write(tmp_path, CANDIDATE, predicted())
    path = tmp_path / "candidate.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(JobError, match=sentence):
        predictions.read(tmp_path)


def test_missing_and_broken_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(JobError, match=r"has no candidate\.json"):
        predictions.read(tmp_path)
    predictions.write(tmp_path, CANDIDATE, predicted())
    (tmp_path / "predictions.parquet").write_bytes(b"no parquet")
    with pytest.raises(JobError, match="cannot be read as predictions"):
        predictions.read(tmp_path)
    (tmp_path / "predictions.parquet").unlink()
    with pytest.raises(JobError, match=r"has no predictions\.parquet"):
        predictions.read(tmp_path)
    (tmp_path / "candidate.json").write_text("{")
    with pytest.raises(JobError, match="is no JSON"):
        predictions.read(tmp_path)


def test_an_answer_that_is_no_sentiment_is_refused(tmp_path: Path) -> None:
    predictions.write(tmp_path, CANDIDATE, predicted())
    path = tmp_path / "predictions.parquet"
    table = pq.read_table(path)
    answers = table.column("answer").to_numpy() + 5
    pq.write_table(table.set_column(table.column_names.index("answer"), "answer", [answers]), path)
    with pytest.raises(JobError, match="answers 4, which is no sentiment"):
        predictions.read(tmp_path)
