"""What share of negatives is usual for a product, of which little may be known.

Products are alike but not equal: their shares are taken as drawn from one beta distribution, whose mean and spread are
estimated from all of them (empirical Bayes). A product with little feedback is close to that mean, one with much is by
itself. Against what is not known the product gets the benefit of the doubt: usual is the mean of its own distribution
plus ``DOUBTS`` standard deviations. It does not know hours, and nothing of evidence.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

DOUBTS: Final = 1.25
LOWEST_SHARE: Final = 0.01
HIGHEST_SHARE: Final = 0.9

_WEIGHT_LIMIT: Final = 50.0  # so that a few large products do not speak for all
_STRENGTH_LIMITS: Final = (5.0, 400.0)


@dataclass(frozen=True, kw_only=True)
class Prior:
    """What is known of a product before its first feedback: a beta distribution of ``strength`` imagined feedbacks."""

    share: float
    strength: float

    def mean(self, *, judged: float, negatives: float) -> float:
        """The likeliest share of a product of which so many feedbacks are known."""
        return (self.strength * self.share + negatives) / (self.strength + judged)

    def usual(self, *, judged: float, negatives: float) -> float:
        """The share to measure such a product against."""
        mean = self.mean(judged=judged, negatives=negatives)
        doubt = math.sqrt(mean * (1.0 - mean) / (self.strength + judged + 1.0))
        return min(max(mean + DOUBTS * doubt, LOWEST_SHARE), HIGHEST_SHARE)


UNKNOWN: Final = Prior(share=0.2, strength=10.0)
"""Where there is no history at all."""


def fit_prior(products: Iterable[tuple[float, float]]) -> Prior:
    """The prior from (judged, negatives) of all products, by moments of the beta-binomial (Kleinman, 1973)."""
    known = [(judged, negatives) for judged, negatives in products if judged >= 1.0]
    weights = [min(judged, _WEIGHT_LIMIT) for judged, _ in known]
    total = sum(weights)
    if len(known) < 2 or total < UNKNOWN.strength:
        return UNKNOWN
    share = sum(weight * negatives / judged for weight, (judged, negatives) in zip(weights, known, strict=True)) / total
    share = min(max(share, LOWEST_SHARE), HIGHEST_SHARE)
    spread = sum(
        weight * (negatives / judged - share) ** 2 for weight, (judged, negatives) in zip(weights, known, strict=True)
    )
    own = [weight * (1.0 - weight / total) for weight in weights]
    chance = sum(one / judged for one, (judged, _) in zip(own, known, strict=True))
    variance = share * (1.0 - share)
    correlation = (spread - variance * chance) / (variance * (sum(own) - chance)) if sum(own) > chance else 0.0
    low, high = _STRENGTH_LIMITS
    strength = high if correlation <= 1.0 / (high + 1.0) else max(low, 1.0 / correlation - 1.0)
    return Prior(share=share, strength=strength)
