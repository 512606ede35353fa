"""A model that learned the stars answers in sentiments: in the loop, in its graph, and to everything after."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import safetensors.numpy

from tests.unit.training_code.model_kit import run_training_python
from tests.unit.training_code.test_training import Workplace, load, rows
from tests.unit.training_code.tiny_base import write_tiny_base
from training_code.containers.classify.runtime import load_forward
from training_code.examples import read_rows

OPTIONS = "--targets=stars --decide=macro-f1 --epochs=5 --batch-size=16 --learning-rate=3e-3 --head-learning-rate=1e-2"
STARS = {-1: (1, 2), 0: (3, 3), 1: (4, 5)}


def write_rated(folder: Path, *, without_a_rating: int | None = None) -> None:
    for split, count, offset in (("train", 240, 0), ("validation", 60, 300)):
        made = [row | {"stars": STARS[row["sentiment"]][place % 2]} for place, row in enumerate(rows(count, offset))]
        if without_a_rating is not None:
            made[without_a_rating]["stars"] = None
        path = folder / split / "part-0.parquet"
        path.parent.mkdir(parents=True)
        pq.write_table(pa.Table.from_pylist(made), path)


@pytest.fixture(scope="module")
def rated(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    place = Workplace(tmp_path_factory.mktemp("stars"))
    write_rated(place.folder / "features")
    write_tiny_base(place.base)
    done = place.train(*OPTIONS.split())
    assert done.returncode == 0, done.stderr
    return place


def test_the_weights_keep_a_head_of_five_and_the_graph_answers_three(rated: Workplace) -> None:
    head = safetensors.numpy.load_file(rated.model / "model.safetensors")["classifier.weight"]
    assert len(head) == 5
    assert load(rated.model / "config.json")["id2label"] == {str(place): str(place + 1) for place in range(5)}
    ids = np.ones((2, 8), dtype=np.int64)
    logits = load_forward(rated.model / "model.xml")(ids, ids)
    assert logits.shape == (2, 3)
    np.testing.assert_allclose(np.exp(logits).sum(axis=1), 1, atol=1e-4)


def test_what_is_reported_is_about_the_sentiments(rated: Workplace) -> None:
    report = load(rated.model / "training.json")
    assert report["targets"] == "stars"
    assert report["metrics"]["validation"]["macro_f1"] > 0.9
    assert set(report["metrics"]["validation"]["per_class"]) == {"negative", "neutral", "positive"}


def test_without_every_rating_the_sentiments_are_learned_and_said_to_be(rated: Workplace, tmp_path: Path) -> None:
    place = Workplace(tmp_path)
    write_rated(tmp_path / "features", without_a_rating=7)
    write_tiny_base(place.base)
    done = place.train("--targets=stars", "--max-steps=2", "--quantize=never")
    assert done.returncode == 0, done.stderr
    assert "does not state the stars of every row, so the three sentiments are learned instead." in done.stdout
    assert load(place.model / "training.json")["targets"] == "sentiments"


def test_rows_know_their_stars_only_where_all_have_them(tmp_path: Path) -> None:
    write_rated(tmp_path / "all")
    write_rated(tmp_path / "some", without_a_rating=0)
    whole = read_rows(tmp_path / "all" / "train", split="train")
    assert whole.stars is not None
    assert whole.stars[:6].tolist() == [0, 2, 3, 1, 2, 4]
    assert whole.limited(3).stars is not None
    assert read_rows(tmp_path / "some" / "train", split="train").stars is None


AGREES = """
import torch
from training_code.targets import sentiment_logits
logits = torch.randn(7, 5) * 3
stars = logits.softmax(1)
expected = torch.stack([stars[:, :2].sum(1), stars[:, 2], stars[:, 3:].sum(1)], 1)
torch.testing.assert_close(sentiment_logits(logits).softmax(1), expected)
three = torch.randn(4, 3)
assert sentiment_logits(three) is three
"""


def test_a_sentiment_is_as_likely_as_its_stars_together() -> None:
    done = run_training_python("-c", AGREES)
    assert done.returncode == 0, done.stderr
