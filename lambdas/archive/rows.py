"""Decides what the lake keeps of decided feedback: rows, and the objects they stand in. It does not know S3.

A feedback that is corrected later has two rows; the one with the later ``decided_at`` holds. A correction is also a
row to train on: a review with the stars that its sentiment stands for.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

from feedback.ledger import Entry
from feedback.sentiment import STARS, Sentiment

PREFIX: Final = "feedback/"
CORRECTIONS_PREFIX: Final = "raw/corrections/"

_RATINGS: Final[Mapping[Sentiment, int]] = {
    Sentiment.NEGATIVE: min(STARS),
    Sentiment.NEUTRAL: 3,
    Sentiment.POSITIVE: max(STARS),
}


def objects(entries: Iterable[Entry]) -> dict[str, bytes]:
    """JSON Lines by key: one object per day of receipt, and one of corrections per day on which they were made.

    The key is a digest of the content: a repeated batch adds nothing.
    """
    folders: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for entry in entries:
        folders[f"{PREFIX}dt={entry.event.received_at[:10]}/"].append(row(entry))
        if entry.correction is not None:
            folders[f"{CORRECTIONS_PREFIX}ingest_date={entry.correction.at[:10]}/"].append(training_row(entry))
    found = {}
    for folder, rows in folders.items():
        body = "".join(json.dumps(each) + "\n" for each in rows).encode("ascii")
        found[f"{folder}{hashlib.sha256(body).hexdigest()}.jsonl"] = body
    return found


def training_row(entry: Entry) -> dict[str, Any]:
    """A corrected feedback as a review, in the canonical columns; ``corrected_at`` makes it win over other reviews."""
    if entry.correction is None:
        raise ValueError("only a corrected feedback is a row to train on")
    event = entry.event
    return {
        "review_id": event.id,
        "text": event.text,
        "rating": _RATINGS[Sentiment(entry.correction.sentiment)],
        "product_id": event.product_id,
        "category": event.category,
        "channel": event.channel,
        "created_at": event.received_at,
        "corrected_at": entry.correction.at,
    }


def row(entry: Entry) -> dict[str, Any]:
    """One row, with every column of the table ``feedback``; what is not known is null.

    Sentiment and label are what holds; confidence, probabilities and version are the model's, also where a person
    decided otherwise.
    """
    event, prediction = entry.event, entry.prediction
    sentiment = entry.effective_sentiment
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
        "label": entry.effective_label,
        "confidence": None if prediction is None else prediction.confidence,
        **{member.label: None if prediction is None else prediction.probability(member) for member in Sentiment},
        "model_version": None if prediction is None else prediction.model_version,
        "customer_ref": event.customer_ref,
    }
