"""A model's answers to a row of questions, one character each, so that they fit into a state machine's memory.

It does not know how they came about.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from feedback.prediction import Outcome, Prediction
from feedback.sentiment import CLASSES, LABELS, UNSURE

_SURE: Final = "-0+"
_UNSURE: Final = "nop"
_FAILED: Final = "!"
NOT_ASKED: Final = "."
"""In place of an answer, where there was no time to ask for it."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """One text. ``truth`` is its label by its stars, ``expected`` what the new model said when it was evaluated."""

    text: str
    truth: str | None = None
    expected: str | None = None


def write_answers(outcomes: Iterable[Outcome]) -> str:
    """One character per outcome: ``-0+`` for a sure answer, ``nop`` for the likeliest class of an unsure one, ``!``."""
    return "".join(_write(outcome) for outcome in outcomes)


def labels(answers: str) -> list[str | None]:
    """The label of each answer, ``unsure`` included; None for a failure."""
    return [
        LABELS[_SURE.index(answer)] if answer in _SURE else UNSURE if answer in _UNSURE else None for answer in answers
    ]


def likeliest(answers: str) -> list[str | None]:
    """The label of each answer's likeliest class, sure or not; None for a failure."""
    return [
        None if answer == _FAILED else LABELS[(_SURE if answer in _SURE else _UNSURE).index(answer)]
        for answer in answers
    ]


def are_answers(value: object, questions: Sequence[Question]) -> bool:
    """Whether this can be what :func:`write_answers` wrote about these questions."""
    return isinstance(value, str) and len(value) == len(questions) and set(value) <= set(_SURE + _UNSURE + _FAILED)


def _write(outcome: Outcome) -> str:
    if not isinstance(outcome, Prediction):
        return _FAILED
    if outcome.sentiment is not None:
        return _SURE[outcome.sentiment.class_index]
    return _UNSURE[max(range(len(CLASSES)), key=outcome.probabilities.__getitem__)]
