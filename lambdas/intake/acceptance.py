"""Decides what becomes of feedback that comes in: accepted at most once, never lost, answered in bounded time.

The order of effects is the promise. First the ledger, so that nothing is accepted that is not written, and with it, in
the same transaction, the original of what redaction changed; then the queue, so that nothing written is forgotten when
the model is away; then the model, once for all. A feedback that could neither be queued nor classified is not accepted:
its sender is told to try again, and the same id makes that harmless. It does not know HTTP.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from feedback.event import FeedbackEvent, UnusableFeedbackError, body_digest, receive, timestamp
from feedback.language import is_unknown
from feedback.ledger import Entry, State
from feedback.prediction import Prediction
from feedback.problem import FieldError, Problem
from lambdas.aws.breaker import Model
from lambdas.aws.endpoint import EndpointUnavailableError
from lambdas.aws.ledger import Ledger, LedgerUnavailableError
from lambdas.aws.originals import Original
from lambdas.aws.queue import SAFETY_NET_SECONDS, Queue
from lambdas.telemetry import log, log_error

_TRY_AGAIN: Final = "The feedback was not accepted. Send it again, with the same id."


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """A feedback that is in the ledger. ``is_new`` is False when it was there before."""

    entry: Entry
    is_new: bool


Answer = Accepted | Problem


@dataclass(frozen=True, kw_only=True)
class Intake:
    """The use case with its collaborators.

    Without an ``endpoint`` the model is left to the router. ``languages`` are those that the model reads: a text in
    another one is decided at once, unless ``translates`` says that the router can have it translated. ``has_time`` says
    whether another feedback of a batch can still be begun, ``in_flight_for`` how long one request takes at most.
    """

    ledger: Ledger
    queue: Queue
    now: Callable[[], datetime]
    endpoint: Model | None = None
    languages: Sequence[str] = ("en",)
    translates: bool = False
    has_time: Callable[[], bool] = lambda: True
    in_flight_for: timedelta = timedelta(seconds=6)

    def take_in(self, documents: Iterable[Mapping[str, Any] | Problem], *, ask_model: bool = True) -> list[Answer]:
        """One answer per document, in order; a document that was refused before keeps its problem."""
        model = self.endpoint if ask_model and self.endpoint is not None and self.endpoint.admits() else None
        answers: list[Answer] = []
        begun: set[str] = set()  # here, so in flight for nobody else
        for document in documents:
            if isinstance(document, Problem):
                answers.append(document)
            elif answers and not self.has_time():
                answers.append(Problem(kind="unavailable", detail=_TRY_AGAIN))
            else:
                answers.append(self._accept(document, begun, asks=model is not None, waits=ask_model))
        waiting = {
            answer.entry.event.id: answer.entry
            for answer in answers
            if isinstance(answer, Accepted) and not answer.entry.state.is_decided
        }
        if not waiting:
            return answers
        queued = self.queue.send(list(waiting), delay_seconds=SAFETY_NET_SECONDS if ask_model else 0)
        decided = self._decide_all(waiting, model)
        return [self._answer(answer, queued, decided) for answer in answers]

    def _accept(self, document: Mapping[str, Any], begun: set[str], *, asks: bool, waits: bool) -> Answer:
        now = self.now()
        try:
            event = receive(document, received_at=now)
        except UnusableFeedbackError as error:
            return Problem(
                kind="unusable",
                detail="The feedback cannot be used.",
                errors=(FieldError(pointer=error.pointer, detail=error.reason),),
            )
        event, original = _redacted(event)
        in_flight_until = timestamp(now + self.in_flight_for) if asks and not self._is_foreign(event) else None
        entry = Entry(
            event=event,
            body_digest=body_digest(document),
            state=State.RECEIVED,
            in_flight_until=in_flight_until,
        )
        try:
            stored = self.ledger.accept(entry, original=original, now=now)
        except LedgerUnavailableError as error:
            log_error("Feedback could not be accepted.", error, feedback_id=event.id)
            return Problem(kind="unavailable", detail=_TRY_AGAIN)
        if stored.body_digest != entry.body_digest:
            return Problem(kind="id-reused", detail="This id was accepted before with another content.")
        if waits and event.id not in begun and stored is not entry and _is_in_flight(stored, now):
            return Problem(kind="in-flight", detail="The same feedback is just being taken in.")
        begun.add(event.id)
        return Accepted(entry=stored, is_new=stored is entry)

    def _decide_all(self, waiting: Mapping[str, Entry], model: Model | None) -> dict[str, Entry]:
        """The entries that are decided now, by id. Whatever cannot be decided here is left to the router."""
        decided = {}
        readable = {}
        for id_, entry in waiting.items():
            if not self._is_foreign(entry.event):
                readable[id_] = entry
            elif not self.translates and (result := self._decide(entry.unreadable(now=self.now()))) is not None:
                decided[id_] = result
        if model is None or not readable:
            return decided
        for id_, outcome in self._classify(readable, model).items():
            result = self._decide(readable[id_].decided(outcome, now=self.now()))
            if result is not None:
                decided[id_] = result
        for id_ in readable.keys() - decided.keys():
            self._leave_to_router(id_)
        return decided

    def _classify(self, waiting: Mapping[str, Entry], model: Model) -> dict[str, Prediction]:
        try:
            outcomes = model.classify([(id_, entry.event.text) for id_, entry in waiting.items()])
        except EndpointUnavailableError as error:
            log("WARNING", "The model is left to the router.", failure=error.failure.value, feedbacks=len(waiting))
            return {}
        answered = zip(waiting, outcomes, strict=True)
        return {id_: outcome for id_, outcome in answered if isinstance(outcome, Prediction)}

    def _decide(self, decided: Entry) -> Entry | None:
        """The decided entry: this one, or as it was decided by another meanwhile."""
        id_ = decided.event.id
        try:
            return replace(decided, in_flight_until=None) if self.ledger.decide(decided) else self.ledger.find(id_)
        except LedgerUnavailableError as error:
            log_error("A decision could not be written.", error, feedback_id=id_)
            return None

    def _leave_to_router(self, feedback_id: str) -> None:
        try:
            self.ledger.leave_to_router(feedback_id)
        except LedgerUnavailableError as error:  # it ends by itself, a little later
            log_error("A feedback stays in flight for a while.", error, feedback_id=feedback_id)

    def _answer(self, answer: Answer, queued: set[str], decided: Mapping[str, Entry]) -> Answer:
        if isinstance(answer, Problem) or answer.entry.state.is_decided:
            return answer
        id_ = answer.entry.event.id
        if id_ in decided:
            return replace(answer, entry=decided[id_])
        return answer if id_ in queued else Problem(kind="unavailable", detail=_TRY_AGAIN)

    def _is_foreign(self, event: FeedbackEvent) -> bool:
        return is_unknown(event.text, given=event.language, known=self.languages)


def _redacted(event: FeedbackEvent) -> tuple[FeedbackEvent, Original | None]:
    """The event as everything but the originals knows it, and the original where they differ.

    The detectors' patterns cost more to compile than all of intake to import: they come with the first feedback.
    """
    from feedback.redaction import redact

    text = redact(event.text)
    metadata = {name: redact(value) for name, value in event.metadata.items()}
    found = Counter(text.found)
    for redaction in metadata.values():
        found.update(redaction.found)
    if not found:
        return event, None
    original = Original(text=event.text, metadata=event.metadata, redacted=found)
    clean = {name: redaction.text for name, redaction in metadata.items()}
    return replace(event, text=text.text, metadata=clean), original


def _is_in_flight(entry: Entry, now: datetime) -> bool:
    """Another request is asking the model about it."""
    is_waiting = entry.state is State.RECEIVED and entry.in_flight_until is not None
    return is_waiting and timestamp(now) < str(entry.in_flight_until)
