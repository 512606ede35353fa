"""The bias metrics of SageMaker Clarify for every value of a facet, from one table of counts.

A value's rows are compared with all other rows; the favoured label or answer is the "positive" outcome of Clarify's
definitions. The figures are those of the `smclarify` package, to its conventions: 0/0 is 0, x/0 is infinite, and the
distances between distributions leave out an outcome that one side has not. Knows nothing of files or of intervals.

Formulas: https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-measure-data-bias.html and
https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-measure-post-training-bias.html
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from training_code.bias.contingency import Counts, Table


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One figure; without a value it says why there is none."""

    name: str
    value: float | None
    error: str | None = None


class UndefinedError(Exception):
    """The rows do not let this metric be computed; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Side:
    """Rows by label and answer: f and u stand for favoured and unfavoured."""

    true_favoured: int
    false_favoured: int
    false_unfavoured: int
    true_unfavoured: int

    @property
    def rows(self) -> int:
        return self.labelled + self.not_labelled

    @property
    def labelled(self) -> int:
        return self.true_favoured + self.false_unfavoured

    @property
    def not_labelled(self) -> int:
        return self.false_favoured + self.true_unfavoured

    @property
    def answered(self) -> int:
        return self.true_favoured + self.false_favoured

    @property
    def not_answered(self) -> int:
        return self.false_unfavoured + self.true_unfavoured

    @property
    def right(self) -> int:
        return self.true_favoured + self.true_unfavoured


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The rows with a value, all other rows, and the counts of both by group, [groups, label, answer]."""

    inside: Side
    outside: Side
    inside_counts: Counts
    all_counts: Counts
    has_groups: bool


def comparisons(table: Table) -> dict[str, Comparison]:
    """By value, in the table's order."""
    everything = table.counts.sum(axis=0)
    result = {}
    for place, value in enumerate(table.values):
        inside = table.counts[place]
        result[value] = Comparison(
            inside=_side(inside),
            outside=_side(everything - inside),
            inside_counts=inside,
            all_counts=everything,
            has_groups=table.has_groups,
        )
    return result


def pretraining(table: Table, metrics: Collection[str] | None = None) -> dict[str, list[Metric]]:
    """By value of the facet, sorted by the metrics' names; KeyError for a metric that does not exist."""
    return _measured(table, PRETRAINING, metrics)


def posttraining(table: Table, metrics: Collection[str] | None = None) -> dict[str, list[Metric]]:
    """By value of the facet; ValueError for a table without answers, or where no answer is the favoured one."""
    if not table.has_answers:
        raise ValueError("post-training metrics need answers")
    return _measured(table, POSTTRAINING, metrics)


def _measured(
    table: Table, known: Mapping[str, Callable[[Comparison], float]], names: Collection[str] | None
) -> dict[str, list[Metric]]:
    chosen = {name: known[name] for name in sorted(known if names is None else names)}
    return {
        value: [_metric(name, measure, rows) for name, measure in chosen.items()]
        for value, rows in comparisons(table).items()
    }


def _metric(name: str, measure: Callable[[Comparison], float], rows: Comparison) -> Metric:
    try:
        return Metric(name=name, value=float(measure(rows)))
    except UndefinedError as error:
        return Metric(name=name, value=None, error=str(error))


def _side(counts: Counts) -> Side:
    by_label = counts.sum(axis=0)
    return Side(
        true_favoured=int(by_label[1, 1]),
        false_favoured=int(by_label[0, 1]),
        false_unfavoured=int(by_label[1, 0]),
        true_unfavoured=int(by_label[0, 0]),
    )


def _ratio(part: float, whole: float) -> float:
    if whole == 0:
        return 0.0 if part == 0 else math.copysign(math.inf, part)
    return part / whole


def _difference(first: float, second: float) -> float:
    """Of two ratios; two infinite ones are equal."""
    return 0.0 if first == second else first - second


def _both(rows: Comparison) -> tuple[Side, Side]:
    """The others and those with the value, where there are any of each."""
    if rows.inside.rows == 0:
        raise UndefinedError("no row has this value")
    if rows.outside.rows == 0:
        raise UndefinedError("every row has this value, so there is nothing to compare it with")
    return rows.outside, rows.inside


def _class_imbalance(rows: Comparison) -> float:
    others, ours = _both(rows)
    return (others.rows - ours.rows) / (others.rows + ours.rows)


def _label_difference(rows: Comparison) -> float:
    others, ours = _both(rows)
    return others.labelled / others.rows - ours.labelled / ours.rows


def _distributions(rows: Comparison) -> tuple[list[float], list[float]]:
    """The shares of both outcomes among the others and among those with the value, of outcomes that both have."""
    others, ours = rows.outside, rows.inside
    pairs = [
        (first / others.rows, second / ours.rows)
        for first, second in ((others.not_labelled, ours.not_labelled), (others.labelled, ours.labelled))
        if first and second
    ]
    if not pairs:
        raise UndefinedError("no outcome occurs both with this value and without it")
    return [first for first, _ in pairs], [second for _, second in pairs]


