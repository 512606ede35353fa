from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training_code.bias.intervals import difference_interval, share_interval

SHARE = st.integers(1, 200).flatmap(lambda rows: st.tuples(st.integers(0, rows), st.just(rows)))


def test_the_interval_of_newcombes_paper_is_met() -> None:
    # Table II of the paper: 56/70 - 48/80 by method 10.
    assert difference_interval((56, 70), (48, 80)) == pytest.approx((0.0524, 0.3339), abs=1e-4)


def test_few_rows_make_a_wide_interval_also_where_no_row_was_hit() -> None:
    low, high = share_interval(0, 5)

    assert low == pytest.approx(0)
    assert high > 0.4


def test_no_rows_leave_everything_possible() -> None:
    assert share_interval(0, 0) == (0.0, 1.0)
    low, high = difference_interval((0, 0), (5, 10))
    assert low < -0.4
    assert high > 0.4


@given(SHARE, SHARE)
def test_a_difference_lies_in_its_interval_which_lies_in_its_range(
    first: tuple[int, int], second: tuple[int, int]
) -> None:
    low, high = difference_interval(first, second)

    assert -1 <= low <= first[0] / first[1] - second[0] / second[1] <= high <= 1


@given(SHARE, SHARE)
def test_more_confidence_is_a_wider_interval(first: tuple[int, int], second: tuple[int, int]) -> None:
    low, high = difference_interval(first, second)
    lower, higher = difference_interval(first, second, confidence=0.999)

    assert lower <= low
    assert high <= higher


@given(SHARE, SHARE)
def test_turning_the_difference_round_turns_its_interval_round(first: tuple[int, int], second: tuple[int, int]) -> None:
    low, high = difference_interval(first, second)

    assert difference_interval(second, first) == pytest.approx((-high, -low))
