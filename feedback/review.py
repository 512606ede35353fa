"""The review queue: which decided feedback a person should look at, and how it stands in counters and queue.

Unsure feedback, feedback in a language the model does not know, and feedback whose stars say the opposite of its text
wait for a person; a correction, or a confirmation, takes it out. It does not know where the queue is kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from feedback.ledger import Entry, State

REASONS: Final = ("unsure", "language", "contradicted")
QUEUE: Final = "review"
"""The partition of the desk in which the queue lies."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How a feedback is counted (None: not at all), and whether it waits for a person."""

    label: str | None
    in_review: bool

    def to_document(self) -> dict[str, Any]:
        """What the ledger keeps as ``counted``."""
        return {"label": self.label, "in_review": self.in_review}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Standing":
        """The standing that :meth:`to_document` wrote."""
        return cls(label=document["label"], in_review=document["in_review"])


NOWHERE: Final = Standing(label=None, in_review=False)


def standing_of(entry: Entry) -> Standing:
    """How a decided feedback belongs in counters and queue."""
    return Standing(
        label=entry.effective_label,
        in_review=entry.review is not None and entry.state is not State.CORRECTED,
    )


def queue_key(received_at: str, feedback_id: str) -> str:
    """The place of a feedback in the queue, which is ordered by receipt."""
    return f"{received_at}#{feedback_id}"


def queued_id(key: str) -> str:
    """The feedback id in a :func:`queue_key`."""
    return key.partition("#")[2]
