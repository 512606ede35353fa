"""What two models' answers prove about each other: figures by hand, and properties that must hold for any counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback.comparison import Pairs, confusion, share_at_least

COUNTS = st.integers(0, 500)


def test_pairs_count_what_only_one_of_them_claims() -> None:
    pairs = Pairs.of([True, True, False, False], [True, False, True, False])
    assert pairs == Pairs(total=4, only_first=1, only_second=1)
    assert Pairs.of([], []).shift == 0.0


def test_a_clear_shift_of_many_texts_is_proven_and_one_of_few_is_not() -> None:
    assert Pairs(total=400, only_first=0, only_second=120).gain_at_least() > 0.2
    assert Pairs(total=4, only_first=0, only_second=3).gain_at_least() == 0.0
    assert Pairs(total=400, only_first=120, only_second=0).loss_at_least() > 0.2


@given(COUNTS, COUNTS, COUNTS)
def test_what_is_proven_is_never_more_than_what_was_seen(first: int, second: int, same: int) -> None:
    pairs = Pairs(total=first + second + same, only_first=first, only_second=second)
    assert 0.0 <= pairs.gain_at_least() <= max(0.0, pairs.shift) + 1e-9
    assert 0.0 <= pairs.shift_at_least() <= abs(pairs.shift) + 1e-9
    assert min(pairs.gain_at_least(), pairs.loss_at_least()) == 0.0


@given(COUNTS, COUNTS)
def test_a_share_is_proven_up_to_what_was_seen(count: int, others: int) -> None:
    total = count + others
    assert 0.0 <= share_at_least(count, total) <= (count / total if total else 0.0) + 1e-9


@pytest.mark.parametrize(
    ("count", "total", "least"),
    [(0, 0, 0.0), (0, 100, 0.0), (6, 20, 0.127), (200, 400, 0.442), (400, 400, 0.987)],
)
def test_shares_match_wilsons_interval(count: int, total: int, least: float) -> None:
    assert share_at_least(count, total) == pytest.approx(least, abs=0.001)


@pytest.mark.parametrize(
    ("first", "second", "p"),
    # scipy.stats.binomtest(min, n, 0.5).pvalue; the last by the normal approximation
    [(0, 0, 1.0), (5, 5, 1.0), (1, 9, 0.021484375), (0, 10, 0.001953125), (10, 25, 0.016683), (900, 1000, 0.0232)],
)
def test_mcnemars_test_is_exact_for_few_pairs_and_close_for_many(first: int, second: int, p: float) -> None:
    assert Pairs(total=4000, only_first=first, only_second=second).p_value() == pytest.approx(p, rel=0.01)


def test_confusion_has_the_first_models_labels_as_rows() -> None:
    assert confusion(["a", "a", "b"], ["a", "b", "b"], ["a", "b"]) == [[1, 1], [0, 1]]
