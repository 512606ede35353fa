"""One look at all products: settles the days that are over, weighs what came since, and opens and ends troubles.

A day is settled when it is two days old: until then late decisions and corrections still move its counters, and every
look weighs it anew. What is kept is a function of the counters, so that a look that is repeated, or was cut off, comes
to the same. It does not know the desk's items nor the queue's messages.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Final, Protocol

from feedback.alerting.messages import ProductMessage
from feedback.spikes import judging
from feedback.spikes.baseline import Prior, fit_prior
from feedback.spikes.fading import days_after, days_between
from feedback.spikes.season import Season
from feedback.spikes.watch import NEW_NORMAL_DAYS, Trouble, Watch
from feedback.trends import DayCounts, SubjectKind
from lambdas.aws.counters import Counters
from lambdas.spikes.explaining import Explaining, Shop
from lambdas.spikes.records import Records

SETTLED_AFTER_DAYS: Final = 2
HISTORY_DAYS: Final = 35
"""So many days are caught up with, at the first look and after a pause."""


class Telling(Protocol):
    """What a look asks of the alert queue."""

    def send(self, messages: Sequence[ProductMessage]) -> Sequence[object]:
        """Queue the messages; those that could not be queued come back."""


@dataclass
class Tally:
    """What a look came to."""

    products: int = 0
    opened: int = 0
    closed: int = 0
    told: int = 0
    untold: int = 0


@dataclass(frozen=True, kw_only=True)
class Watching:
    """The use case with its collaborators."""

    counters: Counters
    records: Records
    explaining: Explaining
    alerts: Telling
    now: Callable[[], datetime]

    def look(self) -> Tally:
        """Look once. A trouble is written down before it is told, and told again until that is written down too."""
        today = self.now().date()
        watches = self.records.watches()
        season = self._settle(watches, today)
        shop = Shop(today=today.isoformat(), season=season, prior=_prior(watches))
        current = self._current(watches, shop)
        tally = Tally(products=len(current))
        self._judge(watches, current, shop, tally)
        for product, watch in sorted(watches.items()):
            if watch.trouble is not None and not watch.trouble.told:
                self._tell(product, watch, watch.trouble, shop, tally)
        return tally

    def _settle(self, watches: dict[str, Watch], today: date) -> Season:
        """Put the days that are over into the watches and the season, both on the desk and in ``watches``.

        The season is written last: where that fails, the watches know by themselves which days they have.
        """
        season = self.records.season()
        if season is None:
            season = Season(through=(today - timedelta(days=HISTORY_DAYS + 1)).isoformat())
        last = (today - timedelta(days=SETTLED_AFTER_DAYS)).isoformat()
        settled: set[str] = set()
        through = season.through
        for day in days_after(max(through, (today - timedelta(days=HISTORY_DAYS + 1)).isoformat()), last):
            counts = self.counters.day(day)
            products = _of(SubjectKind.PRODUCT, counts)
            prior = _prior(watches)
            for product in products:
                watch = watches.get(product.subject.name, Watch(through=through))
                if watch.through < day:
                    watches[product.subject.name] = watch.after(product, prior=prior, season=season)
                    settled.add(product.subject.name)
            season = season.after(
                day,
                channels=_of(SubjectKind.CHANNEL, counts),
                busy_hours=sum(hour.judged > 0 for product in products for hour in product.hours.values()),
            )
        for name in sorted(settled):
            self.records.keep_watch(name, watches[name])
        if season.through != through:
            self.records.keep_season(season)
        return season

    def _current(self, watches: Mapping[str, Watch], shop: Shop) -> dict[str, Watch]:
        """The watches with the days that are not settled yet."""
        current = dict(watches)
        for day in days_after(shop.season.through, shop.today):
            for product in _of(SubjectKind.PRODUCT, self.counters.day(day)):
                name = product.subject.name
                watch = current.get(name, Watch(through=shop.season.through))
                if watch.through < day:
                    current[name] = watch.after(product, prior=shop.prior, season=shop.season)
        return current

    def _judge(self, watches: dict[str, Watch], current: Mapping[str, Watch], shop: Shop, tally: Tally) -> None:
        """Open and end troubles, both on the desk and in ``watches``."""
        troubles = {product: watch.trouble for product, watch in watches.items() if watch.trouble is not None}
        verdict = judging.judge(
            {product: watch.strength for product, watch in current.items()},
            in_trouble=troubles,
            log_patience=judging.patience(shop.season.busy_hours_per_day),
        )
        changed: dict[str, Watch] = {}
        for product in sorted(verdict.opened):
            watch = watches.get(product, Watch(through=shop.season.through))
            changed[product] = watch.in_trouble(Trouble(id=_id(product, shop.today), opened_on=shop.today))
        for product, trouble in troubles.items():
            if product in verdict.closed:
                changed[product] = watches[product].calm()
            elif days_between(trouble.opened_on, shop.today) >= NEW_NORMAL_DAYS:
                changed[product] = watches[product].calm(as_usual=True)
        for product, watch in changed.items():
            self.records.keep_watch(product, watch)
        watches.update(changed)
        tally.opened = len(verdict.opened)
        tally.closed = len(changed) - tally.opened

    def _tell(self, product: str, watch: Watch, trouble: Trouble, shop: Shop, tally: Tally) -> None:
        if self.alerts.send([self.explaining.message(product, watch, trouble, shop)]):
            tally.untold += 1
            return
        self.records.keep_watch(product, replace(watch, trouble=replace(trouble, told=True)))
        tally.told += 1


def _of(kind: SubjectKind, counts: Iterable[DayCounts]) -> list[DayCounts]:
    return [each for each in counts if each.subject.kind is kind]


def _prior(watches: Mapping[str, Watch]) -> Prior:
    return fit_prior((watch.judged, watch.negatives) for watch in watches.values())


def _id(product: str, day: str) -> str:
    """Equal for a trouble that ends and begins again on the same day: it is told once."""
    return "spike-" + sha256(f"{product}\n{day}".encode()).hexdigest()[:16]
