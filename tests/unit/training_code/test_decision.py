"""How probabilities become a decision, how its weights are chosen, and that all who decide agree."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.unit.training_code.model_kit import HANDLERS, list_files, write_json, write_model, write_served
from training_code import calibration, decision, metrics, selftest_cases
from training_code.containers.cascade import NEVER, Cascade
from training_code.containers.decision import KEY, decided, equal_weights, read_weights, weights_by_label
from training_code.containers.label import inference as label
from training_code.containers.ragged import Ragged

RARE_NEUTRAL = {"negative": 1.0, "neutral": 3.0, "positive": 1.0}


def timid_about_neutral(rows: int = 3000) -> tuple[np.ndarray, np.ndarray]:
    """Honest probabilities of three unequal classes: the middle one is seldom the likeliest."""
    generator = np.random.default_rng(4)
    truth = generator.choice(3, size=rows, p=[0.2, 0.12, 0.68])
    evidence = generator.normal(size=(rows, 3)) + 1.1 * np.eye(3)[truth]
    return calibration.softmax(1.1 * evidence + np.log([0.2, 0.12, 0.68])), truth


def test_weights_raise_macro_f1_and_never_lower_negative_recall() -> None:
    probabilities, truth = timid_about_neutral()
    weights = decision.choose_weights(probabilities, truth)
    before = metrics.score(truth, probabilities, decided(probabilities, equal_weights()), resamples=10)
    after = metrics.score(truth, probabilities, decided(probabilities, weights), resamples=10)
    assert after.macro_f1 > before.macro_f1 + 0.01
    assert after.negative_recall >= before.negative_recall
    assert weights[2] == 1
    assert (weights >= 1).all()


def test_where_nothing_is_won_the_weights_stay_1() -> None:
    truth = np.arange(300) % 3
    probabilities = calibration.softmax(4 * np.eye(3)[truth])
    assert decision.choose_weights(probabilities, truth).tolist() == [1, 1, 1]


def test_the_threshold_is_about_the_answers_that_are_given() -> None:
    truth = np.array([1] * 100 + [2] * 900)
    probabilities = np.tile([0.1, 0.3, 0.6], (1000, 1))
    probabilities[:100] = [0.0, 0.45, 0.55]
    wrong = np.full(1000, 2)
    right = truth
    assert calibration.choose_threshold(probabilities, truth, wrong) == pytest.approx(0.55, abs=1e-5)
    assert calibration.choose_threshold(probabilities, truth, right) == 0


def served_with(folder: Path, **settings: object) -> label.Calibration:
    model = write_served(folder)["label"]
    write_json(model / "calibration.json", {"temperature": 1.0, "abstain_below": 0.2} | settings)
    list_files(model, "label")
    loaded = HANDLERS["label"].model_fn(str(model))
    assert isinstance(loaded, label.Calibration)
    return loaded


def test_the_label_container_decides_by_the_weights_and_is_as_sure_as_of_what_it_decided(tmp_path: Path) -> None:
    model = served_with(tmp_path, decision_weights=RARE_NEUTRAL)
    answered = label.answer(np.array([0.2, 0.3, 0.5]), model)
    assert (answered["label"], answered["sentiment"], answered["confidence"]) == ("neutral", 0, 0.3)
    assert answered["probabilities"] == {"negative": 0.2, "neutral": 0.3, "positive": 0.5}
    unsure = label.answer(np.array([0.42, 0.19, 0.39]), model)
    assert (unsure["label"], unsure["confidence"]) == ("unsure", 0.19)


def test_without_weights_the_likeliest_class_is_the_answer(tmp_path: Path) -> None:
    assert label.answer(np.array([0.2, 0.3, 0.5]), served_with(tmp_path))["label"] == "positive"


@pytest.mark.parametrize(
    "weights",
    [
        None,
        [1, 1, 1],
        {"negative": 1.0, "neutral": 1.0},
        RARE_NEUTRAL | {"neutral": 0},
        RARE_NEUTRAL | {"neutral": "3"},
        RARE_NEUTRAL | {"neutral": True},
        RARE_NEUTRAL | {"neutral": float("inf")},
        RARE_NEUTRAL | {"unsure": 1.0},
    ],
)
def test_weights_that_are_none_are_refused_in_one_sentence(tmp_path: Path, weights: object) -> None:
    with pytest.raises(
        RuntimeError, match=r"^calibration\.json in the model artifact states no usable decision_w.*\.$"
    ):
        served_with(tmp_path, decision_weights=weights)


def test_weights_are_read_as_they_were_written() -> None:
    weights = np.array([1.2, 2.5, 1.0])
    assert read_weights(json.loads(json.dumps({KEY: weights_by_label(weights)})), "x").tolist() == weights.tolist()


def test_the_packed_cases_are_decided_by_the_weights(tmp_path: Path) -> None:
    model = write_model(tmp_path)
    plain = selftest_cases.selftest_cases(model)["label"]
    write_json(model / "calibration.json", {"temperature": 1.0, "abstain_below": 0.0, KEY: RARE_NEUTRAL})
    weighted = selftest_cases.selftest_cases(model)["label"]
    assert [case["logits"] for case in plain] == [case["logits"] for case in weighted]
    assert all(case["answer"]["label"] == "neutral" for case in weighted[3:])  # type: ignore[index]


def test_the_gate_decides_by_the_same_weights() -> None:
    gate = Cascade(
        tokens=np.log(np.array([[0.2, 0.1], [0.3, 0.1], [0.5, 0.8]], dtype=np.float32)),
        pairs=np.zeros((3, 4), dtype=np.float32),
        bias=np.zeros(3, dtype=np.float32),
        temperature=1.0,
        confident_above=np.array([NEVER, 0.25, 0.7]),
    )
    rows = Ragged.of([[0], [1]])
    assert gate.split(rows)[1].tolist() == [0], "the likeliest is positive, and not surely"
    weighted = replace(gate, decision_weights=np.array(list(RARE_NEUTRAL.values())))
    answers, confidence = weighted.decide(weighted.logits(rows))
    assert answers.tolist() == [1, 2]
    np.testing.assert_allclose(confidence, [0.3, 0.8], rtol=1e-6)
    assert weighted.split(rows)[1].tolist() == []
