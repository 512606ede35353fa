"""Decides which decided feedback is told about, and tells it once.

Claim, publish, mark: the claim is a conditional write with a lease that ends after this invocation must have ended, so
of any number of deliveries of the same record one publishes, and a crash anywhere leaves either no claim, a claim that
lapses and is taken again, or a sent alert. One window remains: where SNS took the message but its answer, or the mark
after it, was lost with the invocation, the alert comes a second time when the lease has lapsed. SNS has no idempotency
key that could close it; the attribute ``feedback_id`` lets a receiver do so. No alert is lost either way.

It does not know streams or SNS.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from feedback.alert import AlertPolicy, compose_alert
from feedback.ledger import AlertState, Entry
from lambdas.aws.ledger import Ledger, LedgerUnavailableError
from lambdas.aws.topic import NotPublishedError, Topic
from lambdas.telemetry import log, log_error


class Result(Enum):
    """What became of one entry."""

    NOT_WANTED = "not wanted"
    SENT_BEFORE = "sent before"
    SENT = "sent"
    UNSENT = "unsent"


@dataclass(frozen=True, kw_only=True)
class Alerting:
    """The use case with its collaborators. ``owner`` names this invocation, which ends before ``lease_until``."""

    policy: AlertPolicy
    ledger: Ledger
    topic: Topic
    feedback_url: str
    owner: str
    lease_until: datetime
    now: Callable[[], datetime]

    def alert(self, entries: Iterable[Entry]) -> list[Result]:
        """One result per entry, in order. UNSENT ones are to be tried again."""
        return [self._alert_one(entry) for entry in entries]

    def _alert_one(self, entry: Entry) -> Result:
        if not self.policy.wants(entry):
            return Result.NOT_WANTED
        try:
            return self._send_once(entry)
        except LedgerUnavailableError as error:
            log_error("An alert could not be claimed.", error, feedback_id=entry.event.id)
            return Result.UNSENT

    def _send_once(self, entry: Entry) -> Result:
        feedback_id = entry.event.id
        if not self.ledger.claim_alert(feedback_id, owner=self.owner, now=self.now(), lease_until=self.lease_until):
            return self._after_lost_claim(feedback_id)
        assert entry.prediction is not None  # the policy wants no entry without one
        alert = compose_alert(entry.event, entry.prediction, feedback_url=self.feedback_url)
        try:
            message_id = self.topic.publish(alert)
        except NotPublishedError as error:
            log_error("An alert could not be published.", error, feedback_id=feedback_id, is_certain=error.is_certain)
            if error.is_certain:
                self.ledger.release_alert(feedback_id, owner=self.owner)
            return Result.UNSENT
        self._mark_sent(feedback_id, message_id)
        return Result.SENT

    def _after_lost_claim(self, feedback_id: str) -> Result:
        """Sent by another, or claimed by one that may have died: then it is tried again until the lease lapses."""
        current = self.ledger.find(feedback_id)
        if current is None or current.alert_state is AlertState.SENT:
            return Result.SENT_BEFORE
        log("INFO", "An alert is claimed by another invocation.", feedback_id=feedback_id)
        return Result.UNSENT

    def _mark_sent(self, feedback_id: str, message_id: str) -> None:
        try:
            marked = self.ledger.mark_alert_sent(feedback_id, owner=self.owner, message_id=message_id, now=self.now())
        except LedgerUnavailableError as error:
            log_error("A sent alert could not be marked; it may come twice.", error, feedback_id=feedback_id)
            return
        if not marked:
            log("WARNING", "A sent alert had lost its claim; it may come twice.", feedback_id=feedback_id)
