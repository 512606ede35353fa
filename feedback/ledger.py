"""An entry of the ledger: one accepted feedback, its state, and what was decided and told about it.

RECEIVED is accepted and not yet decided. CLASSIFIED, UNSURE and FAILED are decided by the model; CORRECTED is decided
by a person. What a decision changes is said here; it does not know how entries are stored.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final

from feedback.event import FeedbackEvent, timestamp
from feedback.prediction import MalformedAnswerError, Prediction
from feedback.sentiment import UNSURE, Sentiment, from_stars

RETENTION: Final = timedelta(days=400)
"""How long the ledger remembers a feedback, and with it its idempotency key. The lake keeps it longer."""

CONFIDENCE: Final = "confidence"
LANGUAGE: Final = "language"

_OPPOSITE: Final = 2  # negative to positive, or the other way
_OPTIONAL: Final = (
    "in_flight_until",
    "decided_at",
    "failure",
    "unsure_because",
    "translated_from",
    "review",
)


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
    """Where the alert of a feedback is on its way; there is none for a feedback that nobody is to hear of."""

    DUE = "DUE"
    """On its way to its destinations."""
    HELD = "HELD"
    """Waits for the end of quiet hours, or of a snooze of its product."""
    DIGESTED = "DIGESTED"
    """Told of in a digest, with others on the same subject."""
    SENT = "SENT"
    ESCALATED = "ESCALATED"
    SNOOZED = "SNOOZED"
    ACKNOWLEDGED = "ACKNOWLEDGED"


class MalformedEntryError(ValueError):
    """A stored item that is no ledger entry. Quotes nothing of it."""


@dataclass(frozen=True, kw_only=True)
class Correction:
    """What a person decided, who and when. It wins over the model, always."""

    sentiment: Sentiment
    by: str
    at: str
    note: str | None = None

    @property
    def label(self) -> str:
        """The sentiment's label."""
        return self.sentiment.label

    def to_document(self) -> dict[str, Any]:
        """The correction as JSON values; an absent note is absent."""
        document = {"sentiment": int(self.sentiment), "label": self.label, "by": self.by, "at": self.at}
        return document if self.note is None else document | {"note": self.note}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Correction":
        """The correction that :meth:`to_document` wrote; KeyError or ValueError for anything else."""
        return cls(
            sentiment=Sentiment(document["sentiment"]),
            by=document["by"],
            at=document["at"],
            note=document.get("note"),
        )


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One feedback in the ledger.

    ``prediction`` and ``failure`` are None until it is decided, and ``prediction`` stays the model's when a person
    corrects it. ``in_flight_until`` is set while intake itself asks the model. ``unsure_because`` goes with UNSURE:
    ``confidence`` or ``language``. ``review`` is why a person should look at it, ``translated_from`` the language of a
    text that the model was given a translation of.
    """

    event: FeedbackEvent
    body_digest: str
    state: State
    in_flight_until: str | None = None
    decided_at: str | None = None
    prediction: Prediction | None = None
    failure: str | None = None
    unsure_because: str | None = None
    translated_from: str | None = None
    review: str | None = None
    correction: Correction | None = None
    alert_state: AlertState | None = None

    @property
    def effective_sentiment(self) -> Sentiment | None:
        """The person's judgement where there is one, else the model's; None where neither has one."""
        if self.correction is not None:
            return self.correction.sentiment
        return None if self.prediction is None else self.prediction.sentiment

    @property
    def effective_label(self) -> str | None:
        """The label of :attr:`effective_sentiment`, or ``unsure``; None where nothing is decided, or it failed."""
        if (sentiment := self.effective_sentiment) is not None:
            return sentiment.label
        return UNSURE if self.state is State.UNSURE else None

    def decided(self, prediction: Prediction, *, now: datetime, translated_from: str | None = None) -> "Entry":
        """The entry with the model's decision."""
        is_unsure = prediction.sentiment is None
        return replace(
            self,
            state=state_of(prediction),
            decided_at=timestamp(now),
            prediction=prediction,
            unsure_because=CONFIDENCE if is_unsure else None,
            translated_from=translated_from,
            review=_review(self.event, prediction),
        )

    def unreadable(self, *, now: datetime) -> "Entry":
        """The entry of a text in a language that the model does not know: unsure, without a prediction."""
        return replace(self, state=State.UNSURE, decided_at=timestamp(now), unsure_because=LANGUAGE, review=LANGUAGE)

    def failed(self, reason: str, *, now: datetime) -> "Entry":
        """The entry of a feedback that can never be classified, and why."""
        return replace(self, state=State.FAILED, decided_at=timestamp(now), failure=reason)

    def to_document(self) -> dict[str, Any]:
        """The stored item without its alert and expiry, which only the ledger writes."""
        document: dict[str, Any] = {
            "feedback_id": self.event.id,
            "state": self.state.value,
            "event": self.event.to_document(),
            "body_digest": self.body_digest,
            "received_at": self.event.received_at,
        }
        if self.event.customer_ref is not None:
            document["customer_ref"] = self.event.customer_ref
        document |= {name: value for name in _OPTIONAL if (value := getattr(self, name)) is not None}
        if self.prediction is not None:
            document |= {name: value for name, value in self.prediction.to_document().items() if value is not None}
        if self.correction is not None:
            document["correction"] = self.correction.to_document()
        return document

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Entry":
        """The entry in a stored item; MalformedEntryError for anything else."""
        try:
            alert = document.get("alert")
            correction = document.get("correction")
            return cls(
                event=FeedbackEvent.from_document(document["event"]),
                body_digest=document["body_digest"],
                state=State(document["state"]),
                prediction=_prediction(document),
                correction=None if correction is None else Correction.from_document(correction),
                alert_state=None if alert is None else AlertState(alert["state"]),
                **{name: document.get(name) for name in _OPTIONAL},
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


def _review(event: FeedbackEvent, prediction: Prediction) -> str | None:
    """Why a person should look at a decision: the model is unsure, or the stars say the opposite of the text."""
    if prediction.sentiment is None:
        return "unsure"
    if event.rating is not None and abs(from_stars(event.rating) - prediction.sentiment) == _OPPOSITE:
        return "contradicted"
    return None
