"""How differently two models answer the same texts, and how much of that is more than chance.

Shares and shifts come as lower bounds: at least so much, with 99 % confidence, so that a handful of texts proves
nothing and a few hundred prove what matters. It does not know which model is the newer one, how they were asked, nor
which difference is too much.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_CONFIDENT: Final = 2.326  # one-sided 99 % quantile of the normal distribution
_EXACT_PAIRS: Final = 1000


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """Of ``total`` texts, how many only the first and only the second model answered in the way that is looked at."""

    total: int
    only_first: int
    only_second: int

    @classmethod
    def of(cls, first: Sequence[bool], second: Sequence[bool]) -> "Pairs":
        """Count two equally long rows of claims about the same texts."""
        both = list(zip(first, second, strict=True))
        return cls(
            total=len(both),
            only_first=sum(one and not other for one, other in both),
            only_second=sum(other and not one for one, other in both),
        )

    @property
    def shift(self) -> float:
        """How much larger the second model's share is; negative where it is smaller."""
        return (self.only_second - self.only_first) / self.total if self.total else 0.0

    def gain_at_least(self) -> float:
        """A lower bound of the shift upwards, 0 where there may be none.

        Bonett and Price's interval for the difference of two paired proportions (2012), which holds for small samples.
        """
        first = (self.only_first + 1) / (self.total + 2)
        second = (self.only_second + 1) / (self.total + 2)
        error = math.sqrt((first + second - (second - first) ** 2) / (self.total + 2))
        return max(0.0, second - first - _CONFIDENT * error)

    def loss_at_least(self) -> float:
        """A lower bound of the shift downwards, as a positive number."""
        return Pairs(total=self.total, only_first=self.only_second, only_second=self.only_first).gain_at_least()

    def shift_at_least(self) -> float:
        """A lower bound of the shift in either direction."""
        return max(self.gain_at_least(), self.loss_at_least())

    def p_value(self) -> float:
        """McNemar's test: how likely so uneven a split is between two equally good models; exact up to 1,000 pairs."""
        smaller, pairs = min(self.only_first, self.only_second), self.only_first + self.only_second
        if pairs == 0:
            return 1.0
        if pairs > _EXACT_PAIRS:
            distance = max(0.0, abs(self.only_first - self.only_second) - 1.0)
            return math.erfc(math.sqrt(distance**2 / pairs / 2))
        tail = sum(math.comb(pairs, count) for count in range(smaller + 1))
        return min(1.0, float(2 * tail / 2**pairs))


def share_at_least(count: int, total: int) -> float:
    """A lower bound of the share behind ``count`` of ``total``, by Wilson's interval; 0 of nothing."""
    if total == 0:
        return 0.0
    share, squared = count / total, _CONFIDENT**2
    middle = share + squared / (2 * total)
    width = _CONFIDENT * math.sqrt(share * (1 - share) / total + squared / (4 * total**2))
    return max(0.0, (middle - width) / (1 + squared / total))


def confusion(first: Sequence[str], second: Sequence[str], labels: Sequence[str]) -> list[list[int]]:
    """How often the first model said the row's label and the second the column's."""
    place = {label: position for position, label in enumerate(labels)}
    table = [[0] * len(labels) for _ in labels]
    for one, other in zip(first, second, strict=True):
        table[place[one]][place[other]] += 1
    return table
