"""How strongly counts say that a share of negatives has risen, however often one looks.

For each alternative (the share doubled, or tripled) a Shiryaev-Roberts statistic is kept: hour by hour
``R = (R + 1) * likelihood ratio``, a sum over all hours in which the change may have begun. While the share is at most
the usual one, the expectation of R is at most the number of hours with feedback, whenever one stops to look; so a
threshold of c is reached after at least c such hours in the mean. That needs no correction for looking repeatedly.
Kept as ``log(1 + R)``, which is 0 at the start and never overflows. (E-detectors: https://arxiv.org/abs/2203.03532)

It does not know products, hours or thresholds.
"""

import math
from typing import Final

RATIOS: Final = (2.0, 3.0)
LIMIT: Final = 20.0
"""Evidence grows no further, so that a trouble that is over is over soon."""

Evidence = tuple[float, ...]
NO_EVIDENCE: Final[Evidence] = (0.0,) * len(RATIOS)


def weighed(evidence: Evidence, *, judged: int, negatives: int, usual: float) -> Evidence:
    """The evidence after one hour with feedback, of which ``negatives`` were negative where ``usual`` is usual."""
    return tuple(
        min(LIMIT, _log_one_plus_exp(before + log_ratio(judged, negatives, usual, raised_share(usual, ratio))))
        for before, ratio in zip(evidence, RATIOS, strict=True)
    )


def strength(evidence: Evidence) -> float:
    """The evidence over all alternatives, equally likely: the logarithm of its mean. 0 is none."""
    highest = max(evidence)
    return highest + math.log(sum(math.exp(one - highest) for one in evidence) / len(evidence))


def log_ratio(judged: int, negatives: int, usual: float, raised: float) -> float:
    """The logarithm of how much likelier the counts are at the raised share than at the usual one."""
    return negatives * math.log(raised / usual) + (judged - negatives) * math.log((1.0 - raised) / (1.0 - usual))


def raised_share(usual: float, ratio: float) -> float:
    """The share that is ``ratio`` times the usual one; where that is too much, what is not negative shrinks instead."""
    return min(usual * ratio, 1.0 - (1.0 - usual) / ratio)


def _log_one_plus_exp(value: float) -> float:
    return max(value, 0.0) + math.log1p(math.exp(-abs(value)))
