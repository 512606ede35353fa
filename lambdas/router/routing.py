"""Decides a batch of queued feedback: one call of the model for all that is not decided yet, each record by itself.

What cannot be decided because the model is away is put off, for as long as that takes; what cannot because of
what it is stays in the queue, which sets it aside as a dead letter after some receives. It does not know the queue's
event, nor how a message is put off or how often it was received.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from feedback.language import is_unknown, language_of
from feedback.ledger import Entry, MalformedEntryError, State
from feedback.prediction import LineFailure, Outcome, Prediction
from lambdas.aws.breaker import Model
from lambdas.aws.endpoint import EndpointFailure, EndpointUnavailableError
from lambdas.aws.ledger import Ledger, LedgerUnavailableError
from lambdas.aws.translate import TranslationUnavailableError, Translator
from lambdas.telemetry import log, log_error

_ABOUT_THE_TEXTS: Final = (EndpointFailure.REFUSED, EndpointFailure.BROKEN, EndpointFailure.TIMEOUT)
"""Failures of a batch that one of its texts may be the cause of."""


@dataclass
class Tally:
    """What became of a batch: the ids to be put off, those to be tried again, and how many went each other way."""

    deferred: set[str] = field(default_factory=set)
    again: set[str] = field(default_factory=set)
    classified: int = 0
    unsure: int = 0
    failed: int = 0
    skipped: int = 0


@dataclass(frozen=True, kw_only=True)
class _Question:
    """An undecided entry, and its text as the model is asked about it."""

    entry: Entry
    text: str
    translated_from: str | None = None


@dataclass(frozen=True, kw_only=True)
class Router:
    """The use case with its collaborators. ``languages`` are those that the model reads; where there is a
    ``translator``, texts in others are translated into the first of them. ``has_time`` says whether another call of the
    model can be begun."""

    ledger: Ledger
    endpoint: Model
    now: Callable[[], datetime]
    languages: Sequence[str] = ("en",)
    translator: Translator | None = None
    has_time: Callable[[], bool] = lambda: True

    def route(self, feedback_ids: Sequence[str]) -> Tally:
        """Decide what is undecided. Nothing is raised for a single feedback: it is in ``deferred`` or ``again``."""
        tally = Tally()
        waiting = self._undecided(feedback_ids, tally)
        questions = [question for entry in waiting if (question := self._question(entry, tally)) is not None]
        if questions:
            for question, outcome in self._classify(questions, tally):
                self._settle(question, outcome, tally)
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

    def _question(self, entry: Entry, tally: Tally) -> _Question | None:
        """What the model is asked; None where it cannot read the text, which is then decided or put off."""
        event = entry.event
        if not is_unknown(event.text, given=event.language, known=self.languages):
            return _Question(entry=entry, text=event.text)
        language = language_of(event.text, given=event.language)
        if self.translator is None or language is None:
            self._write(entry.unreadable(now=self.now()), tally)
            return None
        try:
            text = self.translator.translate(event.text, source=language, target=self.languages[0])
        except TranslationUnavailableError as error:
            log_error("A text was not translated.", error, feedback_id=event.id)
            if error.is_final:
                self._write(entry.unreadable(now=self.now()), tally)
            else:
                tally.deferred.add(event.id)
            return None
        return _Question(entry=entry, text=text, translated_from=language)

    def _classify(self, questions: Sequence[_Question], tally: Tally) -> list[tuple[_Question, Outcome]]:
        if not self.endpoint.admits():
            tally.deferred.update(question.entry.event.id for question in questions)
            return []
        try:
            return list(zip(questions, self._ask(questions), strict=True))
        except EndpointUnavailableError as error:
            log("WARNING", "The model gave no answer.", failure=error.failure.value, feedbacks=len(questions))
            ids = {question.entry.event.id for question in questions}
            if error.failure not in _ABOUT_THE_TEXTS:
                tally.deferred |= ids
                return []
            if len(questions) == 1:
                tally.again |= ids
                return []
        return self._classify_one_by_one(questions, tally)

    def _classify_one_by_one(self, questions: Sequence[_Question], tally: Tally) -> list[tuple[_Question, Outcome]]:
        """After the batch failed as a whole: one bad text must not keep the others waiting."""
        outcomes: list[tuple[_Question, Outcome]] = []
        failed: set[str] = set()
        is_refused = False
        for question in questions:
            feedback_id = question.entry.event.id
            if not self.has_time() or not self.endpoint.admits():
                tally.deferred.add(feedback_id)
                continue
            try:
                (outcome,) = self._ask([question])
            except EndpointUnavailableError as error:
                log("WARNING", "The model gave no answer.", failure=error.failure.value, feedback_id=feedback_id)
                is_refused = is_refused or error.failure is EndpointFailure.REFUSED
                failed.add(feedback_id)
            else:
                outcomes.append((question, outcome))
        # Where the model answers others, or says that it is the text, those that failed are to blame; else it is away.
        (tally.again if outcomes or is_refused else tally.deferred).update(failed)
        return outcomes

    def _ask(self, questions: Sequence[_Question]) -> Sequence[Outcome]:
        return self.endpoint.classify([(question.entry.event.id, question.text) for question in questions])

    def _settle(self, question: _Question, outcome: Outcome, tally: Tally) -> None:
        entry, now = question.entry, self.now()
        if isinstance(outcome, Prediction):
            self._write(entry.decided(outcome, now=now, translated_from=question.translated_from), tally)
            return
        log("WARNING", "The model could not read a feedback.", feedback_id=entry.event.id, reason=outcome.code)
        if outcome.is_final:
            self._write(entry.failed(_reason(outcome), now=now), tally)
        else:
            tally.again.add(entry.event.id)

    def _write(self, decided: Entry, tally: Tally) -> None:
        try:
            is_written = self.ledger.decide(decided)
        except LedgerUnavailableError as error:
            log_error("A decision could not be written.", error, feedback_id=decided.event.id)
            tally.again.add(decided.event.id)
            return
        match decided.state if is_written else None:
            case State.CLASSIFIED:
                tally.classified += 1
            case State.UNSURE:
                tally.unsure += 1
            case State.FAILED:
                tally.failed += 1
            case _:  # another was quicker
                tally.skipped += 1


def _reason(failure: LineFailure) -> str:
    return f"{failure.code}: {failure.message}"
