from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training_code.bias import measures
from training_code.bias.contingency import Coded, Table, count

ROW = st.tuples(st.sampled_from("abc"), st.booleans(), st.booleans(), st.sampled_from(["short", "long"]))
ROWS = st.lists(ROW, min_size=1, max_size=60)
Rows = list[tuple[str, bool, bool, str]]


def table_of(rows: Rows) -> Table:
    facet, labels, answers, groups = zip(*rows, strict=True)
    return count(Coded.of(facet), np.array(labels), is_favoured_answer=np.array(answers), group=Coded.of(groups))


def figures(rows: Rows) -> dict[str, dict[str, float | None]]:
    table = table_of(rows)
    pretraining, posttraining = measures.pretraining(table), measures.posttraining(table)
    return {
        value: {metric.name: metric.value for metric in [*pretraining[value], *posttraining[value]]}
        for value in table.values
    }


def assert_same(first: dict[str, float | None], second: dict[str, float | None]) -> None:
    assert first.keys() == second.keys()
    for name, figure in first.items():
        other = second[name]
        assert (figure is None) == (other is None), name
        if figure is not None and other is not None:
            assert figure == pytest.approx(other, abs=1e-12), name


@settings(max_examples=60)
@given(ROWS)
def test_figures_do_not_depend_on_the_order_of_rows(rows: Rows) -> None:
    forwards, backwards = figures(rows), figures(rows[::-1])

    assert forwards.keys() == backwards.keys()
    for value, found in forwards.items():
        assert_same(found, backwards[value])


@settings(max_examples=60)
@given(ROWS, st.integers(2, 5))
def test_figures_do_not_change_when_every_row_comes_several_times(rows: Rows, times: int) -> None:
    once, often = figures(rows), figures(rows * times)

    for value, found in once.items():
        assert_same(found, often[value])


@settings(max_examples=60)
@given(ROWS)
def test_differences_stay_in_their_range_and_distances_are_never_below_zero(rows: Rows) -> None:
    for found in figures(rows).values():
        for name in ("CI", "DPL", "DPPL", "AD", "RD", "SD", "DAR", "DRR", "CDDL", "CDDPL"):
            figure = found[name]
            assert figure is None or -1 <= figure <= 1
        for name in ("LP", "TVD", "KS", "DI", "GE"):
            figure = found[name]
            assert figure is None or figure >= 0


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.booleans(), st.booleans(), st.just("all")), min_size=1, max_size=60)
)
def test_of_two_values_each_differs_from_the_other_by_the_opposite(rows: Rows) -> None:
    found = figures(rows)
    if len(found) < 2:
        return
    for name in ("CI", "DPL", "DPPL", "AD", "RD", "SD", "DAR", "DRR"):
        first, second = found["a"][name], found["b"][name]
        assert first is not None
        assert second is not None
        assert first == pytest.approx(-second, abs=1e-12)


@settings(max_examples=60)
@given(ROWS)
def test_a_model_that_is_always_right_has_the_labels_own_disparities(rows: Rows) -> None:
    for found in figures([(facet, label, label, group) for facet, label, _, group in rows]).values():
        assert found["DPPL"] == found["DPL"]
        assert found["CDDPL"] == found["CDDL"]
        for name in ("AD", "TE", "GE"):
            assert found[name] in (0, None)


def test_what_cannot_be_computed_says_why() -> None:
    table = count(Coded.of(["a", "a"]), np.array([True, False]))

    by_name = {metric.name: metric for metric in measures.pretraining(table)["a"]}

    assert by_name["DPL"].value is None
    assert by_name["DPL"].error == "every row has this value, so there is nothing to compare it with"
    assert by_name["CDDL"].error == "there is no group variable"


def test_only_the_metrics_asked_for_are_computed_by_name() -> None:
    table = table_of([("a", True, True, "short"), ("b", False, True, "long")])

    assert [metric.name for metric in measures.posttraining(table, ["RD", "AD"])["a"]] == ["AD", "RD"]
    with pytest.raises(KeyError):
        measures.pretraining(table, ["RD"])


def test_answers_are_needed_after_training() -> None:
    with pytest.raises(ValueError, match="answers"):
        measures.posttraining(count(Coded.of(["a"]), np.array([True])))


def test_rows_without_a_value_belong_to_the_others() -> None:
    table = count(Coded.of(["a", None, None, "b"]), np.array([True, True, False, False]))

    found = {metric.name: metric.value for metric in measures.pretraining(table)["a"]}

    assert table.values == ("a", "b")
    assert table.rows == 4
    assert found["CI"] == pytest.approx(0.5)
    assert found["DPL"] == pytest.approx(1 / 3 - 1)


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="every row"):
        count(Coded.of(["a", "b"]), np.array([True]))


def test_a_row_without_a_group_is_refused() -> None:
    with pytest.raises(ValueError, match="group"):
        count(Coded.of(["a"]), np.array([True]), group=Coded.of([None]))


def test_a_ratio_to_nothing_is_infinite() -> None:
    found = figures([("a", False, True, "short"), ("b", False, False, "short")])

    assert found["a"]["DI"] == math.inf
