"""The rules of the gate. A candidate must be good in itself and not clearly worse than the model it would replace.

Figures of two models are compared only where they were measured on the same test rows: on other rows a lower figure
may only mean harder rows. It does not know where evaluations come from.
"""

from dataclasses import dataclass
from typing import Final

from lambdas.evaluation import Evaluation

MACRO_F1_TOLERANCE: Final = 0.02
NEGATIVE_RECALL_TOLERANCE: Final = 0.05
"""How much worse on the same rows is still taken for chance."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """``reasons`` are the sentences of the rules that refused, each beginning with the rule's name."""

    reasons: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def is_passed(self) -> bool:
        """No rule refused."""
        return not self.reasons


def judge(
    candidate: Evaluation, current: Evaluation | None, *, minimum_macro_f1: float, refusals: tuple[str, ...] = ()
) -> Verdict:
    """The verdict on ``candidate``; ``current`` is the newest approved model, None where there is none.

    ``refusals`` are the sentences of rules that were asked already, about what the candidate is made of.
    """
    reasons = list(refusals)
    if candidate.macro_f1 < minimum_macro_f1:
        reasons.append(
            f"minimum-macro-f1: macro-F1 is {candidate.macro_f1:.3f}, and at least {minimum_macro_f1:.3f} is asked."
        )
    if current is None:
        return Verdict(reasons=tuple(reasons), notes=("no-worse: there is no approved model to compare with.",))
    if candidate.fingerprint != current.fingerprint:
        note = f"no-worse: not compared, since model {current.model_version} was measured on other rows."
        return Verdict(reasons=tuple(reasons), notes=(note,))
    if candidate.macro_f1 < current.macro_f1 - MACRO_F1_TOLERANCE:
        reasons.append(
            f"no-worse-macro-f1: macro-F1 is {candidate.macro_f1:.3f}, clearly below the {current.macro_f1:.3f} of "
            f"the approved model {current.model_version} on the same rows."
        )
    if candidate.negative_recall < current.negative_recall - NEGATIVE_RECALL_TOLERANCE:
        reasons.append(
            f"no-worse-negative-recall: {candidate.negative_recall:.1%} of negative feedback is found, clearly less "
            f"than the {current.negative_recall:.1%} of the approved model {current.model_version} on the same rows."
        )
    return Verdict(reasons=tuple(reasons))
