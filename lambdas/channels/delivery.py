"""Hands what a channel made of its input to acceptance, each document by itself: one that is refused stops no other.

The model is not asked here: feedback of these channels waits in the queue for the router, so that a channel is as quick
as the ledger. It does not know where the documents come from.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from feedback.problem import Problem
from lambdas.intake.acceptance import Accepted, Answer
from lambdas.intake.request import RefusedError, read_feedback

Document = Mapping[str, Any]


class Accepting(Protocol):
    """What is used of intake."""

    def take_in(self, documents: Iterable[Document | Problem], *, ask_model: bool = True) -> list[Answer]:
        """One answer per document, in order."""


class NotDeliveredError(RuntimeError):
    """Some documents could not be accepted now. To deliver all of them again is harmless, and wanted."""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """The way from a channel into acceptance."""

    accepting: Accepting

    def deliver(self, documents: Sequence[object]) -> list[Answer]:
        """One answer per document, in order: what the schema refuses is a Problem like any other."""
        return self.accepting.take_in([_checked(document) for document in documents], ask_model=False)


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What became of documents: how many are new, how many were there before, and why others are refused, by place."""

    accepted: int
    repeated: int
    refused: Mapping[int, str]


def settle(answers: Sequence[Answer]) -> Receipt:
    """The receipt for the answers; NotDeliveredError where one of them says to try again.

    An id that belongs to another content counts as repeated: the ids of these channels are made from what came, so it
    is the same thing that came another way.
    """
    accepted = repeated = 0
    refused: dict[int, str] = {}
    for place, answer in enumerate(answers):
        if isinstance(answer, Accepted):
            accepted += answer.is_new
            repeated += not answer.is_new
        elif answer.status >= 500:
            raise NotDeliveredError("Acceptance is unavailable.")
        elif answer.kind == "id-reused":
            repeated += 1
        else:
            refused[place] = reason(answer)
    return Receipt(accepted=accepted, repeated=repeated, refused=refused)


def reason(problem: Problem) -> str:
    """Why a document is refused, in words that quote nothing of it."""
    return (
        "; ".join(f"{error.pointer.lstrip('/')} {error.detail}".strip() for error in problem.errors) or problem.detail
    )


def _checked(document: object) -> Document | Problem:
    try:
        return read_feedback(document)
    except RefusedError as error:
        return error.problem
