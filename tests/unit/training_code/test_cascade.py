"""The gate before the model: what it answers, what it leaves, and how far it is trusted."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from tests.unit.training_code.model_kit import run_training_python
from training_code.containers.cascade import NEVER, SETTINGS, WEIGHTS, Cascade, pair_buckets
from training_code.containers.errors import RequestError
from training_code.containers.ragged import Ragged

VOCABULARY, BUCKETS = 50, 64
BAD, FINE, GOOD, NOT = 10, 11, 12, 13


@pytest.fixture
def cascade() -> Cascade:
    """Sure of good and bad texts; 'not good' is a pair that makes it bad."""
    tokens = np.zeros((3, VOCABULARY), dtype=np.float32)
    tokens[0, BAD] = tokens[2, GOOD] = 6
    pairs = np.zeros((3, BUCKETS), dtype=np.float32)
    pairs[0, pair_buckets(np.array([NOT, GOOD]), BUCKETS)] = 12
    return Cascade(
        tokens=tokens,
        pairs=pairs,
        bias=np.zeros(3, dtype=np.float32),
        temperature=1.0,
        confident_above=np.array([0.9, NEVER, 0.9]),
    )


def write(folder: Path, cascade: Cascade, **settings: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    confident = dict(zip(("negative", "neutral", "positive"), [0.9, None, 0.9], strict=True))
    document = {"temperature": cascade.temperature, "confident_above": confident} | settings
    (folder / SETTINGS).write_text(json.dumps(document))
    weights = {"tokens": cascade.tokens, "pairs": cascade.pairs, "bias": cascade.bias}
    safetensors.numpy.save_file(weights, folder / WEIGHTS)
    return folder


def test_it_answers_what_it_is_sure_of_and_leaves_the_rest(cascade: Cascade) -> None:
    logits, undecided = cascade.split(Ragged.of([[GOOD], [BAD], [FINE], [GOOD, BAD]]))
    assert undecided.tolist() == [2, 3]
    assert logits[:2].argmax(axis=1).tolist() == [2, 0]


def test_neighbours_count_within_a_row_only(cascade: Cascade) -> None:
    logits, _ = cascade.split(Ragged.of([[FINE, NOT, GOOD], [FINE, NOT], [GOOD]]))
    assert logits.argmax(axis=1).tolist() == [0, 0, 2]
    np.testing.assert_allclose(logits[1], 0)
    np.testing.assert_allclose(logits[2], [0, 0, 6])


def test_a_row_has_the_same_logits_alone_and_among_others(cascade: Cascade) -> None:
    generator = np.random.default_rng(3)
    random = replace(
        cascade,
        tokens=generator.normal(size=(3, VOCABULARY)).astype(np.float32),
        pairs=generator.normal(size=(3, BUCKETS)).astype(np.float32),
    )
    rows = [generator.integers(0, VOCABULARY, size=length).tolist() for length in (1, 2, 7, 128, 3)]
    together = random.logits(Ragged.of(rows))
    for place, row in enumerate(rows):
        alone = random.tokens[:, row].sum(axis=1) + random.pairs[:, pair_buckets(np.array(row), BUCKETS)].sum(axis=1)
        np.testing.assert_allclose(together[place], alone / np.sqrt(len(row)), rtol=1e-4, atol=1e-5)


def test_a_class_that_it_may_not_answer_is_always_left(cascade: Cascade) -> None:
    sure_of_neutral = replace(cascade, bias=np.array([0, 30, 0], dtype=np.float32))
    _, undecided = sure_of_neutral.split(Ragged.of([[FINE], [GOOD]]))
    assert undecided.tolist() == [0, 1]


def test_no_row_is_no_row(cascade: Cascade) -> None:
    logits, undecided = cascade.split(Ragged.of([]))
    assert logits.shape == (0, 3)
    assert len(undecided) == 0


@pytest.mark.parametrize("identifier", [-1, VOCABULARY])
def test_an_id_beyond_the_vocabulary_is_refused(cascade: Cascade, identifier: int) -> None:
    with pytest.raises(RequestError, match="beyond the vocabulary"):
        cascade.split(Ragged.of([[identifier]]))


def test_it_answers_more_than_50_000_rows_a_second(cascade: Cascade) -> None:
    generator = np.random.default_rng(0)
    large = replace(
        cascade,
        tokens=generator.normal(size=(3, 30_522)).astype(np.float32),
        pairs=generator.normal(size=(3, 1 << 16)).astype(np.float32),
    )
    rows = Ragged.of([generator.integers(0, 30_522, size=75).tolist() for _ in range(2000)])
    taken = []
    for _ in range(5):
        started = time.perf_counter()
        large.split(rows)
        taken.append(time.perf_counter() - started)
    assert len(rows) / min(taken) > 50_000


def test_it_reads_what_was_written(cascade: Cascade, tmp_path: Path) -> None:
    read = Cascade.load(write(tmp_path, cascade))
    assert read is not None
    np.testing.assert_array_equal(read.tokens, cascade.tokens)
    np.testing.assert_array_equal(read.confident_above, cascade.confident_above)


def test_an_artifact_without_a_gate_is_whole(tmp_path: Path) -> None:
    assert Cascade.load(tmp_path) is None


@pytest.mark.parametrize(
    "settings",
    [
        {"temperature": 0.0},
        {"temperature": "1"},
        {"confident_above": {"negative": 0.9}},
        {"confident_above": {"negative": 0.9, "neutral": 1.5, "positive": 0.9}},
    ],
)
def test_settings_that_make_no_sense_are_refused_in_one_sentence(
    cascade: Cascade, tmp_path: Path, settings: dict[str, object]
) -> None:
    with pytest.raises(RuntimeError, match=r"^cascade\.json in the model artifact .*\.$"):
        Cascade.load(write(tmp_path, cascade, **settings))


@pytest.mark.parametrize("damage", ["missing", "cut", "not finite", "another tensor", "a class short"])
def test_weights_that_are_none_are_refused_in_one_sentence(cascade: Cascade, tmp_path: Path, damage: str) -> None:
    write(tmp_path, cascade)
    path = tmp_path / WEIGHTS
    weights = {"tokens": cascade.tokens, "pairs": cascade.pairs, "bias": cascade.bias.copy()}
    if damage == "missing":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:-8])
    elif damage == "not finite":
        weights["bias"][1] = np.nan
        safetensors.numpy.save_file(weights, path)
    elif damage == "another tensor":
        safetensors.numpy.save_file(weights | {"more": cascade.bias}, path)
    else:
        safetensors.numpy.save_file(weights | {"bias": cascade.bias[:2]}, path)
    with pytest.raises(RuntimeError, match=r"^[^\n]*cascade\.(json|safetensors)[^\n]*\.$"):
        Cascade.load(tmp_path)


TAUGHT = """
import json, sys
import numpy as np
from pathlib import Path
from training_code import cascade
from training_code.examples import Examples

