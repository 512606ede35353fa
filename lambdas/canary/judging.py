"""Decides whether a new model answers too differently from the served one, and says so in a sentence with figures.

Every figure is a lower bound (``feedback.comparison``), so that few texts stop no good model. It does not know how the
models were asked.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from enum import Enum
from typing import Final

from feedback.comparison import Pairs, share_at_least
from feedback.sentiment import UNSURE, Sentiment
from lambdas.canary.answers import NOT_ASKED, Question, labels, likeliest

STARTER_PREFIX: Final = "starter-"
MOST_ERRORS: Final = 1
"""One call may fail for reasons of its own; it is repeated, and a model that cannot answer it fails again."""


class Verdict(Enum):
    """What is known about the new model. WAITING: it has not answered yet."""

    WAITING = "WAITING"
    GOOD = "GOOD"
    BAD = "BAD"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """From where on a figure is too much; the same numbers as the alarms'."""

    disagreement: float
    negative_shift: float
    unsure_shift: float
    accuracy_drop: float
    unexpected: float
    milliseconds: float


@dataclass(frozen=True, kw_only=True)
class Served:
    """The answers of the model that was served before the release began."""

    version: str
    answers: str


@dataclass(frozen=True, kw_only=True)
class Figures:
    """How the new model does: shares between 0 and 1, the quickest answer to one text, failed calls.

    None is what was not looked at: it is no metric and no fault.
    """

    errors: int
    milliseconds: float | None = None
    texts: int = 0
    probes: int = 0
    disagreement: float | None = None
    negative_shift: float | None = None
    unsure_shift: float | None = None
    accuracy_drop: float | None = None
    unexpected: float | None = None

    def to_document(self) -> dict[str, float | int | None]:
        """As JSON values."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """The verdict and why."""

    verdict: Verdict
    reason: str


def measure(
    questions: Sequence[Question],
    answers: str,
    *,
    served: Served | None,
    errors: int,
    milliseconds: float | None,
) -> Figures:
    """Compare the new model's answers with its evaluation's, with the truth and with the served model's.

    Answering otherwise than the served model is no fault where the new one is clearly better on the labelled probes.
    The starter is no measure at all: it may have been made from the very texts that a first model is measured on. What
    was not asked counts for nothing.
    """
    asked = [place for place, answer in enumerate(answers) if answer != NOT_ASKED]
    questions, answers = [questions[place] for place in asked], "".join(answers[place] for place in asked)
    said = labels(answers)
    expected = [place for place, question in enumerate(questions) if question.expected is not None]
    wrong = sum(said[place] != questions[place].expected for place in expected)
    known = [place for place, question in enumerate(questions) if question.truth is not None]
    figures = Figures(
        errors=errors,
        milliseconds=milliseconds,
        texts=len(questions),
        probes=len(known),
        unexpected=share_at_least(wrong, len(expected)) if expected else None,
    )
    if not asked or served is None or served.version.startswith(STARTER_PREFIX):
        return figures
    before = "".join(served.answers[place] for place in asked)
    accuracy = Pairs.of(_right(questions, before, known), _right(questions, answers, known))
    figures = replace(figures, accuracy_drop=accuracy.loss_at_least() if known else None)
    if accuracy.gain_at_least() > 0:
        return figures
    differing = sum(one != other for one, other in zip(labels(before), said, strict=True))
    return replace(
        figures,
        disagreement=share_at_least(differing, len(said)),
        negative_shift=_shift(labels(before), said, Sentiment.NEGATIVE.label),
        unsure_shift=_shift(labels(before), said, UNSURE),
    )


def judge(figures: Figures, limits: Limits) -> Judgement:
    """BAD names every figure that is above its limit; without an answer and without a fault it is WAITING."""
    faults = []
    if figures.errors > MOST_ERRORS:
        faults.append(f"{figures.errors} calls failed, and none of them did before")
    if figures.milliseconds is not None and figures.milliseconds > limits.milliseconds:
        faults.append(
            f"its quickest answer to one text took {figures.milliseconds:.0f} ms (limit {limits.milliseconds:.0f} ms)"
        )
    faults += [
        f"{what} at least {value:.0%} (limit {limit:.0%})"
        for what, value, limit in (
            ("it answers otherwise than when it was evaluated on", figures.unexpected, limits.unexpected),
            ("it is less often right than the served model by", figures.accuracy_drop, limits.accuracy_drop),
            ("it disagrees with the served model on", figures.disagreement, limits.disagreement),
            ("it moves the share of negatives by", figures.negative_shift, limits.negative_shift),
            ("it moves the share of unsure answers by", figures.unsure_shift, limits.unsure_shift),
        )
        if value is not None and value > limit
    ]
    if faults:
        return Judgement(
            verdict=Verdict.BAD,
            reason=f"The canary stopped the new model ({figures.texts} texts): {'; '.join(faults)}.",
        )
    if figures.texts == 0:
        return Judgement(verdict=Verdict.WAITING, reason="The new model has not answered yet.")
    return Judgement(
        verdict=Verdict.GOOD, reason=f"The new model is within all limits on {figures.texts} texts so far."
    )


def _right(questions: Sequence[Question], answers: str, known: Sequence[int]) -> list[bool]:
    said = likeliest(answers)
    return [said[place] == questions[place].truth for place in known]


def _shift(before: Sequence[str | None], after: Sequence[str | None], label: str) -> float:
    return Pairs.of([said == label for said in before], [said == label for said in after]).shift_at_least()
