"""Tells one alert at its destinations, each once: claim, send, mark.

A destination that does not take it keeps the message in the queue, and the others are not told again. What a person
settled meanwhile is not told any more. One window remains, in which a destination took an alert and the mark after it
was lost with this process: then it comes a second time under the same delivery id, by which a receiver can drop it.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Final, Protocol

from feedback.alerting.messages import AlertMessage, Kind, ProductMessage
from feedback.alerting.planning import delivery_id, destinations_of
from feedback.alerting.policy import Policy
from feedback.alerting.wording import Notice
from feedback.ledger import AlertState, MalformedEntryError
from lambdas.aws.agenda import AgendaUnavailableError
from lambdas.aws.alert_deliveries import AlertDeliveries, Claim, Owner
from lambdas.aws.alert_place import AlertRef
from lambdas.aws.alert_record import AlertRecord
from lambdas.aws.ledger import LedgerUnavailableError
from lambdas.notify.destinations import Destinations, UndeliveredError
from lambdas.notify.product_alerts import ProductAlerts
from lambdas.telemetry import log, log_error

_MARK_ATTEMPTS: Final = 4
_MARK_PAUSE_SECONDS: Final = 0.5
# Settled by a person, or held until duty moves it on.
_NOT_NOW: Final = (AlertState.ACKNOWLEDGED.value, AlertState.SNOOZED.value, AlertState.HELD.value)


class Result(Enum):
    """What became of one delivery."""

    SENT = "sent"
    DONE_BEFORE = "done before"
    NOT_NEEDED = "not needed"
    AGAIN = "again"


class Composer(Protocol):
    """Words an alert."""

    def notice(self, message: AlertMessage | ProductMessage, alert: Mapping[str, Any]) -> Notice | None:
        """What is to be told; None where there is nothing any more."""


@dataclass(frozen=True, kw_only=True)
class Delivering:
    """The use case with its collaborators."""

    policy: Policy
    record: AlertRecord
    deliveries: AlertDeliveries
    products: ProductAlerts
    composing: Composer
    destinations: Destinations
    now: Callable[[], datetime]
    pause: Callable[[float], None] = time.sleep

    def deliver(self, message: AlertMessage | ProductMessage, owner: Owner) -> list[Result]:
        """One result for each destination; a message with an AGAIN in it is to be received again."""
        ref = AlertRef(kind=message.kind if isinstance(message, AlertMessage) else Kind.PRODUCT, id=message.id)
        try:
            alert = self._alert(ref, message)
            if alert is None or alert["state"] in _NOT_NOW:
                return [Result.NOT_NEEDED]
            names = self._names(message, alert["team"])
            return [self._deliver_one(ref, alert, message, name, owner) for name in names]
        except (LedgerUnavailableError, AgendaUnavailableError, MalformedEntryError) as error:
            log_error("An alert could not be delivered.", error, alert_id=message.id)
            return [Result.AGAIN]

    def _alert(self, ref: AlertRef, message: AlertMessage | ProductMessage) -> dict[str, Any] | None:
        found = self.record.find(ref)
        return self.products.begin(ref, message) if found is None and isinstance(message, ProductMessage) else found

    def _names(self, message: AlertMessage | ProductMessage, team: str) -> tuple[str, ...]:
        """The one destination, while the policy still has it; else wherever the team is told now."""
        named = message.destination if isinstance(message, AlertMessage) else None
        if named is not None and named in self.policy.destinations:
            return (named,)
        return destinations_of(self.policy, team, step=message.step)

    def _deliver_one(
        self,
        ref: AlertRef,
        alert: Mapping[str, Any],
        message: AlertMessage | ProductMessage,
        name: str,
        owner: Owner,
    ) -> Result:
        delivery = f"{name}.{message.step}"  # the alert that it stands in names the id
        claim = self.deliveries.claim(ref, delivery, owner, now=self.now())
        if claim is not Claim.TAKEN:
            return Result.DONE_BEFORE if claim is Claim.SENT_BEFORE else Result.AGAIN
        try:
            notice = self.composing.notice(message, alert)
            if notice is None:
                self.deliveries.give_back(ref, delivery, owner)
                return Result.NOT_NEEDED
            receipt = self.destinations.send(
                self.policy.destinations[name], notice, delivery=delivery_id(ref.id, name, message.step)
            )
        except (UndeliveredError, LedgerUnavailableError) as error:
            log_error("An alert could not be delivered.", error, alert_id=ref.id, destination=name)
            self.deliveries.give_back(ref, delivery, owner)
            return Result.AGAIN
        self._mark(ref, delivery, owner, receipt)
        return Result.SENT

    def _mark(self, ref: AlertRef, delivery: str, owner: Owner, receipt: str) -> None:
        """The alert is out: giving up now could send it again, so that the mark is tried some times."""
        for attempt in range(1, _MARK_ATTEMPTS + 1):
            try:
                marked = self.deliveries.mark_sent(ref, delivery, owner, receipt=receipt, now=self.now())
            except LedgerUnavailableError as error:
                log_error("A sent alert could not be marked.", error, alert_id=ref.id, attempt=attempt)
                self.pause(_MARK_PAUSE_SECONDS * attempt)
                continue
            if not marked:
                log("WARNING", "A sent alert had lost its claim; it may come twice.", alert_id=ref.id)
            return
        log("ERROR", "A sent alert stays unmarked; it may come twice.", alert_id=ref.id)
