from __future__ import annotations

import numpy as np
import pytest

from training_code import calibration, metrics

# Expected figures were computed with scikit-learn 1.9.1 from these forty rows.
TRUTH = np.array([int(c) for c in "2000022100011100220011211111022220011220"])
ANSWERS = np.array([int(c) for c in "2000022121212211020111000112002220021110"])


def certain(answers: np.ndarray) -> np.ndarray:
    return np.eye(3)[answers] * 0.7 + 0.1


def test_the_figures_are_those_of_scikit_learn() -> None:
    scores = metrics.score(TRUTH, certain(ANSWERS))
    assert scores.rows == 40
    assert scores.accuracy == pytest.approx(0.575)
    assert scores.macro_f1 == pytest.approx(0.5730503978779841)
    assert scores.balanced_accuracy == pytest.approx(0.573931623931624)
    assert scores.confusion == [[9, 4, 2], [2, 7, 4], [3, 2, 7]]
    assert [round(s.precision, 8) for s in scores.per_class.values()] == [0.64285714, 0.53846154, 0.53846154]
    assert [round(s.recall, 8) for s in scores.per_class.values()] == [0.6, 0.53846154, 0.58333333]
    assert [round(s.f1, 8) for s in scores.per_class.values()] == [0.62068966, 0.53846154, 0.56]
    assert [s.support for s in scores.per_class.values()] == [15, 13, 12]
    assert scores.negative_recall == pytest.approx(0.6)


def test_a_class_that_never_occurs_does_not_count() -> None:
    scores = metrics.score(np.array([0, 0, 1, 1, 0]), certain(np.array([0, 1, 1, 1, 0])))
    assert scores.macro_f1 == pytest.approx(0.8)
    assert scores.balanced_accuracy == pytest.approx(0.8333333333333333)
    assert scores.per_class["positive"].f1 == 0


def test_the_bootstrap_interval_holds_the_figure_and_repeats() -> None:
    first, second = (metrics.score(TRUTH, certain(ANSWERS)) for _ in range(2))
    low, high = first.macro_f1_interval
    assert low < first.macro_f1 < high
    assert first.macro_f1_interval == second.macro_f1_interval
    assert 0.2 < high - low < 0.4


def test_the_interval_narrows_with_more_rows() -> None:
    table = metrics.confusion(TRUTH, ANSWERS)
    narrow = metrics.macro_f1_interval(table * 100, resamples=500, seed=1)
    wide = metrics.macro_f1_interval(table, resamples=500, seed=1)
    assert (narrow[1] - narrow[0]) * 5 < wide[1] - wide[0]


def test_a_model_may_decide_otherwise_than_for_the_most_probable_class() -> None:
    probabilities = certain(np.zeros_like(TRUTH))
    scores = metrics.score(TRUTH, probabilities, ANSWERS)
    assert scores.macro_f1 == metrics.score(TRUTH, certain(ANSWERS)).macro_f1
    assert scores.calibration_error == metrics.score(TRUTH, probabilities).calibration_error
    with pytest.raises(ValueError, match="one answer for each row"):
        metrics.score(TRUTH, probabilities, ANSWERS[:-1])


def test_negative_recall_has_an_interval_of_its_own_and_none_without_negatives() -> None:
    scores = metrics.score(TRUTH, certain(ANSWERS))
    low, high = scores.negative_recall_interval
    assert low < scores.negative_recall < high
    assert 0.3 < high - low < 0.6, "fifteen rows leave much open"
    without = metrics.score(np.array([1, 2, 1]), certain(np.array([1, 2, 2])))
    assert without.negative_recall_interval == (0.0, 0.0)


def test_calibration_error_is_the_gap_between_confidence_and_accuracy() -> None:
    truth = np.array([0] * 8 + [1] * 2)
    probabilities = np.tile([0.9, 0.06, 0.04], (10, 1))
    assert metrics.calibration_error(truth, probabilities) == pytest.approx(0.1)


def test_no_rows_have_no_score() -> None:
    with pytest.raises(ValueError, match="at least one row"):
        metrics.score(np.zeros(0, dtype=np.int64), np.zeros((0, 3)))


def overconfident_logits(rows: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Logits three times too large: truth is drawn from the softmax of a third of them."""
    generator = np.random.default_rng(5)
    honest = generator.normal(size=(rows, 3)) * 1.5
    draws = generator.random(rows)[:, None]
    truth = (calibration.softmax(honest).cumsum(axis=1) < draws).sum(axis=1)
    return honest * 3, truth


def test_the_temperature_undoes_overconfidence() -> None:
    logits, truth = overconfident_logits()
    fitted = calibration.calibrate(logits, truth)
    before = metrics.calibration_error(truth, calibration.softmax(logits))
    after = metrics.calibration_error(truth, calibration.softmax(logits, temperature=fitted.temperature))
    assert fitted.temperature == pytest.approx(3, rel=0.1)
    assert after * 5 < before


def test_the_threshold_parts_answers_that_are_wrong_as_often_as_right() -> None:
    logits, truth = overconfident_logits()
    fitted = calibration.calibrate(logits, truth)
    probabilities = calibration.softmax(logits, temperature=fitted.temperature)
    is_unsure = probabilities.max(axis=1) < fitted.abstain_below
    assert 0 < is_unsure.mean() <= calibration.LARGEST_UNSURE_SHARE
    assert (probabilities.argmax(axis=1) == truth)[is_unsure].mean() <= 0.5


def test_a_model_that_is_always_right_is_never_unsure() -> None:
    truth = np.arange(90) % 3
    assert calibration.calibrate(np.eye(3)[truth], truth).abstain_below == 0
