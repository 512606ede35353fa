"""Policies and entries to decide about."""

import json
from dataclasses import replace
from datetime import UTC, datetime

from feedback.alerting.policy import Policy
from feedback.event import FeedbackEvent, timestamp
from feedback.ledger import Entry, State
from feedback.prediction import Prediction
from feedback.sentiment import Sentiment

NOW = datetime(2026, 3, 2, 10, 7, 30, tzinfo=UTC)  # a Monday


def document(**changes):
    """The smallest policy, as a document."""
    smallest = {
        "version": 1,
        "destinations": {"everyone": {"kind": "topic"}},
        "teams": {"care": {"destinations": ["everyone"]}},
        "rules": [rule()],
        "products": {"severity": "high", "team": "care", "advice": "Read the examples."},
    }
    return {**smallest, **changes}


def rule(**changes):
    """A rule for everything, as a document."""
    return {"name": "negative", "severity": "low", "team": "care", "advice": "Answer.", **changes}


def policy(**changes):
    return Policy.parse(json.dumps(document(**changes)))


def entry(text="Too tight", *, negative=0.9, state=State.CLASSIFIED, **fields):
    """A decided feedback."""
    event = FeedbackEvent(
        **{
            "id": "order-1",
            "channel": "web",
            "text": text,
            "received_at": timestamp(NOW),
            "product_id": "P-1",
            **fields,
        }
    )
    sentiment = Sentiment.NEGATIVE if negative >= 0.5 else Sentiment.POSITIVE
    prediction = Prediction(
        sentiment=sentiment,
        probabilities=(negative, 0.0, 1.0 - negative),
        confidence=max(negative, 1.0 - negative),
        model_version="m-1",
    )
    return Entry(event=event, body_digest="d", state=state, prediction=prediction, decided_at=timestamp(NOW))


def with_product(found, product_id):
    return replace(found, event=replace(found.event, product_id=product_id))
