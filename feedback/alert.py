"""When somebody is to hear about a feedback at once, and in which words.

It does not know who hears it or how it is sent, nor whether it was sent before.
"""

from dataclasses import dataclass
from typing import Final

from feedback.event import FeedbackEvent
from feedback.ledger import Entry, State
from feedback.prediction import Prediction
from feedback.sentiment import Sentiment
from feedback.text import clean

SUBJECT_LIMIT: Final = 100
"""What SNS takes: ASCII, one line, fewer than 100 characters."""
QUOTE_LIMIT: Final = 600

_ALERTING_STATES: Final = (State.CLASSIFIED, State.CORRECTED)


@dataclass(frozen=True, kw_only=True)
class AlertPolicy:
    """Negative feedback alerts when the calibrated probability of negative is at least ``threshold``."""

    threshold: float

    def __post_init__(self) -> None:
        if not 0.0 <= self.threshold <= 1.0:  # also refuses NaN
            raise ValueError(f"an alert threshold is a probability, not {self.threshold}")

    def wants(self, entry: Entry) -> bool:
        """Whether this entry is one to alert about."""
        return (
            entry.state in _ALERTING_STATES
            and entry.prediction is not None
            and entry.prediction.sentiment is Sentiment.NEGATIVE
            and entry.prediction.probability(Sentiment.NEGATIVE) >= self.threshold
        )


@dataclass(frozen=True, kw_only=True)
class Alert:
    """A message a person can read, and the attributes by which subscriptions filter."""

    subject: str
    body: str
    attributes: dict[str, str]


def compose_alert(event: FeedbackEvent, prediction: Prediction, *, feedback_url: str) -> Alert:
    """The alert about a negative feedback. ``feedback_url`` is the address to which the id is appended."""
    confidence = f"{prediction.probability(Sentiment.NEGATIVE):.0%}"
    about = event.product_id or event.category
    facts = {
        "Product": event.product_id,
        "Category": event.category,
        "Channel": event.channel,
        "Rating": None if event.rating is None else f"{event.rating} of 5 stars",
        "Confidence": f"{confidence} negative (model {prediction.model_version})",
        "Received": f"{event.received_at[:16].replace('T', ' ')} UTC",
        "Feedback": event.id,
        "Link": feedback_url + event.id,
    }
    lines = [f"{name + ':':<12}{_one_line(value)}" for name, value in facts.items() if value is not None]
    attributes = {"feedback_id": event.id, "sentiment": Sentiment.NEGATIVE.label}
    if event.product_id is not None:
        attributes["product_id"] = _one_line(event.product_id)
    return Alert(
        subject=_subject(f"Negative feedback ({confidence}) via {event.channel}" + (f": {about}" if about else "")),
        body="\n".join(["A customer is unhappy:", "", f'  "{quote(event.text)}"', "", *lines]) + "\n",
        attributes=attributes,
    )


def quote(text: str, *, limit: int = QUOTE_LIMIT) -> str:
    """The text on one line without markup or control characters, cut at a word when it is longer than ``limit``."""
    line = clean(text)
    if len(line) <= limit:
        return line
    cut = line[: limit - 1]
    at_word = cut.rsplit(" ", 1)[0]
    return (at_word if len(at_word) > limit // 2 else cut).rstrip() + "…"


def _one_line(value: str) -> str:
    return clean(value) or "-"


def _subject(line: str) -> str:
    ascii_line = "".join(character if " " <= character <= "~" else "?" for character in _one_line(line))
    return ascii_line if len(ascii_line) < SUBJECT_LIMIT else ascii_line[: SUBJECT_LIMIT - 4] + "..."
