"""How much an artifact may hold. Knows no format."""

from __future__ import annotations

from dataclasses import dataclass

MEBIBYTE = 1024**2
GIBIBYTE = 1024**3


@dataclass(frozen=True)
class Limits:
    """Refused is what goes beyond any of these. What is held in memory meanwhile is at most `document_bytes` and a bit.

    `expansion` is how many times larger than its compressed bytes an archive may grow, past its first
    `free_bytes`: text shrinks ten times, weights hardly, a bomb a thousand times. `seconds` is for the whole
    inspection, so that a slow or a hostile source cannot hold a function until AWS ends it without a word.
    """

    members: int = 10_000
    member_bytes: int = 4 * GIBIBYTE
    total_bytes: int = 8 * GIBIBYTE
    document_bytes: int = 32 * MEBIBYTE
    expansion: int = 100
    free_bytes: int = 64 * MEBIBYTE
    name_bytes: int = 1024
    depth: int = 32
    seconds: float = 600.0


DEFAULT_LIMITS = Limits()
