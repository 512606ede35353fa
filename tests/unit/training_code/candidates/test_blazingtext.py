"""A BlazingText model, which is a file of fastText's, scored as a candidate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.training_code.candidates.features_kit import COUNTS, rows, write_features
from tests.unit.training_code.model_kit import run_training_python
from training_code import metrics
from training_code.artifacts import write_archive
from training_code.candidates import predictions, views
from training_code.candidates.predictions import TEST, VALIDATION

TRAINER = """
import sys, fasttext
options = dict(epoch=30, lr=0.5, dim=50, wordNgrams=2, minCount=1, bucket=50000, thread=1, seed=7, verbose=0)
fasttext.train_supervised(input=sys.argv[1], **options).save_model(sys.argv[2])
"""


def train(lines: Path, target: Path) -> None:
    # fastText 0.9.2 stops with "Encountered NaN" now and then where its matrices are small, whatever rate and seed.
    for _ in range(12):
        done = run_training_python("-c", TRAINER, str(lines), str(target))
        if "Encountered NaN" not in done.stderr:
            break
    assert done.returncode == 0, done.stderr


def run_scoring(model: Path, features: Path, output: Path, *options: str) -> Any:
    return run_training_python(
        *("-m", "training_code.candidates.blazingtext", "--model", str(model), "--features", str(features)),
        *("--output", str(output), *options),
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("blazingtext")
    views.write_views(write_features(folder / "features"))
    train(folder / "features" / "views" / "blazingtext" / "train" / "train.txt", folder / "model.bin")
    (folder / "model").mkdir()
    write_archive(folder / "model" / "model.tar.gz", {"model.bin": folder / "model.bin"})
    return folder


def test_the_archive_of_the_training_job_becomes_a_candidate(place: Path, tmp_path: Path) -> None:
    done = run_scoring(
        *(place / "model", place / "features", tmp_path, "--training-seconds", "41", "--training-instance"),
        *("ml.c5.xlarge", "--hyperparameter=mode=supervised", "--hyperparameter=epochs=30"),
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "validation macro-F1" in done.stdout
    candidate, found = predictions.read(tmp_path)
    assert (candidate.name, candidate.trained_rows, candidate.training_seconds) == ("blazingtext", COUNTS["train"], 41)
    assert candidate.training_instance == "ml.c5.xlarge"
    assert candidate.size_bytes == (place / "model.bin").stat().st_size
    assert candidate.details["hyperparameters"] == {"mode": "supervised", "epochs": "30"}
    test = found.of(TEST)
    assert test.text_ids.tolist() == [row["text_id"] for row in rows(TEST)]
    truth = np.array([int(row["sentiment"]) + 1 for row in rows(TEST)])  # type: ignore[call-overload]
    assert metrics.score(truth, test.probabilities).accuracy > 0.8
    assert len(found.of(VALIDATION)) == COUNTS["validation"]


def test_scoring_twice_gives_the_same_answers(place: Path, tmp_path: Path) -> None:
    for name in ("first", "second"):
        assert run_scoring(place / "model", place / "features", tmp_path / name).returncode == 0
    read = [(tmp_path / name / "predictions.parquet").read_bytes() for name in ("first", "second")]
    assert read[0] == read[1]


def test_what_is_no_such_model_ends_the_job_with_a_sentence(place: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "model.bin").write_bytes(b"no model")
    (tmp_path / "others").mkdir()
    (tmp_path / "lines.txt").write_text("__label__cat mew\n__label__dog woof\n" * 20)
    train(tmp_path / "lines.txt", tmp_path / "others" / "model.bin")
    sentences = {
        "empty": "There is no model.bin in",
        "broken": "model.bin is no model in fastText's format",
        "others": "model.bin tells __label__cat, __label__dog apart",
    }
    for name, sentence in sentences.items():
        message = tmp_path / name / "message"
        done = run_scoring(tmp_path / name, place / "features", tmp_path / "out", "--message", str(message))
        assert done.returncode == 1
        assert message.read_text().startswith(sentence)
        assert "Traceback" not in done.stderr
