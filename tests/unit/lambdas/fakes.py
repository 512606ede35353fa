"""Stand-ins for the adapters, holding in memory what AWS would hold, and failing where they are told to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from feedback.event import FeedbackEvent, timestamp
from feedback.ledger import AlertState, Entry, State, state_of
from feedback.prediction import LineFailure, Prediction
from feedback.sentiment import Sentiment
from lambdas.aws.endpoint import EndpointFailure, EndpointUnavailableError
from lambdas.aws.ledger import LedgerUnavailableError
from lambdas.aws.topic import NotPublishedError

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
    return replace(received(id_), state=state_of(prediction), prediction=prediction, decided_at=timestamp(NOW))


class FakeLedger:
    """Entries by id. ``broken`` names the methods that are unavailable, ``broken_for`` the ids."""

    def __init__(self, *entries):
        self.entries = {entry.event.id: entry for entry in entries}
        self.claims = {}
        self.sent = {}
        self.broken = set()
        self.broken_for = set()
        self.writes = []

    def accept(self, entry, *, now):
        self._check("accept", entry.event.id)
        if entry.event.id not in self.entries:
            self.writes.append(("accept", entry.event.id))
        return self.entries.setdefault(entry.event.id, entry)

    def find(self, feedback_id):
        self._check("find", feedback_id)
        return self.entries.get(feedback_id)

    def find_items(self, feedback_ids):
        self._check("find_items", None)
        return {id_: self.entries[id_].to_document() for id_ in feedback_ids if id_ in self.entries}

    def decide(self, feedback_id, prediction, *, now):
        self._check("decide", feedback_id)
        return self._leave_received(
            feedback_id, state=state_of(prediction), prediction=prediction, decided_at=timestamp(now)
        )

    def fail(self, feedback_id, reason, *, now):
        self._check("fail", feedback_id)
        return self._leave_received(feedback_id, state=State.FAILED, failure=reason, decided_at=timestamp(now))

    def claim_alert(self, feedback_id, *, owner, now, lease_until):
        self._check("claim_alert", feedback_id)
        claim = self.claims.get(feedback_id)
        if feedback_id in self.sent or (claim and claim[0] != owner and claim[1] >= now):
            return False
        self.claims[feedback_id] = (owner, lease_until)
        self._alert(feedback_id, AlertState.CLAIMED)
        return True

    def release_alert(self, feedback_id, *, owner):
        self._check("release_alert", feedback_id)
        if self.claims.get(feedback_id, (None,))[0] != owner:
            return False
        del self.claims[feedback_id]
        self._alert(feedback_id, None)
        return True

    def mark_alert_sent(self, feedback_id, *, owner, message_id, now):
        self._check("mark_alert_sent", feedback_id)
        if self.claims.get(feedback_id, (None,))[0] != owner:
            return False
        self.sent[feedback_id] = message_id
        self._alert(feedback_id, AlertState.SENT)
        return True

    def _alert(self, feedback_id, state):
        self.entries[feedback_id] = replace(self.entries[feedback_id], alert_state=state)

    def _leave_received(self, feedback_id, **changes):
        entry = self.entries[feedback_id]
        if entry.state is not State.RECEIVED:
            return False
        self.entries[feedback_id] = replace(entry, **changes)
        self.writes.append((changes["state"].value, feedback_id))
        return True

    def _check(self, method, feedback_id):
        if method in self.broken or feedback_id in self.broken_for:
            raise LedgerUnavailableError("The ledger is broken.")


class FakeQueue:
    """Remembers what was queued; ``refuses`` some ids, or all with ``is_down``."""

    def __init__(self, *, refuses=(), is_down=False):
        self.sent = []
        self.refuses = set(refuses)
        self.is_down = is_down

    def send(self, feedback_ids):
        queued = [] if self.is_down else [id_ for id_ in feedback_ids if id_ not in self.refuses]
        self.sent += queued
        return set(queued)


class FakeEndpoint:
    """Answers each text with the outcome for its id (``default`` otherwise), or fails as a whole."""

    def __init__(self, outcomes=None, *, default=NEGATIVE, failure=None, refuses_texts=()):
        self.outcomes = outcomes or {}
        self.default = default
        self.failure = failure
        self.refuses_texts = set(refuses_texts)
        self.calls = []

    def classify(self, texts):
        self.calls.append([id_ for id_, _ in texts])
        if self.failure is not None:
            raise EndpointUnavailableError(self.failure)
        if self.refuses_texts & {id_ for id_, _ in texts}:
            raise EndpointUnavailableError(EndpointFailure.REFUSED)
        return [self.outcomes.get(id_, self.default) for id_, _ in texts]


class FakeTopic:
    """Remembers what was published; ``fails`` is the list of errors of the next calls, None for a success."""

    def __init__(self, *fails):
        self.published = []
        self.fails = list(fails)

    def publish(self, alert):
        failure = self.fails.pop(0) if self.fails else None
        if failure is not None and failure != "lost answer":
            raise failure
        self.published.append(alert)
        if failure == "lost answer":
            raise NotPublishedError(is_certain=False)
        return f"message-{len(self.published)}"


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
