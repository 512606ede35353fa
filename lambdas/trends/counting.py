"""Decides how a batch of feedback moves in the counters and the review queue, and sees each move through once.

Every attempt reads what the ledger says now and moves each feedback from where it was counted to where it belongs. So
the order in which changes are heard of does not matter, a change heard of twice moves nothing the second time, and a
crash leaves a move done or not begun. It does not know streams or tables.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from feedback.event import FeedbackEvent
from feedback.ledger import Entry, MalformedEntryError
from feedback.review import NOWHERE, Standing, standing_of
from lambdas.aws.ledger import LedgerUnavailableError
from lambdas.telemetry import aws_code, log, log_error

ATTEMPTS: Final = 5


class CountersUnavailableError(RuntimeError):
    """The counters could not be moved; nothing of what was asked for has happened."""


@dataclass(frozen=True, kw_only=True)
class Move:
    """One feedback, decided at ``decided_at``, from where it stands to where it belongs."""

    event: FeedbackEvent
    decided_at: str
    reason: str | None
    before: Standing
    after: Standing


class Reading(Protocol):
    """What counting asks of the ledger."""

    def find_items(self, feedback_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """The stored documents by id; LedgerUnavailableError."""


class Moving(Protocol):
    """What counting asks of the counters."""

    def portions(self, moves: Sequence[Move]) -> Iterable[Sequence[Move]]:
        """The moves in parts, each small enough for one call."""

    def move(self, moves: Sequence[Move]) -> bool:
        """All of the moves or none: False when one of them starts from where its feedback no longer stands.

        CountersUnavailableError where the counters did not answer.
        """


@dataclass
class Tally:
    """What became of a batch: the ids to be tried again, and how many were moved or stood right already."""

    again: set[str]
    moved: int = 0
    settled: int = 0


@dataclass(frozen=True, kw_only=True)
class Counting:
    """The use case with its collaborators. ``pause`` waits after the given number of attempts in vain."""

    ledger: Reading
    counters: Moving
    pause: Callable[[int], None]

    def count(self, feedback_ids: Iterable[str]) -> Tally:
        """Move what is to be moved. Nothing is raised for a single feedback: it is in ``again``."""
        tally = Tally(again=set())
        waiting = set(feedback_ids)
        for attempt in range(1, ATTEMPTS + 1):
            waiting = self._attempt(waiting, tally)
            if not waiting:
                return tally
            if attempt < ATTEMPTS:
                self.pause(attempt)
        log("ERROR", "Feedback could not be counted.", feedbacks=len(waiting))
        tally.again |= waiting
        return tally

    def _attempt(self, feedback_ids: set[str], tally: Tally) -> set[str]:
        """Read all, move all that can be moved; the ids that are to be read and moved again."""
        try:
            moves, malformed = self._moves(self.ledger.find_items(feedback_ids))
        except LedgerUnavailableError as error:
            log_error("The ledger is unavailable.", error)
            return feedback_ids
        tally.again |= malformed
        tally.settled += len(feedback_ids) - len(moves) - len(malformed)
        left: set[str] = set()
        for portion in self.counters.portions(moves):
            if self._move(portion):
                tally.moved += len(portion)
            else:
                left |= {move.event.id for move in portion}
        return left

    def _move(self, moves: Sequence[Move]) -> bool:
        try:
            return self.counters.move(moves)
        except CountersUnavailableError as error:
            # Another batch that moves the same counters at this moment is the usual reason.
            log("WARNING", "Feedback is not counted yet.", feedbacks=len(moves), code=aws_code(error))
            return False

    def _moves(self, items: Mapping[str, Mapping[str, Any]]) -> tuple[list[Move], set[str]]:
        """The moves that are due, and the ids of items that are no entries. What is not in the ledger is forgotten."""
        moves = []
        malformed = set()
        for feedback_id, item in items.items():
            try:
                move = move_of(item)
            except MalformedEntryError as error:
                log_error("An item of the ledger is malformed.", error, feedback_id=feedback_id)
                malformed.add(feedback_id)
            else:
                if move is not None:
                    moves.append(move)
        return moves, malformed


def move_of(item: Mapping[str, Any]) -> Move | None:
    """The move that the ledger's item asks for, if any; MalformedEntryError."""
    entry = Entry.from_document(item)
    if entry.decided_at is None:
        return None
    try:
        before = Standing.from_document(item["counted"]) if "counted" in item else NOWHERE
    except (KeyError, TypeError) as error:
        raise MalformedEntryError("A feedback is counted in no known way.") from error
    after = standing_of(entry)
    if before == after:
        return None
    return Move(event=entry.event, decided_at=entry.decided_at, reason=entry.review, before=before, after=after)
