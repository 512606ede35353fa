"""Decides what the lake keeps of decided feedback: rows, and the objects they stand in. It does not know S3.

A feedback that is corrected later has two rows; the one with the later ``decided_at`` holds.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from feedback.ledger import Entry
from feedback.sentiment import Sentiment

PREFIX = "feedback/"


def objects(entries: Iterable[Entry]) -> dict[str, bytes]:
    """JSON Lines by key, one per day of receipt. The key is a digest of the content: a repeated batch adds nothing."""
    days: dict[str, list[str]] = defaultdict(list)
    for entry in entries:
        days[entry.event.received_at[:10]].append(json.dumps(row(entry)) + "\n")
    found = {}
    for day, lines in days.items():
        body = "".join(lines).encode("ascii")
        found[f"{PREFIX}dt={day}/{hashlib.sha256(body).hexdigest()}.jsonl"] = body
    return found


def row(entry: Entry) -> dict[str, Any]:
    """One row, with every column of the table ``feedback``; what is not known is null."""
    event, prediction = entry.event, entry.prediction
    sentiment = None if prediction is None else prediction.sentiment
    return {
        "feedback_id": event.id,
        "channel": event.channel,
        "text": event.text,
        "product_id": event.product_id,
        "category": event.category,
        "language": event.language,
        "rating": event.rating,
        "received_at": event.received_at,
        "decided_at": entry.decided_at,
        "state": entry.state.value,
        "sentiment": None if sentiment is None else int(sentiment),
        "label": None if prediction is None else prediction.label,
        "confidence": None if prediction is None else prediction.confidence,
        **{member.label: None if prediction is None else prediction.probability(member) for member in Sentiment},
        "model_version": None if prediction is None else prediction.model_version,
        "customer_ref": event.customer_ref,
    }
