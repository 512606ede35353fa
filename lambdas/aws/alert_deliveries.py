"""The deliveries of an alert: each claimed before it is sent and marked after, so that one of many tries sends.

The claim of a sender that died passes to the next receive of the same message at once, since the queue hands a message
to one receiver at a time; to any other copy of the message it passes after ``LEASE``. It does not know destinations.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final

from feedback.event import timestamp
from feedback.ledger import AlertState
from lambdas.aws.alert_place import AlertPlace, AlertRef, Change

LEASE: Final = timedelta(minutes=12)
"""Longer than a sender can live, by more than clocks may differ."""

_NAMES: Final = {"#state": "state"}


class Claim(Enum):
    """Whether a delivery may be sent now."""

    TAKEN = "taken"
    SENT_BEFORE = "sent before"
    BUSY = "busy"


@dataclass(frozen=True, kw_only=True)
class Owner:
    """Who sends: one receive of one message of the alert queue."""

    message_id: str
    receives: int


class AlertDeliveries:
    """The deliveries of all alerts."""

    def __init__(self, place: AlertPlace) -> None:
        self._place = place

    def claim(self, ref: AlertRef, delivery: str, owner: Owner, *, now: datetime) -> Claim:
        """Take the right to send one delivery."""
        mine = {
            "state": "CLAIMED",
            "at": timestamp(now),
            "until": timestamp(now + LEASE),
            "message": owner.message_id,
            "receives": owner.receives,
        }
        change = Change(
            update="SET alert.deliveries.#delivery = :mine",
            condition="attribute_exists(alert) AND (attribute_not_exists(alert.deliveries.#delivery) OR ("
            "alert.deliveries.#delivery.#state = :claimed AND (alert.deliveries.#delivery.#until < :now OR "
            "(alert.deliveries.#delivery.message = :message AND alert.deliveries.#delivery.receives < :receives))))",
            names={**_NAMES, "#delivery": delivery, "#until": "until"},
            values={
                ":mine": mine,
                ":claimed": "CLAIMED",
                ":now": timestamp(now),
                ":message": owner.message_id,
                ":receives": owner.receives,
            },
        )
        if self._place.change(ref, change) is not None:
            return Claim.TAKEN
        alert = self._place.find(ref)
        if alert is None or alert["deliveries"].get(delivery, {}).get("state") == "SENT":
            return Claim.SENT_BEFORE
        return Claim.BUSY

    def give_back(self, ref: AlertRef, delivery: str, owner: Owner) -> None:
        """Give a claim back, so that the next receive may try."""
        change = Change(
            update="REMOVE alert.deliveries.#delivery",
            condition=_IS_MINE,
            names={**_NAMES, "#delivery": delivery},
            values=_mine(owner),
        )
        self._place.change(ref, change)

    def mark_sent(self, ref: AlertRef, delivery: str, owner: Owner, *, receipt: str, now: datetime) -> bool:
        """Write that a delivery went out, and with the first one that the alert did; False where the claim was lost."""
        sent = {"state": "SENT", "at": timestamp(now), "receipt": receipt}
        names = {**_NAMES, "#delivery": delivery}
        values = {**_mine(owner), ":delivered": sent}
        waiting = {":due": AlertState.DUE.value, ":held": AlertState.HELD.value, ":sent": AlertState.SENT.value}
        first = Change(
            update="SET alert.deliveries.#delivery = :delivered, alert.#state = :sent, alert.sent_at = :now",
            condition=f"{_IS_MINE} AND alert.#state IN (:due, :held)",
            names=names,
            values={**values, **waiting, ":now": timestamp(now)},
        )
        later = Change(
            update="SET alert.deliveries.#delivery = :delivered", condition=_IS_MINE, names=names, values=values
        )
        return self._place.change(ref, first) is not None or self._place.change(ref, later) is not None


_IS_MINE: Final = (
    "alert.deliveries.#delivery.#state = :claimed AND alert.deliveries.#delivery.message = :message "
    "AND alert.deliveries.#delivery.receives = :receives"
)


def _mine(owner: Owner) -> dict[str, Any]:
    return {":claimed": "CLAIMED", ":message": owner.message_id, ":receives": owner.receives}