generator = np.random.default_rng(5)
def taught(rows, *, hard):
    # Token 10 + class in every row; in a hard row every class's, so that only the teacher can tell.
    classes = generator.integers(0, 3, size=rows)
    is_hard = generator.random(rows) < hard
    ids = [[1, *(range(10, 13) if h else [10 + c]), 20 + place % 5, 2]
           for place, (c, h) in enumerate(zip(classes, is_hard))]
    logits = np.eye(3)[classes] * 8
    return cascade.Taught(examples=Examples(ids=ids, classes=classes, pad_id=0), logits=logits.astype(np.float32))

gate = cascade.distil(taught(900, hard=0.3), taught(600, hard=0.3), vocabulary=50, temperature=1.0, seed=7)
hopeless = cascade.distil(taught(300, hard=1.0), taught(300, hard=1.0), vocabulary=50, temperature=1.0, seed=7)
cascade.write(gate.cascade, Path(sys.argv[1]))

# 100 rows: the gate says positive everywhere and is less and less sure; the model is right everywhere.
truth = np.full(100, 2)
truth[80] = 0
truth[90:] = 1
confidence = np.linspace(1, 0.5, 100)
thresholds = cascade.choose_thresholds(
    answers=np.full(100, 2), confidence=confidence, model_answers=truth.copy(), truth=truth
)
few = cascade.choose_thresholds(
    answers=np.full(40, 2), confidence=confidence[:40], model_answers=truth[:40].copy(), truth=truth[:40]
)
said = {"share": gate.share, "hopeless": hopeless is None, "thresholds": thresholds.tolist(), "few": few.tolist()}
print(json.dumps(said | {"last": confidence[79], "first_lost": confidence[80]}))
"""


@dataclass(frozen=True)
class Taught:
    folder: Path
    said: dict[str, Any]


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Taught:
    """What the training environment makes of small rows; one process for all, since importing torch takes seconds."""
    folder = tmp_path_factory.mktemp("gate")
    done = run_training_python("-c", TAUGHT, str(folder))
    assert done.returncode == 0, done.stderr
    return Taught(folder=folder, said=json.loads(done.stdout))


def test_a_distilled_gate_answers_the_easy_rows(taught: Taught) -> None:
    assert 0.6 < taught.said["share"] < 0.8
    read = Cascade.load(taught.folder)
    assert read is not None
    logits, undecided = read.split(Ragged.of([[1, 10, 20, 2], [1, 11, 20, 2], [1, 12, 20, 2], [1, 10, 11, 12, 20, 2]]))
    assert undecided.tolist() == [3]
    assert logits[:3].argmax(axis=1).tolist() == [0, 1, 2]


def test_no_gate_is_made_where_it_could_answer_hardly_anything(taught: Taught) -> None:
    assert taught.said["hopeless"]


def test_the_threshold_stops_before_the_first_lost_negative_row(taught: Taught) -> None:
    thresholds = taught.said["thresholds"]
    assert thresholds[:2] == [NEVER, NEVER]
    assert taught.said["first_lost"] < thresholds[2] <= taught.said["last"] + 1e-6


def test_a_class_of_few_rows_is_left_to_the_model(taught: Taught) -> None:
    assert taught.said["few"] == [NEVER] * 3
