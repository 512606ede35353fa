"""An alert in words: what was said, what decided, how bad it is, what to do next. One content for every form.

A customer's words are quoted on one line and cut; making them harmless in a form is done where the form is written.
It does not know how it is sent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote as percent_encoded

from feedback.alerting.messages import FIRST, ProductMessage, Scalar
from feedback.alerting.planning import ESCALATION, Subject
from feedback.alerting.policy import negative_probability
from feedback.alerting.rules import Severity
from feedback.ledger import Entry
from feedback.neutral import one_line
from feedback.sentiment import Sentiment
from feedback.text import clean

QUOTE_LIMIT: Final = 600
SIMILAR_LIMIT: Final = 3

_SIMILAR_QUOTE_LIMIT: Final = 160


@dataclass(frozen=True, kw_only=True)
class Notice:
    """What is to be told. ``facts`` are in the order in which they are read; ``attributes`` are for filters."""

    title: str
    lead: str
    quotes: tuple[str, ...]
    facts: Mapping[str, str]
    similar: tuple[str, ...]
    advice: str
    link: str | None
    attributes: Mapping[str, str]


def about_feedback(
    entry: Entry,
    *,
    alert: Mapping[str, Scalar],
    advice: str,
    step: str,
    words: Sequence[str],
    similar: Sequence[Entry],
    feedback_url: str,
) -> Notice:
    """The alert about one negative feedback. ``words`` are those that decided, most telling first."""
    event = entry.event
    confidence = f"{negative_probability(entry):.0%}"
    about = event.product_id or event.category
    severity = str(alert["severity"])
    title = f"Negative feedback ({confidence}) via {event.channel}" + (f": {about}" if about else "")
    facts = {
        "Severity": f"{severity} (rule {alert['rule']}, team {alert['team']})",
        "Product": event.product_id,
        "Category": event.category,
        "Channel": event.channel,
        "Rating": None if event.rating is None else f"{event.rating} of 5 stars",
        "Confidence": _confidence(entry, confidence),
        "Words": ", ".join(words) or None,
        "Received": _moment(event.received_at),
        "Assigned to": alert.get("assigned_to"),
        "Feedback": event.id,
    }
    attributes = {
        "feedback_id": event.id,
        "sentiment": Sentiment.NEGATIVE.label,
        "severity": severity,
        "team": str(alert["team"]),
    }
    if event.product_id is not None:
        attributes["product_id"] = one_line(event.product_id) or "-"
    return Notice(
        title=_PREFIX.get(step, "Reminder: " if step != FIRST else _urgent(severity)) + title,
        lead=_LEAD.get(step, "A customer is unhappy:"),
        quotes=(quote(event.text),),
        facts={name: one_line(str(value)) or "-" for name, value in facts.items() if value is not None},
        similar=tuple(quote(other.event.text, limit=_SIMILAR_QUOTE_LIMIT) for other in similar[:SIMILAR_LIMIT]),
        advice=advice,
        link=feedback_url + percent_encoded(event.id, safe=":@", errors="replace"),
        attributes=attributes,
    )


def about_many(
    alert_id: str, *, subject: Subject, severity: str, team: str, alerts: int, advice: str, examples: Sequence[Entry]
) -> Notice:
    """The digest of the alerts on one subject that did not go out by themselves."""
    name = one_line(subject.name) or "-"
    return Notice(
        title=f"{alerts} more negative feedbacks on {subject.kind} {name}",
        lead=f"{alerts} more customers are unhappy with {subject.kind} {name}. Some of what they say:",
        quotes=tuple(quote(entry.event.text, limit=_SIMILAR_QUOTE_LIMIT * 2) for entry in examples[:SIMILAR_LIMIT]),
        facts={"Severity": f"{severity} (team {team})", subject.kind.capitalize(): name, "Alert": alert_id},
        similar=(),
        advice=advice,
        link=None,
        attributes={"alert_id": alert_id, "severity": severity, "team": team},
    )


def about_product(
    message: ProductMessage, *, severity: str, team: str, advice: str, examples: Sequence[Entry]
) -> Notice:
    """The alert that a product, category or channel is going wrong."""
    kind, name = message.scope.get("kind", "product"), one_line(message.scope.get("name", "-")) or "-"
    figures = {_spoken(key): _figure(value) for key, value in message.figures.items() if value is not None}
    return Notice(
        title=f"Going wrong: {kind} {name}",
        lead=f"More customers than usual are unhappy with {kind} {name}. Some of what they say:",
        quotes=tuple(quote(entry.event.text, limit=_SIMILAR_QUOTE_LIMIT * 2) for entry in examples[:SIMILAR_LIMIT]),
        facts={"Severity": f"{severity} (team {team})", kind.capitalize(): name, **figures, "Alert": message.id},
        similar=(),
        advice=advice,
        link=None,
        attributes={"alert_id": message.id, "severity": severity, "team": team},
    )


def quote(text: str, *, limit: int = QUOTE_LIMIT) -> str:
    """The text on one line without markup or control characters, cut at a word when it is longer than ``limit``."""
    line = clean(text)
    if len(line) <= limit:
        return line
    cut = line[: limit - 1]
    at_word = cut.rsplit(" ", 1)[0]
    return (at_word if len(at_word) > limit // 2 else cut).rstrip() + "…"


_PREFIX: Final = {ESCALATION: "Nobody took it on: "}
_LEAD: Final = {ESCALATION: "Nobody acknowledged this yet. A customer is unhappy:"}


def _urgent(severity: str) -> str:
    return "Critical: " if severity == Severity.CRITICAL.value else ""


def _confidence(entry: Entry, share: str) -> str:
    if entry.prediction is None:
        return f"{share} negative (said by a person)"
    return f"{share} negative (model {entry.prediction.model_version})"


def _moment(iso: str) -> str:
    return f"{iso[:16].replace('T', ' ')} UTC"


def _spoken(name: str) -> str:
    return one_line(name.replace("_", " ")).capitalize() or "-"


def _figure(value: Scalar) -> str:
    if isinstance(value, float) and not value.is_integer():
        return f"{value:.3g}"
    return one_line(str(value)) or "-"
