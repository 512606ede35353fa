"""The detector over all products of a shop at once: `feedback.spikes` on arrays.

Prior, season and threshold are the product's own code; the evidence and the learning of each product are written again
in numpy, which `tests/unit/benchmarks/test_spikes.py` holds to the same figures. It looks every quarter of an hour.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from benchmarks.spikes.shop import QUARTERS, Counts, Day, Floats
from feedback.spikes import baseline, judging
from feedback.spikes.evidence import LIMIT, RATIOS
from feedback.spikes.fading import HALF_LIFE_DAYS
from feedback.spikes.season import Season
from feedback.spikes.watch import LEARN_AFTER_DAYS, NEW_NORMAL_DAYS
from feedback.trends import DayCounts, HourCounts, Subject, SubjectKind

MONDAY = date(2026, 1, 5)
PER_HOUR = QUARTERS // 24
SETTLED_AFTER_DAYS = 2

_SHOP = Subject(kind=SubjectKind.CHANNEL, name="all")
_RANKED = 200  # of so many products the strongest evidence is ranked, which is quicker than of all
_FADE = 0.5 ** (1.0 / HALF_LIFE_DAYS)


class Detector:
    """The state of every product, by position."""

    def __init__(self, products: int) -> None:
        self.judged = np.zeros(products)
        self.negatives = np.zeros(products)
        self.evidence = np.zeros((len(RATIOS), products))
        self.opened_on = np.full(products, -1)
        self.season = Season(through=_iso(-1))
        self.alarms: list[tuple[int, int]] = []  # quarter since the first day, product
        self._waiting: list[tuple[Counts, Counts]] = []
        self._unsettled: list[DayCounts] = []
        self._busy: list[int] = []

    def watch(self, day: Day) -> None:
        """One whole day, a look every quarter of an hour."""
        self._learn()
        prior = baseline.fit_prior(zip(self.judged.tolist(), self.negatives.tolist(), strict=True))
        usual = usual_shares(prior, self.judged, self.negatives)
        patience = judging.patience(self.season.busy_hours_per_day)
        for hour in range(24):
            start = hour * PER_HOUR
            at_hour = np.clip(
                _shifted(usual, self.season.offset(_iso(day.number), hour)),
                baseline.LOWEST_SHARE,
                baseline.HIGHEST_SHARE,
            )
            ratios = log_ratios(at_hour)
            judged = np.zeros(len(usual), dtype=np.int64)
            negatives = np.zeros(len(usual), dtype=np.int64)
            evidence = self.evidence
            for quarter in range(start, start + PER_HOUR):
                judged += day.judged[quarter]
                negatives += day.negatives[quarter]
                evidence = weighed(self.evidence, judged, negatives, ratios)
                self._judge(evidence, patience, day.number * QUARTERS + quarter)
            self.evidence = evidence
        self._end(day)

    def _judge(self, evidence: Floats, patience: float, moment: int) -> None:
        strengths = strength(evidence)
        open_ = self.opened_on >= 0
        strongest = np.sort(strengths)[-_RANKED:]
        needed = judging.threshold(strongest.tolist(), log_patience=patience)
        for product in np.flatnonzero((strengths >= needed) & ~open_):
            self.opened_on[product] = moment // QUARTERS
            self.alarms.append((moment, int(product)))
            for judged, negatives in self._waiting:
                judged[product] = negatives[product] = 0
        for product in np.flatnonzero((strengths < judging.CALM * needed) & open_):
            self.opened_on[product] = -1
            for judged, negatives in self._waiting:
                judged[product] = negatives[product] = 0

    def _learn(self) -> None:
        """The day that is a week old by now; in trouble it is only let go."""
        self.judged *= _FADE
        self.negatives *= _FADE
        if len(self._waiting) == LEARN_AFTER_DAYS:
            judged, negatives = self._waiting.pop(0)
            calm = self.opened_on < 0
            self.judged[calm] += judged[calm]
            self.negatives[calm] += negatives[calm]

    def _end(self, day: Day) -> None:
        lasting = (self.opened_on >= 0) & (day.number - self.opened_on >= NEW_NORMAL_DAYS)
        self._waiting.append((day.judged.sum(axis=0), day.negatives.sum(axis=0)))
        for product in np.flatnonzero(lasting):
            self.judged[product] = sum(judged[product] for judged, _ in self._waiting)
            self.negatives[product] = sum(negatives[product] for _, negatives in self._waiting)
            self.evidence[:, product] = 0.0
            self.opened_on[product] = -1
        hours = day.judged.reshape(24, PER_HOUR, -1).sum(axis=1)
        negative_hours = day.negatives.reshape(24, PER_HOUR, -1).sum(axis=1)
        self._unsettled.append(_day_counts(day.number, hours.sum(axis=1), negative_hours.sum(axis=1)))
        self._busy.append(int((hours > 0).sum()))
        if len(self._unsettled) == SETTLED_AFTER_DAYS:
            counts = self._unsettled.pop(0)
            self.season = self.season.after(counts.day, channels=[counts], busy_hours=self._busy.pop(0))


def usual_shares(prior: baseline.Prior, judged: Floats, negatives: Floats) -> Floats:
    """`Prior.usual` of every product."""
    weight = prior.strength + judged
    mean = (prior.strength * prior.share + negatives) / weight
    doubt = np.sqrt(mean * (1.0 - mean) / (weight + 1.0))
    return np.clip(mean + baseline.DOUBTS * doubt, baseline.LOWEST_SHARE, baseline.HIGHEST_SHARE)


def log_ratios(usual: Floats) -> list[tuple[Floats, Floats]]:
    """What one negative and one other feedback add, for each alternative."""
    raised = [np.minimum(usual * ratio, 1.0 - (1.0 - usual) / ratio) for ratio in RATIOS]
    return [(np.log(one / usual), np.log((1.0 - one) / (1.0 - usual))) for one in raised]


def weighed(evidence: Floats, judged: Counts, negatives: Counts, ratios: list[tuple[Floats, Floats]]) -> Floats:
    """`evidence.weighed` of every product; without feedback nothing changes."""
    after = np.stack(
        [
            np.logaddexp(0.0, before + negatives * negative + (judged - negatives) * other)
            for before, (negative, other) in zip(evidence, ratios, strict=True)
        ]
    )
    return np.where(judged > 0, np.minimum(LIMIT, after), evidence)


def strength(evidence: Floats) -> Floats:
    """`evidence.strength` of every product."""
    total: Floats = np.logaddexp.reduce(evidence, axis=0) - np.log(len(RATIOS))
    return total


def _shifted(shares: Floats, offset: float) -> npt.NDArray[np.float64]:
    return 1.0 / (1.0 + np.exp(-(np.log(shares / (1.0 - shares)) + offset)))


def _iso(day: int) -> str:
    return (MONDAY + timedelta(days=day)).isoformat()


def _day_counts(day: int, judged: Counts, negatives: Counts) -> DayCounts:
    hours = {
        hour: HourCounts(counts={"negative": int(bad), "positive": int(all_ - bad)})
        for hour, (all_, bad) in enumerate(zip(judged, negatives, strict=True))
        if all_
    }
    return DayCounts(day=_iso(day), subject=_SHOP, hours=hours)
