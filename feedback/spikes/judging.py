"""Decides over all products at once which are in trouble: false alarms and false discoveries are bounded.

Evidence of 1,000 products is high somewhere by chance. One product is in trouble where its evidence reaches the
patience: the hours of products with feedback in a month, divided by the false alarms that one accepts in a month. Where
many are in trouble at once, less is enough: the k strongest, if the k-th reaches the patience for
``FALSE_DISCOVERIES * k`` false alarms (e-BH on e-detectors: https://arxiv.org/abs/2501.04130). A trouble stays open
until most evidence is gone, so that one trouble is one alert. It does not know where evidence comes from.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

FALSE_ALARMS_PER_MONTH: Final = 1.0
FALSE_DISCOVERIES: Final = 0.1
"""The share of false alarms among products that are in trouble at once."""
CALM: Final = 0.5
"""Evidence below this part of the threshold ends a trouble."""

_DAYS_PER_MONTH: Final = 30.0
_LEAST_BUSY_HOURS: Final = 300.0


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The products whose trouble begins and ends now; ``threshold`` is what evidence had to reach."""

    opened: frozenset[str]
    closed: frozenset[str]
    threshold: float


def patience(busy_hours_per_day: float) -> float:
    """What evidence has to reach for one false alarm in a month, as a logarithm."""
    return math.log(max(busy_hours_per_day * _DAYS_PER_MONTH, _LEAST_BUSY_HOURS))


def threshold(strengths: Iterable[float], *, log_patience: float) -> float:
    """What evidence has to reach in this company."""
    accepted = FALSE_ALARMS_PER_MONTH
    for rank, strength in enumerate(sorted(strengths, reverse=True), start=1):
        if strength + math.log(FALSE_DISCOVERIES * rank) >= log_patience:
            accepted = max(accepted, FALSE_DISCOVERIES * rank)
    return log_patience - math.log(accepted)


def judge(strengths: Mapping[str, float], *, in_trouble: Iterable[str], log_patience: float) -> Verdict:
    """The verdict over all products with evidence; a product without any is calm."""
    known = frozenset(in_trouble)
    needed = threshold(strengths.values(), log_patience=log_patience)
    return Verdict(
        opened=frozenset(product for product, strength in strengths.items() if strength >= needed) - known,
        closed=frozenset(product for product in known if strengths.get(product, 0.0) < CALM * needed),
        threshold=needed,
    )
