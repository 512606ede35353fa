"""Decides what becomes of feedback that comes in: accepted at most once, never lost, answered in bounded time.

The order of effects is the promise. First the ledger, so that nothing is accepted that is not written; then the queue,
so that nothing written is forgotten when the model is away; then the model, once for all. A feedback that could
neither be queued nor classified is not accepted: its sender is told to try again, and the same id makes that harmless.
It does not know HTTP.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from feedback.event import UnusableFeedbackError, body_digest, receive, timestamp
from feedback.ledger import Entry, State, state_of
from feedback.prediction import Prediction
from feedback.problem import FieldError, Problem
from lambdas.aws.endpoint import Endpoint, EndpointUnavailableError
from lambdas.aws.ledger import Ledger, LedgerUnavailableError
from lambdas.aws.queue import Queue
from lambdas.telemetry import log, log_error

_TRY_AGAIN = "The feedback was not accepted. Send it again, with the same id."


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """A feedback that is in the ledger. ``is_new`` is False when it was there before."""

    entry: Entry
    is_new: bool


Answer = Accepted | Problem


@dataclass(frozen=True, kw_only=True)
class Intake:
    """The use case with its collaborators. ``has_time`` says whether another feedback of a batch can still be begun."""

    ledger: Ledger
    queue: Queue
    endpoint: Endpoint
    now: Callable[[], datetime]
    has_time: Callable[[], bool] = lambda: True

    def take_in(self, documents: Iterable[Mapping[str, Any] | Problem]) -> list[Answer]:
        """One answer per document, in order; a document that was refused before keeps its problem."""
        answers: list[Answer] = []
        for document in documents:
            if isinstance(document, Problem):
                answers.append(document)
            elif answers and not self.has_time():
                answers.append(Problem(kind="unavailable", detail=_TRY_AGAIN))
            else:
                answers.append(self._accept(document))
        waiting = {
            answer.entry.event.id: answer.entry
            for answer in answers
            if isinstance(answer, Accepted) and not answer.entry.state.is_decided
        }
        if not waiting:
            return answers
        queued = self.queue.send(list(waiting))
        decided = self._classify(waiting)
        return [self._answer(answer, queued, decided) for answer in answers]

    def _accept(self, document: Mapping[str, Any]) -> Answer:
        now = self.now()
        try:
            event = receive(document, received_at=now)
        except UnusableFeedbackError as error:
            return Problem(
                kind="unusable",
                detail="The feedback cannot be used.",
                errors=(FieldError(pointer=error.pointer, detail=error.reason),),
            )
        entry = Entry(event=event, body_digest=body_digest(document), state=State.RECEIVED)
        try:
            stored = self.ledger.accept(entry, now=now)
        except LedgerUnavailableError as error:
            log_error("Feedback could not be accepted.", error, feedback_id=event.id)
            return Problem(kind="unavailable", detail=_TRY_AGAIN)
        if stored.body_digest != entry.body_digest:
            return Problem(kind="id-reused", detail="This id was accepted before with another content.")
        return Accepted(entry=stored, is_new=stored is entry)

    def _classify(self, waiting: Mapping[str, Entry]) -> dict[str, Entry]:
        """The entries that are decided now, by id. Whatever cannot be decided here is left to the router."""
        try:
            outcomes = self.endpoint.classify([(id_, entry.event.text) for id_, entry in waiting.items()])
        except EndpointUnavailableError as error:
            log("WARNING", "The model is left to the router.", failure=error.failure.value, feedbacks=len(waiting))
            return {}
        decided = {}
        for entry, outcome in zip(waiting.values(), outcomes, strict=True):
            if isinstance(outcome, Prediction) and (result := self._decide(entry, outcome)) is not None:
                decided[entry.event.id] = result
        return decided

    def _decide(self, entry: Entry, prediction: Prediction) -> Entry | None:
        """The decided entry: with this prediction, or as it was decided by another meanwhile."""
        now = self.now()
        try:
            if not self.ledger.decide(entry.event.id, prediction, now=now):
                return self.ledger.find(entry.event.id)
        except LedgerUnavailableError as error:
            log_error("A decision could not be written.", error, feedback_id=entry.event.id)
            return None
        return replace(entry, state=state_of(prediction), prediction=prediction, decided_at=timestamp(now))

    def _answer(self, answer: Answer, queued: set[str], decided: Mapping[str, Entry]) -> Answer:
        if isinstance(answer, Problem) or answer.entry.state.is_decided:
            return answer
        id_ = answer.entry.event.id
        if id_ in decided:
            return replace(answer, entry=decided[id_])
        return answer if id_ in queued else Problem(kind="unavailable", detail=_TRY_AGAIN)
