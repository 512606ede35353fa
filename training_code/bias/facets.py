"""Which facets of a data set can be looked at, and under which values.

A facet is a column that says whom or what a feedback is about: category, channel, age band, length. Values with few
rows are pooled, since a difference between a handful of rows and the rest says nothing. Knows nothing of Clarify's
files or of metrics.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

LEAST_ROWS: Final = 30
"""A value with fewer rows is part of `OTHER`."""
MOST_VALUES: Final = 20
"""The most frequent values that stay apart."""
UNKNOWN: Final = "unknown"
OTHER: Final = "other"
LENGTH: Final = "length"
HALF: Final = "half"
"""The facet of last resort, which means nothing: half of the rows, by a hash of their id."""
RECORDED: Final = ("category", "channel", "age_band")
"""Facets that come with a feedback, as the columns of the features are called."""

_LENGTH_LIMITS = ((20, "1-20 words"), (60, "21-60 words"))
_LONGEST = "over 60 words"
_READ_AS_MISSING = frozenset({"na", "n/a", "nan", "nat", "null", "none", "#n/a", "<na>", "-nan", "true", "false"})


def length_band(words: int) -> str:
    """The facet `length` of a text with so many words. The bands are fixed, so that runs can be compared."""
    return next((name for limit, name in _LENGTH_LIMITS if words <= limit), _LONGEST)


def half(text_id: str) -> str:
    """One of two halves of all texts, of which nothing is known but that they are equally large."""
    return ("first half", "second half")[hashlib.sha256(text_id.encode()).digest()[0] & 1]


@dataclass(frozen=True, kw_only=True)
class Facet:
    """A usable facet: its name and the values that stay apart."""

    name: str
    kept: frozenset[str]

    def value(self, recorded: str | None) -> str:
        """The value that a row has in the analysis: its own, `OTHER` or `UNKNOWN`."""
        clean = _clean(recorded)
        if clean is None:
            return UNKNOWN
        return _told_apart(self.name, clean) if clean in self.kept else OTHER


def usable(name: str, counts: Mapping[str | None, int]) -> Facet | None:
    """The facet, or None where fewer than two values have rows enough: a constant column cannot be compared."""
    clean: Counter[str] = Counter()
    for recorded, rows in counts.items():
        value = _clean(recorded)
        if value is not None:
            clean[value] += rows
    frequent = sorted(
        (value for value in clean if clean[value] >= LEAST_ROWS), key=lambda value: (-clean[value], value)
    )
    kept = frozenset(frequent[:MOST_VALUES])
    pooled = sum(rows for value, rows in clean.items() if value not in kept)
    if len(kept) + (pooled >= LEAST_ROWS) < 2 or not kept:
        return None
    return Facet(name=name, kept=kept)


def _clean(recorded: str | None) -> str | None:
    if recorded is None:
        return None
    return " ".join(recorded.split()) or None


def _told_apart(facet: str, value: str) -> str:
    """The value as text that a reader of CSV takes neither for a number, nor for a missing value, nor for a pool."""
    if value.lower() in _READ_AS_MISSING or value in (OTHER, UNKNOWN) or _is_number(value):
        return f"{facet} {value}"
    return value


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True
