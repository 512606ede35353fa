"""A simulated shop: how much feedback its products get in every quarter of an hour, and how much of it is negative.

Volumes are skewed (Zipf's law), follow the hour and the weekday, and come by chance. The share of negatives differs
from product to product, follows hour and weekday, drifts, and has days that are bad for the whole shop. Some products
run into trouble: their share is tripled for two weeks. It does not know the detector.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

QUARTERS = 96
HIGHEST_SHARE = 0.95

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Shop:
    """What a shop is like. About ``troubles`` products, spread evenly over ranks of volume, have one trouble each."""

    products: int = 1000
    feedbacks_per_day: float = 5000.0
    skew: float = 1.0
    share: float = 0.2
    share_strength: float = 30.0
    warm_up_days: int = 30
    days: int = 90
    troubles: int = 0
    trouble_days: int = 14
    ratio: float = 3.0
    hour_swing: float = 0.3
    weekday_swing: float = 0.2
    drift_per_month: float = 0.15
    bad_days: float = 0.1


@dataclass(frozen=True, kw_only=True)
class Day:
    """Feedback of one day by quarter of an hour and product."""

    number: int
    judged: Counts
    negatives: Counts


class Simulation:
    """One shop with its own chance. ``shares`` are the products' own before any drift, ``onset`` is the quarter of an
    hour (from the first day on) in which a product's trouble begins, or -1."""

    def __init__(self, shop: Shop, seed: int) -> None:
        self.shop = shop
        self._random = np.random.default_rng(seed)
        weights = 1.0 / np.arange(1, shop.products + 1) ** shop.skew
        self.volumes: Floats = shop.feedbacks_per_day * weights / weights.sum()
        strength = shop.share_strength
        shares = self._random.beta(strength * shop.share, strength * (1.0 - shop.share), shop.products)
        self.shares: Floats = np.clip(shares, 0.01, 0.9)
        self._odds = _log_odds(self.shares)
        self.onset = self._onsets()

    @property
    def total_days(self) -> int:
        return self.shop.warm_up_days + self.shop.days

    def run(self) -> Iterator[Day]:
        """The days, one after the other."""
        shop, random = self.shop, self._random
        quarters = np.arange(QUARTERS)
        traffic = 1.0 + 0.8 * np.sin((quarters / QUARTERS - 0.45) * 2 * np.pi)
        hours = shop.hour_swing * np.cos((quarters / QUARTERS - 0.05) * 2 * np.pi)
        for number in range(self.total_days):
            weekday = number % 7
            busy = 1.25 if weekday >= 5 else 0.9
            rates = np.outer(traffic * busy / QUARTERS, self.volumes)
            self._odds = self._odds + random.normal(0.0, shop.drift_per_month / 30**0.5, shop.products)
            whole_shop = shop.weekday_swing * (weekday in (0, 1)) + random.normal(0.0, shop.bad_days)
            shares = _share(self._odds[None, :] + hours[:, None] + whole_shop)
            shares = np.where(self._troubled(number), np.minimum(shares * shop.ratio, HIGHEST_SHARE), shares)
            judged = random.poisson(rates)
            yield Day(number=number, judged=judged, negatives=random.binomial(judged, shares))

    def _onsets(self) -> Counts:
        """Troubles begin after the warm-up, early enough to be over at the end, in products of all volumes alike."""
        shop = self.shop
        onset = np.full(shop.products, -1, dtype=np.int64)
        if shop.troubles:
            chosen = np.unique(np.geomspace(1, shop.products, shop.troubles).round().astype(np.int64) - 1)
            first = shop.warm_up_days * QUARTERS
            last = (self.total_days - shop.trouble_days) * QUARTERS
            onset[chosen] = self._random.integers(first, last, len(chosen))
        return onset

    def _troubled(self, day: int) -> npt.NDArray[np.bool_]:
        quarters = day * QUARTERS + np.arange(QUARTERS)[:, None]
        end = self.onset + self.shop.trouble_days * QUARTERS
        return (self.onset[None, :] >= 0) & (quarters >= self.onset) & (quarters < end)


def _log_odds(share: Floats) -> Floats:
    return np.log(share / (1.0 - share))


def _share(odds: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(-odds))
