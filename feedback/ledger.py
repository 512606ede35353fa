"""An entry of the ledger: one accepted feedback, its state, and what was decided and told about it.

RECEIVED is accepted and not yet decided. CLASSIFIED, UNSURE and FAILED are decided by the model; CORRECTED is decided
by a person. It does not know how entries are stored.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any, Final

from feedback.event import FeedbackEvent
from feedback.prediction import MalformedAnswerError, Prediction

RETENTION: Final = timedelta(days=400)
"""How long the ledger remembers a feedback, and with it its idempotency key. The lake keeps it longer."""


class State(str, Enum):  # noqa: UP042 - StrEnum is 3.11
    """Where a feedback is on its way."""

    RECEIVED = "RECEIVED"
    CLASSIFIED = "CLASSIFIED"
    UNSURE = "UNSURE"
    CORRECTED = "CORRECTED"
    FAILED = "FAILED"

    @property
    def is_decided(self) -> bool:
        """Nothing is left to do for the router."""
        return self is not State.RECEIVED


class AlertState(str, Enum):  # noqa: UP042 - StrEnum is 3.11
    """Where the alert of a feedback is on its way; there is none before it is claimed."""

    CLAIMED = "CLAIMED"
    SENT = "SENT"


class MalformedEntryError(ValueError):
    """A stored item that is no ledger entry. Quotes nothing of it."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One feedback in the ledger. ``prediction`` and ``failure`` are None until it is decided."""

    event: FeedbackEvent
    body_digest: str
    state: State
    decided_at: str | None = None
    prediction: Prediction | None = None
    failure: str | None = None
    alert_state: AlertState | None = None

    def to_document(self) -> dict[str, Any]:
        """The stored item without its alert and expiry, which only the ledger writes."""
        document: dict[str, Any] = {
            "feedback_id": self.event.id,
            "state": self.state.value,
            "event": self.event.to_document(),
            "body_digest": self.body_digest,
            "received_at": self.event.received_at,
        }
        if self.decided_at is not None:
            document["decided_at"] = self.decided_at
        if self.prediction is not None:
            document |= {name: value for name, value in self.prediction.to_document().items() if value is not None}
        if self.failure is not None:
            document["failure"] = self.failure
        return document

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Entry":
        """The entry in a stored item; MalformedEntryError for anything else."""
        try:
            alert = document.get("alert")
            return cls(
                event=FeedbackEvent.from_document(document["event"]),
                body_digest=document["body_digest"],
                state=State(document["state"]),
                decided_at=document.get("decided_at"),
                prediction=_prediction(document),
                failure=document.get("failure"),
                alert_state=None if alert is None else AlertState(alert["state"]),
            )
        except MalformedAnswerError as error:
            raise MalformedEntryError(str(error)) from error
        except (KeyError, TypeError, ValueError) as error:
            raise MalformedEntryError(f"An item of the ledger is malformed ({type(error).__name__}).") from error


def state_of(prediction: Prediction) -> State:
    """The state that a prediction leads to."""
    return State.UNSURE if prediction.sentiment is None else State.CLASSIFIED


def _prediction(document: Mapping[str, Any]) -> Prediction | None:
    if "label" not in document:
        return None
    return Prediction.from_document({"sentiment": None, **document})
