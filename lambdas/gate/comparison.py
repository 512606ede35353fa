"""What the comparison of a run says about its champion: how far its probabilities are off, and how it does beside the
approved model on the rows that both answered.

It does not know what is good enough.
"""

from dataclasses import dataclass
from typing import Any, Final

from lambdas.evaluation import Evaluation
from lambdas.gate.figures import Document, UnreadableReportError, number, part, rows, text

_REPORT: Final = "comparison"


class InconsistentReportsError(ValueError):
    """The reports are not of one model; the message is one sentence."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Champion minus approved model: the figure on all rows both have, and its paired 95 % interval."""

    difference: float
    low: float
    high: float
    p_value: float

    @property
    def is_surely_worse(self) -> bool:
        """The champion is worse by more than chance explains, at 5 %."""
        return self.difference < 0.0 and self.high < 0.0


@dataclass(frozen=True, kw_only=True)
class AgainstCurrent:
    """The champion beside the approved model; without differences, ``note`` says why there are none."""

    model_version: str
    rows: int
    macro_f1: Difference | None
    negative_recall: Difference | None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """``against_current`` is None where there was no approved model, or its answers are gone."""

    run: str
    champion: str
    fingerprint: str
    calibration_error: float
    against_current: AgainstCurrent | None

    @classmethod
    def from_document(cls, document: Document) -> "Comparison":
        """What ``comparison.json`` says; UnreadableReportError where it does not."""
        champion = text(document, "champion", report=_REPORT)
        metrics = part(_candidate(document, champion), "metrics", report=_REPORT)
        return cls(
            run=text(document, "run", report=_REPORT),
            champion=champion,
            fingerprint=text(document, "fingerprint", report=_REPORT),
            calibration_error=number(metrics or {}, "calibration_error", report=_REPORT),
            against_current=_against_current(part(document, "against_current", report=_REPORT)),
        )

    def assert_is_of(self, candidate: Evaluation) -> None:
        """InconsistentReportsError unless this run's champion is the model that was evaluated, on the same rows."""
        if (self.run, self.champion) != (candidate.run, candidate.candidate):
            raise InconsistentReportsError(
                f"The comparison is about {self.champion} of run {self.run}, and the evaluation about "
                f"{candidate.candidate} of run {candidate.run}."
            )
        if self.fingerprint != candidate.fingerprint:
            raise InconsistentReportsError(
                f"The comparison and the evaluation of run {self.run} were measured on different rows."
            )


def _candidate(document: Document, name: str) -> Document:
    candidates = document.get("candidates")
    for candidate in candidates if isinstance(candidates, list) else ():
        if isinstance(candidate, dict) and candidate.get("name") == name and candidate.get("status") == "scored":
            return candidate
    raise UnreadableReportError(f"The {_REPORT} has no figures of its champion.")


def _against_current(document: Document | None) -> AgainstCurrent | None:
    if document is None:
        return None
    told: dict[str, Any] = {
        "model_version": text(document, "model_version", report=_REPORT),
        "rows": rows(document, report=_REPORT),
    }
    if "note" in document:
        return AgainstCurrent(macro_f1=None, negative_recall=None, note=text(document, "note", report=_REPORT), **told)
    return AgainstCurrent(
        macro_f1=_difference(document, "macro_f1"), negative_recall=_difference(document, "negative_recall"), **told
    )


def _difference(document: Document, name: str) -> Difference:
    found = part(document, name, report=_REPORT)
    if found is None:
        raise UnreadableReportError(f"The {_REPORT} states no usable {name}.")
    difference, low, high = (
        number(found, key, report=_REPORT, low=-1.0, high=1.0) for key in ("difference", "low", "high")
    )
    if low > high:
        raise UnreadableReportError(f"The {_REPORT} states an interval of {name} that ends before it begins.")
    return Difference(difference=difference, low=low, high=high, p_value=number(found, "p_value", report=_REPORT))
