"""Stand-ins for the adapters, holding in memory what AWS would hold, and failing where they are told to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from feedback.event import FeedbackEvent, timestamp
from feedback.ledger import Entry, State
from feedback.prediction import LineFailure, Prediction
from feedback.sentiment import Sentiment
from lambdas.aws.endpoint import EndpointFailure, EndpointUnavailableError
from lambdas.aws.ledger import LedgerUnavailableError

NOW = datetime(2026, 3, 1, 10, 0, 0, tzinfo=UTC)

NEGATIVE = Prediction(
    sentiment=Sentiment.NEGATIVE, probabilities=(0.9, 0.06, 0.04), confidence=0.9, model_version="m-1"
)
UNSURE = Prediction(sentiment=None, probabilities=(0.4, 0.3, 0.3), confidence=0.4, model_version="m-1")


def now():
    return NOW


def received(id_, text="Too tight", digest="d"):
    event = FeedbackEvent(id=id_, channel="web", text=text, received_at=timestamp(NOW), product_id="P-1")
    return Entry(event=event, body_digest=digest, state=State.RECEIVED)


def classified(id_, prediction=NEGATIVE):
    return received(id_).decided(prediction, now=NOW)


class FakeLedger:
    """Entries by id, and the originals beside them. ``broken`` names the methods that are unavailable, ``broken_for``
    the ids."""

    def __init__(self, *entries):
        self.entries = {entry.event.id: entry for entry in entries}
        self.originals = {}
        self.broken = set()
        self.broken_for = set()
        self.writes = []

    def accept(self, entry, *, original=None, now):
        self._check("accept", entry.event.id)
        if entry.event.id not in self.entries:
            self.writes.append(("accept", entry.event.id))
            if original is not None:
                self.originals[entry.event.id] = original
        return self.entries.setdefault(entry.event.id, entry)

    def find(self, feedback_id):
        self._check("find", feedback_id)
        return self.entries.get(feedback_id)

    def find_items(self, feedback_ids):
        self._check("find_items", None)
        return {id_: self.entries[id_].to_document() for id_ in feedback_ids if id_ in self.entries}

    def decide(self, entry):
        feedback_id = entry.event.id
        self._check("decide", feedback_id)
        if self.entries[feedback_id].state is not State.RECEIVED:
            return False
        self.entries[feedback_id] = replace(entry, in_flight_until=None)
        self.writes.append((entry.state.value, feedback_id))
        return True

    def leave_to_router(self, feedback_id):
        self._check("leave_to_router", feedback_id)
        self.entries[feedback_id] = replace(self.entries[feedback_id], in_flight_until=None)

    def _check(self, method, feedback_id):
        if method in self.broken or feedback_id in self.broken_for:
            raise LedgerUnavailableError("The ledger is broken.")


class FakeQueue:
    """Remembers what was queued, and with which delays; ``refuses`` some ids, or all with ``is_down``."""

    def __init__(self, *, refuses=(), is_down=False):
        self.sent = []
        self.delays = set()
        self.refuses = set(refuses)
        self.is_down = is_down

    def send(self, feedback_ids, *, delay_seconds=15):
        queued = [] if self.is_down else [id_ for id_ in feedback_ids if id_ not in self.refuses]
        self.sent += queued
        self.delays.add(delay_seconds)
        return set(queued)


class FakeEndpoint:
    """Answers each text with the outcome for its id (``default`` otherwise), or fails as a whole; ``is_resting`` is
    what a breaker says."""

    def __init__(
        self, outcomes=None, *, default=NEGATIVE, failure=None, fails_for=(), fails_with=None, is_resting=False
    ):
        self.outcomes = outcomes or {}
        self.default = default
        self.failure = failure
        self.fails_for = set(fails_for)
        self.fails_with = fails_with or EndpointFailure.REFUSED
        self.is_resting = is_resting
        self.calls = []

    def admits(self):
        return not self.is_resting

    def classify(self, texts):
        self.calls.append([id_ for id_, _ in texts])
        if self.failure is not None:
            raise EndpointUnavailableError(self.failure)
        if self.fails_for & {id_ for id_, _ in texts}:
            raise EndpointUnavailableError(self.fails_with)
        return [self.outcomes.get(id_, self.default) for id_, _ in texts]


class FakeContext:
    """What Lambda hands to a handler."""

    function_name = "earshot-test"

    def __init__(self, *, request_id="request-1", remaining_seconds=30.0):
        self.aws_request_id = request_id
        self.remaining_seconds = remaining_seconds

    def get_remaining_time_in_millis(self):
        return int(self.remaining_seconds * 1000)


BAD_TEXT = LineFailure(code="empty_text", message="The text is empty.")
NO_PREDICTION = LineFailure(code="no_prediction", message="The model gave no finite numbers for this text.")