def _divergence(first: list[float], second: list[float]) -> float:
    return sum(p * math.log(p / q) for p, q in zip(first, second, strict=True))


def _kullback_leibler(rows: Comparison) -> float:
    return _divergence(*_distributions(rows))


def _jensen_shannon(rows: Comparison) -> float:
    others, ours = _distributions(rows)
    middle = [(p + q) / 2 for p, q in zip(others, ours, strict=True)]
    return (_divergence(others, middle) + _divergence(ours, middle)) / 2


def _norm(rows: Comparison, order: float) -> float:
    others, ours = _distributions(rows)
    return float(np.linalg.norm(np.subtract(others, ours), order))


def _conditional_disparity(rows: Comparison, *, axis: int) -> float:
    """How much more of the unfavoured than of the favoured outcome falls to the value, within groups.

    `axis` is the outcome's in counts of [groups, label, answer]: 1 for labels, 2 for answers.
    """
    if not rows.has_groups:
        raise UndefinedError("there is no group variable")
    everyone = rows.all_counts.sum(axis=3 - axis)
    ours = rows.inside_counts.sum(axis=3 - axis)
    unfavoured, favoured = everyone.sum(axis=0)
    if favoured == 0:
        raise UndefinedError("the favoured outcome does not occur")
    if unfavoured == 0:
        raise UndefinedError("only the favoured outcome occurs")
    shares = np.divide(ours, everyone, out=np.zeros(ours.shape), where=everyone > 0)
    weights = everyone.sum(axis=1)
    return float((weights * (shares[:, 0] - shares[:, 1])).sum() / weights.sum())


def _answer_difference(rows: Comparison) -> float:
    others, ours = _both(rows)
    return others.answered / others.rows - ours.answered / ours.rows


def _disparate_impact(rows: Comparison) -> float:
    others, ours = _both(rows)
    return _ratio(ours.answered / ours.rows, others.answered / others.rows)


def _accuracy_difference(rows: Comparison) -> float:
    others, ours = _both(rows)
    return others.right / others.rows - ours.right / ours.rows


def _recall_difference(rows: Comparison) -> float:
    others, ours = _both(rows)
    return _ratio(others.true_favoured, others.labelled) - _ratio(ours.true_favoured, ours.labelled)


def _specificity_difference(rows: Comparison) -> float:
    others, ours = _both(rows)
    return _ratio(ours.true_unfavoured, ours.not_labelled) - _ratio(others.true_unfavoured, others.not_labelled)


def _conditional_acceptance(rows: Comparison) -> float:
    others, ours = _both(rows)
    return _difference(_ratio(others.labelled, others.answered), _ratio(ours.labelled, ours.answered))


def _conditional_rejection(rows: Comparison) -> float:
    others, ours = _both(rows)
    return _difference(_ratio(ours.not_labelled, ours.not_answered), _ratio(others.not_labelled, others.not_answered))


def _acceptance_rates(rows: Comparison) -> float:
    others, ours = _both(rows)
    return _ratio(others.true_favoured, others.answered) - _ratio(ours.true_favoured, ours.answered)


def _rejection_rates(rows: Comparison) -> float:
    others, ours = _both(rows)
    return _ratio(ours.true_unfavoured, ours.not_answered) - _ratio(others.true_unfavoured, others.not_answered)


def _treatment_equality(rows: Comparison) -> float:
    others, ours = _both(rows)
    return _difference(
        _ratio(ours.false_unfavoured, ours.false_favoured), _ratio(others.false_unfavoured, others.false_favoured)
    )


def _generalized_entropy(rows: Comparison) -> float:
    """Of all rows, whatever their value: how unevenly being wrong is spread. A row's benefit is 0, 1 or 2."""
    side = _side(rows.all_counts)
    mean = (side.rows + side.false_favoured - side.false_unfavoured) / side.rows
    if mean == 0:
        raise UndefinedError("every row is a favoured one that was not found")
    squares = (side.right + 4 * side.false_favoured) / mean**2
    return (squares - side.rows) / (2 * side.rows)


PRETRAINING: Final[Mapping[str, Callable[[Comparison], float]]] = {
    "CI": _class_imbalance,
    "DPL": _label_difference,
    "KL": _kullback_leibler,
    "JS": _jensen_shannon,
    "LP": lambda rows: _norm(rows, 2),
    "TVD": lambda rows: _norm(rows, 1) / 2,
    "KS": lambda rows: _norm(rows, math.inf),
    "CDDL": lambda rows: _conditional_disparity(rows, axis=1),
}
POSTTRAINING: Final[Mapping[str, Callable[[Comparison], float]]] = {
    "AD": _accuracy_difference,
    "CDDPL": lambda rows: _conditional_disparity(rows, axis=2),
    "DAR": _acceptance_rates,
    "DCA": _conditional_acceptance,
    "DCR": _conditional_rejection,
    "DI": _disparate_impact,
    "DPPL": _answer_difference,
    "DRR": _rejection_rates,
    "GE": _generalized_entropy,
    "RD": _recall_difference,
    "SD": _specificity_difference,
    "TE": _treatment_equality,
}
