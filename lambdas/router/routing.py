"""Decides a batch of queued feedback: one call of the model for all that is not decided yet, each record by itself.

What cannot be decided now stays in the queue; after some receives the queue itself sets it aside as a dead letter. It
does not know the queue's event, nor how often a message was received.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from feedback.ledger import Entry, MalformedEntryError, State
from feedback.prediction import LineFailure, Outcome, Prediction
from lambdas.aws.endpoint import Endpoint, EndpointFailure, EndpointUnavailableError
from lambdas.aws.ledger import Ledger, LedgerUnavailableError
from lambdas.telemetry import log, log_error


@dataclass
class Tally:
    """What became of a batch: the ids to be tried again, and how many went each other way."""

    again: set[str] = field(default_factory=set)
    classified: int = 0
    unsure: int = 0
    failed: int = 0
    skipped: int = 0


@dataclass(frozen=True, kw_only=True)
class Router:
    """The use case with its collaborators. ``has_time`` says whether another call of the model can be begun."""

    ledger: Ledger
    endpoint: Endpoint
    now: Callable[[], datetime]
    has_time: Callable[[], bool] = lambda: True

    def route(self, feedback_ids: Sequence[str]) -> Tally:
        """Decide what is undecided. Nothing is raised for a single feedback: it is in ``again``."""
        tally = Tally()
        waiting = self._undecided(feedback_ids, tally)
        if waiting:
            for entry, outcome in self._classify(waiting, tally):
                self._settle(entry, outcome, tally)
        return tally

    def _undecided(self, feedback_ids: Sequence[str], tally: Tally) -> list[Entry]:
        try:
            items = self.ledger.find_items(feedback_ids)
        except LedgerUnavailableError as error:
            log_error("The ledger is unavailable.", error)
            tally.again.update(feedback_ids)
            return []
        waiting = []
        for feedback_id in dict.fromkeys(feedback_ids):
            try:
                entry = Entry.from_document(items[feedback_id])
            except KeyError:
                # Not in the ledger: its write failed or it expired. A dead letter shows it; nothing is made up.
                log("ERROR", "A queued feedback is not in the ledger.", feedback_id=feedback_id)
                tally.again.add(feedback_id)
            except MalformedEntryError as error:
                log_error("An item of the ledger is malformed.", error, feedback_id=feedback_id)
                tally.again.add(feedback_id)
            else:
                if entry.state.is_decided:
                    tally.skipped += 1
                else:
                    waiting.append(entry)
        return waiting

    def _classify(self, waiting: Sequence[Entry], tally: Tally) -> list[tuple[Entry, Outcome]]:
        try:
            return list(zip(waiting, self._ask(waiting), strict=True))
        except EndpointUnavailableError as error:
            log("WARNING", "The model gave no answer.", failure=error.failure.value, feedbacks=len(waiting))
            if error.failure is not EndpointFailure.REFUSED or len(waiting) == 1:
                tally.again.update(entry.event.id for entry in waiting)
                return []
        return self._classify_one_by_one(waiting, tally)

    def _classify_one_by_one(self, waiting: Sequence[Entry], tally: Tally) -> list[tuple[Entry, Outcome]]:
        """After the model refused the batch as a whole: one bad text must not keep the others waiting."""
        outcomes: list[tuple[Entry, Outcome]] = []
        for entry in waiting:
            try:
                if not self.has_time():
                    raise EndpointUnavailableError(EndpointFailure.TIMEOUT)
                (outcome,) = self._ask([entry])
            except EndpointUnavailableError as error:
                log("WARNING", "The model gave no answer.", failure=error.failure.value, feedback_id=entry.event.id)
                tally.again.add(entry.event.id)
            else:
                outcomes.append((entry, outcome))
        return outcomes

    def _ask(self, entries: Sequence[Entry]) -> Sequence[Outcome]:
        return self.endpoint.classify([(entry.event.id, entry.event.text) for entry in entries])

    def _settle(self, entry: Entry, outcome: Outcome, tally: Tally) -> None:
        feedback_id = entry.event.id
        try:
            state = self._write(feedback_id, outcome)
        except LedgerUnavailableError as error:
            log_error("A decision could not be written.", error, feedback_id=feedback_id)
            tally.again.add(feedback_id)
            return
        match state:
            case State.CLASSIFIED:
                tally.classified += 1
            case State.UNSURE:
                tally.unsure += 1
            case State.FAILED:
                tally.failed += 1
            case State.RECEIVED:
                tally.again.add(feedback_id)
            case _:
                tally.skipped += 1

    def _write(self, feedback_id: str, outcome: Outcome) -> State | None:
        """The state that was written: RECEIVED where it is to be tried again, None where another was quicker."""
        if isinstance(outcome, Prediction):
            state = State.UNSURE if outcome.sentiment is None else State.CLASSIFIED
            return state if self.ledger.decide(feedback_id, outcome, now=self.now()) else None
        log("WARNING", "The model could not read a feedback.", feedback_id=feedback_id, reason=outcome.code)
        if not outcome.is_final:
            return State.RECEIVED
        return State.FAILED if self.ledger.fail(feedback_id, _reason(outcome), now=self.now()) else None


def _reason(failure: LineFailure) -> str:
    return f"{failure.code}: {failure.message}"
