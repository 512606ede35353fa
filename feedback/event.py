"""One feedback: what a client may send, how it is identified, and how it is kept.

The shape of a client's document is described in ``feedback/schema`` and checked at the edge; here is what a schema
cannot say. It does not know the clock (the time of receipt is handed in), the ledger or HTTP.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Final

from feedback.text import clean

Document = Mapping[str, Any]

METADATA_KEY_LIMIT: Final = 64

_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_OPTIONAL: Final = ("product_id", "category", "customer_ref", "language", "rating")


class UnusableFeedbackError(ValueError):
    """A document of the right shape that still is no feedback: ``pointer`` says where, ``reason`` why."""

    def __init__(self, pointer: str, reason: str) -> None:
        super().__init__(f"{pointer}: {reason}")
        self.pointer = pointer
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class FeedbackEvent:
    """An accepted feedback. ``received_at`` is ISO 8601 in UTC. :func:`receive` gives the text as it came; what is
    accepted has personal data taken out of it."""

    id: str
    channel: str
    text: str
    received_at: str
    product_id: str | None = None
    category: str | None = None
    customer_ref: str | None = None
    language: str | None = None
    rating: int | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)

    def to_document(self) -> dict[str, Any]:
        """The event as JSON values; absent fields are absent."""
        document: dict[str, Any] = {
            "id": self.id,
            "channel": self.channel,
            "text": self.text,
            "received_at": self.received_at,
        }
        document |= {name: value for name in _OPTIONAL if (value := getattr(self, name)) is not None}
        if self.metadata:
            document["metadata"] = dict(self.metadata)
        return document

    @classmethod
    def from_document(cls, document: Document) -> "FeedbackEvent":
        """The event that :meth:`to_document` wrote; KeyError or TypeError for anything else."""
        return cls(**document)


def receive(document: Document, *, received_at: datetime) -> FeedbackEvent:
    """The event of a client's document of the schema's shape; UnusableFeedbackError where it is none."""
    for pointer, value in _strings(document):
        if (reason := _unstorable(value)) is not None:
            raise UnusableFeedbackError(pointer, reason)
    if any(not 0 < len(key) <= METADATA_KEY_LIMIT for key in document.get("metadata", ())):
        raise UnusableFeedbackError("/metadata", f"has a key that is empty or longer than {METADATA_KEY_LIMIT}")
    if not clean(document["text"]):
        raise UnusableFeedbackError("/text", "holds nothing to read")
    return FeedbackEvent(
        **{
            **document,
            "id": document.get("id") or derived_id(document, received_at=received_at),
            "received_at": timestamp(received_at),
        }
    )


def body_digest(document: Document) -> str:
    """SHA-256 of what a client says, its key aside: equal for equal content in any order of the fields."""
    content = {name: value for name, value in document.items() if name != "id"}
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def derived_id(document: Document, *, received_at: datetime) -> str:
    """The id of a feedback sent without one: the same content on the same day (UTC) is the same feedback.

    So a client that blindly sends again does no harm, and "Great!" can be said again tomorrow.
    """
    day = received_at.astimezone(timezone.utc).date().isoformat()
    return "fb-" + hashlib.sha256(f"{day}\n{body_digest(document)}".encode("ascii")).hexdigest()[:32]


def timestamp(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds, which sorts as text."""
    if moment.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    utc = moment.astimezone(timezone.utc)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def _strings(document: Document) -> Iterator[tuple[str, str]]:
    for name, value in document.items():
        if isinstance(value, str):
            yield f"/{name}", value
        elif isinstance(value, Mapping):
            for key, entry in value.items():
                yield f"/{name}", key
                yield f"/{name}", entry


def _unstorable(value: str) -> str | None:
    if "\x00" in value:
        return "holds a NUL character"
    if _SURROGATE.search(value):
        return "holds half of a surrogate pair, which is no character"
    return None
