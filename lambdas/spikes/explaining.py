"""Says since when a product is in trouble, how many of how many, what is usual, with examples. It decides nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, Protocol

from feedback.alerting.messages import ProductMessage, Scalar
from feedback.ledger import Entry, MalformedEntryError
from feedback.sentiment import Sentiment
from feedback.spikes.baseline import Prior
from feedback.spikes.fading import days_after
from feedback.spikes.onset import find_onset
from feedback.spikes.season import Season
from feedback.spikes.watch import Trouble, Watch
from feedback.trends import DayCounts, Subject, SubjectKind
from lambdas.aws.counters import Counters
from lambdas.telemetry import log_error

ONSET_DAYS: Final = 14
"""A trouble is looked for no further back."""
EXAMPLES: Final = 5


@dataclass(frozen=True, kw_only=True)
class Shop:
    """What all products are measured by at one look."""

    today: str
    season: Season
    prior: Prior


class Reading(Protocol):
    """What is asked of the ledger."""

    def find_items(self, feedback_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """The stored documents by id."""


@dataclass(frozen=True, kw_only=True)
class Explaining:
    """The use case with its collaborators."""

    counters: Counters
    ledger: Reading

    def message(self, product: str, watch: Watch, trouble: Trouble, shop: Shop) -> ProductMessage:
        """What is told of the trouble. It holds ids of feedback and nothing of what was said."""
        days = self._last_days(product, shop.today)
        onset = find_onset(watch, days, prior=shop.prior, season=shop.season)
        expected = shop.prior.mean(judged=watch.judged, negatives=watch.negatives)
        figures: dict[str, Scalar] = {"expected_share": round(expected, 3)}
        if onset is not None:
            figures |= {
                "negatives": onset.negatives,
                "feedbacks": onset.judged,
                "share": round(onset.negatives / onset.judged, 3),
                "since": onset.since,
            }
            days = [day for day in days if day.day >= onset.since[:10]]
        return ProductMessage(
            id=trouble.id,
            scope={"kind": SubjectKind.PRODUCT.value, "name": product},
            figures=figures,
            examples=self._examples(days),
        )

    def _last_days(self, product: str, today: str) -> list[DayCounts]:
        subject = Subject(kind=SubjectKind.PRODUCT, name=product)
        before = (date.fromisoformat(today) - timedelta(days=ONSET_DAYS)).isoformat()
        days = (self.counters.of(subject, day=day) for day in days_after(before, today))
        return [day for day in days if day is not None]

    def _examples(self, days: Sequence[DayCounts]) -> tuple[str, ...]:
        """Of the newest days, and negative still: a correction moves counters, and leaves the examples."""
        newest_first = sorted(days, key=lambda each: each.day, reverse=True)
        remembered = list(dict.fromkeys(id_ for day in newest_first for id_ in day.examples))
        items = self.ledger.find_items(remembered)
        return tuple(id_ for id_ in remembered if id_ in items and _is_negative(items[id_]))[:EXAMPLES]


def _is_negative(item: Mapping[str, Any]) -> bool:
    try:
        return Entry.from_document(item).effective_sentiment is Sentiment.NEGATIVE
    except MalformedEntryError as error:
        log_error("An example is malformed.", error)
        return False
