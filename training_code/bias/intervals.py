"""How sure a difference between two shares is, given how many rows each was counted from.

Newcombe's interval from two Wilson intervals: it holds for few rows and for shares near 0 and 1, where the usual one
does not. R. G. Newcombe, Statistics in Medicine 17 (1998), method 10. Knows nothing of facets.
"""

from __future__ import annotations

import math
from statistics import NormalDist

CONFIDENCE = 0.95


def share_interval(hits: int, rows: int, *, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Wilson's interval of a share; everything is possible where there is no row."""
    if rows == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = hits / rows
    middle = share + z * z / (2 * rows)
    spread = z * math.sqrt(share * (1 - share) / rows + z * z / (4 * rows * rows))
    whole = 1 + z * z / rows
    return max(0.0, (middle - spread) / whole), min(1.0, (middle + spread) / whole)


def difference_interval(
    first: tuple[int, int], second: tuple[int, int], *, confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """Of the first share minus the second, each given as (hits, rows)."""
    p, q = (hits / rows if rows else 0.5 for hits, rows in (first, second))
    p_low, p_high = share_interval(*first, confidence=confidence)
    q_low, q_high = share_interval(*second, confidence=confidence)
    return (
        max(-1.0, p - q - math.hypot(p - p_low, q_high - q)),
        min(1.0, p - q + math.hypot(p_high - p, q - q_low)),
    )
