"""What is counted of feedback: its subjects (product, category, channel), its hour of receipt and its label.

A feedback counts in the hour in which it was received, however late it is decided, and once in each of its subjects. A
correction moves it from one label to another. It does not know where counters are kept, nor what is unusual.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final
from zlib import crc32

from feedback.event import FeedbackEvent
from feedback.sentiment import LABELS, UNSURE, Sentiment

COUNTED_LABELS: Final = (*LABELS, UNSURE)
HOURS: Final = range(24)
EXAMPLE_SLOTS: Final = 3
"""So many negative feedbacks of a day are remembered by each counter: an item below 1 KB is the cheapest to write."""

_DAY: Final = "trend#"


class SubjectKind(str, Enum):  # noqa: UP042 - StrEnum is 3.11
    """What feedback can be counted by."""

    PRODUCT = "product"
    CATEGORY = "category"
    CHANNEL = "channel"


@dataclass(frozen=True, kw_only=True, order=True)
class Subject:
    """One product, category or channel."""

    kind: SubjectKind
    name: str

    @property
    def key(self) -> str:
        """The name of its counters among those of a day."""
        return f"{self.kind.value}#{self.name}"

    @classmethod
    def from_key(cls, key: str) -> "Subject":
        """The subject of :attr:`key`; ValueError for anything else."""
        kind, separator, name = key.partition("#")
        if not separator or not name:
            raise ValueError("a subject's key is kind#name")
        return cls(kind=SubjectKind(kind), name=name)


@dataclass(frozen=True, kw_only=True, order=True)
class Place:
    """The counters that a feedback belongs to: those of one subject on one day."""

    day: str
    subject: Subject

    @property
    def partition(self) -> str:
        """What the counters of a day have in common."""
        return partition_of(self.day)


@dataclass(frozen=True, kw_only=True)
class HourCounts:
    """Feedback of one hour by label."""

    counts: Mapping[str, int]

    @property
    def judged(self) -> int:
        """Feedback with a sentiment: what an unsure model says is no evidence for or against a product."""
        return sum(self.counts.get(label, 0) for label in LABELS)

    @property
    def negatives(self) -> int:
        """How many of the judged are negative."""
        return self.counts.get(Sentiment.NEGATIVE.label, 0)


@dataclass(frozen=True, kw_only=True)
class DayCounts:
    """The counters of one subject on one day; hours without feedback are absent. ``examples`` are ids of negatives."""

    day: str
    subject: Subject
    hours: Mapping[int, HourCounts] = field(default_factory=dict)
    examples: tuple[str, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """The whole day by label."""
        return {label: sum(hour.counts.get(label, 0) for hour in self.hours.values()) for label in COUNTED_LABELS}

    @property
    def judged(self) -> int:
        """Feedback of the day with a sentiment."""
        return sum(hour.judged for hour in self.hours.values())

    @property
    def negatives(self) -> int:
        """Negative feedback of the day."""
        return sum(hour.negatives for hour in self.hours.values())

    @classmethod
    def from_document(cls, place: Place, document: Mapping[str, Any]) -> "DayCounts":
        """The counters in a stored item; attributes that are no counter are passed over."""
        hours: dict[int, dict[str, int]] = {}
        for name, value in document.items():
            hour, _, label = name.partition("_")
            if label in COUNTED_LABELS and hour.isdecimal() and int(hour) in HOURS and value > 0:
                hours.setdefault(int(hour), {})[label] = int(value)
        examples = [document[name] for name in map(_example_name, range(EXAMPLE_SLOTS)) if name in document]
        return cls(
            day=place.day,
            subject=place.subject,
            hours={hour: HourCounts(counts=counts) for hour, counts in sorted(hours.items())},
            examples=tuple(examples),
        )


def partition_of(day: str) -> str:
    """Where all counters of a day lie, so that one query reads them."""
    return f"{_DAY}{day}"


def places_of(event: FeedbackEvent) -> Iterator[Place]:
    """Where a feedback counts."""
    names = {
        SubjectKind.PRODUCT: event.product_id,
        SubjectKind.CATEGORY: event.category,
        SubjectKind.CHANNEL: event.channel,
    }
    for kind, name in names.items():
        if name:
            yield Place(day=day_of(event), subject=Subject(kind=kind, name=name))


def day_of(event: FeedbackEvent) -> str:
    """The day of receipt, UTC."""
    return event.received_at[:10]


def counter_name(event: FeedbackEvent, label: str) -> str:
    """The attribute that counts this label in the feedback's hour, for instance ``09_negative``."""
    return f"{event.received_at[11:13]}_{label}"


def example_name(event: FeedbackEvent) -> str:
    """The attribute in which a negative feedback stands as an example, until a later one of the day replaces it."""
    return _example_name(crc32(event.id.encode("utf-8")) % EXAMPLE_SLOTS)


def _example_name(slot: int) -> str:
    return f"example{slot}"
