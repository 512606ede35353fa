"""Autopilot's candidate from a transform job's answers: joined by place, in our order of labels, or refused."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.unit.training_code.candidates.features_kit import COUNTS, write_features
from training_code.candidates import autopilot
from training_code.candidates.predictions import read
from training_code.failures import JobError
from training_code.feature_rows import read_split

# As Autopilot sorts them: by the alphabet, which is not our order by need.
LABELS = ["negative", "neutral", "positive"]
TURNED = LABELS[::-1]


@pytest.fixture
def features(tmp_path: Path) -> Path:
    return write_features(tmp_path / "features")


def answer(label: str, labels: list[str] = LABELS) -> list[str]:
    """A record with most of the probability on the label, as Autopilot's containers write it."""
    return [label, str([0.8 if name == label else 0.1 for name in labels]), str(labels)]


def write_answers(folder: Path, features: Path, made: Callable[[str, int], list[str]]) -> Path:
    """A record for each row, from the row's true label and its place."""
    folder.mkdir()
    for split in ("validation", "test"):
        classes = read_split(features / split, split=split).classes
        with (folder / f"{split}.csv.out").open("w", newline="") as stream:
            csv.writer(stream, lineterminator="\n").writerows(
                made(LABELS[index], place) for place, index in enumerate(classes)
            )
    return folder


def test_answers_are_joined_to_their_texts_by_place(tmp_path: Path, features: Path) -> None:
    answers = write_answers(tmp_path / "answers", features, lambda label, place: answer(label))
    archive = tmp_path / "processor" / "model.tar.gz"
    archive.parent.mkdir()
    archive.write_bytes(b"x" * 100)

    status = autopilot.main(
        [
            *("--answers", str(answers), "--features", str(features), "--output", str(tmp_path / "out")),
            *("--archives", str(archive.parent), "--job", "j", "--candidate", "c"),
            *("--objective", "F1macro=0.61", "--training-seconds", "12.5"),
        ]
    )

    assert status == 0
    candidate, predictions = read(tmp_path / "out")
    assert (candidate.name, candidate.is_deployable, candidate.size_bytes) == ("autopilot", False, 100)
    assert candidate.trained_rows == COUNTS["train"]
    assert candidate.training_seconds == 12.5
    assert candidate.details["objective"] == {"metric": "F1macro", "value": 0.61}
    test = predictions.of("test")
    rows = read_split(features / "test", split="test")
    assert test.text_ids.tolist() == rows.text_ids
    assert test.answers.tolist() == rows.classes.tolist()
    assert np.allclose(test.raw.max(axis=1), 0.8)


def test_probabilities_come_into_our_order_of_labels(tmp_path: Path, features: Path) -> None:
    answers = write_answers(tmp_path / "answers", features, lambda label, place: answer(label, TURNED))
    chosen, raw = autopilot.read_answers(answers / "test.csv.out")
    assert (raw.argmax(axis=1) == chosen).all()


def test_lists_by_the_rules_of_json_are_lists_too(tmp_path: Path) -> None:
    path = tmp_path / "test.csv.out"
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerow(["neutral", json.dumps([0.2, 0.5, 0.3]), json.dumps(LABELS)])
    chosen, raw = autopilot.read_answers(path)
    assert chosen.tolist() == [1]
    assert raw.tolist() == [[0.2, 0.5, 0.3]]


def test_too_few_answers_are_refused_with_both_numbers(tmp_path: Path, features: Path) -> None:
    answers = write_answers(tmp_path / "answers", features, lambda label, place: answer(label))
    path = answers / "test.csv.out"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(JobError, match=r"test\.csv\.out has 44 answers to 45 test rows\."):
        autopilot.score_answers(answers=answers, features=features, output=tmp_path / "out")


@pytest.mark.parametrize(
    ("record", "complaint"),
    [
        (["negative"], "Line 1 of test.csv.out has 1 fields"),
        (["great", "[0.8, 0.1, 0.1]", str(LABELS)], "Line 1 of test.csv.out is no answer with the labels"),
        (["negative", "[0.8, 0.2]", str(LABELS)], "is no answer with the labels"),
        (["negative", "__import__('os')", str(LABELS)], "is no answer with the labels"),
        (["negative", "[0.8, 0.1, 0.1]", "['a', 'b', 'c']"], "is no answer with the labels"),
        (["negative", "['x', 0.1, 0.1]", str(LABELS)], "The probability in line 1 of test.csv.out is no number: x."),
        (["negative", "[0.8, 0.8, 0.1]", str(LABELS)], "holds probabilities that are none"),
    ],
)
def test_a_record_that_is_no_answer_is_refused(tmp_path: Path, record: list[str], complaint: str) -> None:
    path = tmp_path / "test.csv.out"
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerow(record)
    with pytest.raises(JobError, match=complaint):
        autopilot.read_answers(path)


def test_answers_that_are_missing_are_the_jobs_exit_message(tmp_path: Path, features: Path) -> None:
    message = tmp_path / "message"
    status = autopilot.main(
        [
            *("--answers", str(tmp_path), "--features", str(features), "--output", str(tmp_path / "out")),
            *("--message", str(message)),
        ]
    )
    assert status == 1
    assert message.read_text().startswith("The transform job left no validation.csv.out in ")
