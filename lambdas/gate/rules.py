"""The rules of the gate. A candidate must be good in itself and not surely worse than the model it would replace.

Two models are compared row by row, by the comparison of the run. Where the approved model's own answers are gone, its
registered figures are compared instead, if they were measured on the same rows: on other rows a lower figure may only
mean harder rows. It does not know where reports come from.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lambdas.evaluation import Evaluation
from lambdas.gate.bias import Bias, GroupDifference
from lambdas.gate.comparison import AgainstCurrent, Comparison, Difference

MACRO_F1_TOLERANCE: Final = 0.02
NEGATIVE_RECALL_TOLERANCE: Final = 0.05
"""How much worse on the same rows is still taken for chance, where only the figures are left to compare."""


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What every model must reach, whatever the one before it did."""

    minimum_macro_f1: float
    maximum_calibration_error: float
    maximum_accuracy_difference: float
    maximum_recall_difference: float


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """``reasons`` are the sentences of the rules that refused, each beginning with the rule's name."""

    reasons: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def is_passed(self) -> bool:
        """No rule refused."""
        return not self.reasons


@dataclass(frozen=True)
class _Reason:
    sentence: str


@dataclass(frozen=True)
class _Note:
    sentence: str


_Findings = Iterator[_Reason | _Note]


def judge(
    candidate: Evaluation,
    current: Evaluation | None,
    *,
    comparison: Comparison,
    bias: Bias,
    bounds: Bounds,
    refusals: tuple[str, ...] = (),
) -> Verdict:
    """The verdict on ``candidate``, which is the champion of ``comparison``.

    ``current`` are the registered figures of the newest approved model, None where there is none. They are looked at
    only where the comparison has none of that model's answers. ``refusals`` are the sentences of rules that were asked
    already, about what the candidate is made of.
    """
    findings = [
        *_minimum(candidate, bounds),
        *(
            _registered_figures(candidate, current)
            if comparison.against_current is None
            else _row_by_row(comparison.against_current)
        ),
        *_calibration(comparison, bounds),
        *_group(bias.accuracy, "accuracy", bounds.maximum_accuracy_difference),
        *_group(bias.recall, "recall of negative feedback", bounds.maximum_recall_difference),
    ]
    return Verdict(
        reasons=(*refusals, *(found.sentence for found in findings if isinstance(found, _Reason))),
        notes=tuple(found.sentence for found in findings if isinstance(found, _Note)),
    )


def _minimum(candidate: Evaluation, bounds: Bounds) -> _Findings:
    if candidate.macro_f1 < bounds.minimum_macro_f1:
        yield _Reason(
            f"minimum-macro-f1: macro-F1 is {candidate.macro_f1:.3f}, and at least {bounds.minimum_macro_f1:.3f} is "
            "asked."
        )


def _row_by_row(against: AgainstCurrent) -> _Findings:
    if against.macro_f1 is None or against.negative_recall is None:
        yield _Note(f"no-worse: not compared with model {against.model_version}: {against.note}")
        return
    where = f"the approved model {against.model_version} on {against.rows} rows that both answered"
    if against.macro_f1.is_surely_worse:
        yield _Reason(f"no-worse-macro-f1: macro-F1 is {_worse(against.macro_f1)} below that of {where}.")
    if against.negative_recall.is_surely_worse:
        yield _Reason(
            f"no-worse-negative-recall: the share of negative feedback that is found is "
            f"{_worse(against.negative_recall)} below that of {where}."
        )


def _worse(found: Difference) -> str:
    return f"{-found.difference:.3f} (95 % interval {-found.high:.3f} to {-found.low:.3f}, p = {found.p_value:.3f})"


def _registered_figures(candidate: Evaluation, current: Evaluation | None) -> _Findings:
    if current is None:
        yield _Note("no-worse: there is no approved model to compare with.")
        return
    if candidate.fingerprint != current.fingerprint:
        yield _Note(
            f"no-worse: not compared, since model {current.model_version} was measured on other rows and its answers "
            "are gone."
        )
        return
    if candidate.macro_f1 < current.macro_f1 - MACRO_F1_TOLERANCE:
        yield _Reason(
            f"no-worse-macro-f1: macro-F1 is {candidate.macro_f1:.3f}, clearly below the {current.macro_f1:.3f} of "
            f"the approved model {current.model_version} on the same rows."
        )
    if candidate.negative_recall < current.negative_recall - NEGATIVE_RECALL_TOLERANCE:
        yield _Reason(
            f"no-worse-negative-recall: {candidate.negative_recall:.1%} of negative feedback is found, clearly less "
            f"than the {current.negative_recall:.1%} of the approved model {current.model_version} on the same rows."
        )


def _calibration(comparison: Comparison, bounds: Bounds) -> _Findings:
    if comparison.calibration_error > bounds.maximum_calibration_error:
        yield _Reason(
            f"calibration: probabilities are off by {comparison.calibration_error:.3f} on average, and at most "
            f"{bounds.maximum_calibration_error:.3f} is allowed."
        )


def _group(found: GroupDifference | None, figure: str, allowed: float) -> _Findings:
    if found is None:
        yield _Note(f"bias: no group has rows enough to compare its {figure}.")
        return
    if abs(found.value) <= allowed:
        return
    side = "below" if found.value > 0 else "above"
    sentence = (
        f"bias: {figure} of {found.facet} {found.facet_value} ({found.rows} rows) is {abs(found.value):.3f} {side} "
        f"that of all others, and at most {allowed:.3f} is allowed"
    )
    if found.may_be_chance:
        yield _Note(f"{sentence}, but that may be chance.")
    elif found.surely_at_least is None:
        yield _Reason(f"{sentence}.")
    else:
        yield _Reason(f"{sentence}; it is surely at least {found.surely_at_least:.3f}.")
