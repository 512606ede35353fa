"""A place in a text that holds something personal or secret, and how what stands around it is read."""

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

FOUND: Final = "\x00"
"""Stands for each character of an earlier finding: part of no word, so that no later one grows into it."""


HAS_DIGIT: Final = re.compile(r"\d")
"""Most texts have none, and then nothing made of numbers is to be looked for."""

HAS_NUMBER: Final = re.compile(r"\d(?:\D{0,3}\d){5}")
"""Six digits near each other: no account and no number that a state gives has fewer."""


class Finding(NamedTuple):
    """Characters ``start`` to ``end`` are of this kind, which is also what the placeholder says."""

    kind: str
    start: int
    end: int


def whole(kind: str, pattern: re.Pattern[str], text: str) -> Iterator[Finding]:
    """Each match, or of a pattern with a group `found` only that group."""
    group = "found" if "found" in pattern.groupindex else 0
    for match in pattern.finditer(text):
        yield Finding(kind, *match.span(group))


def in_order(findings: Iterable[Finding]) -> Iterator[Finding]:
    """The findings in the order in which they stand; of those that overlap the first, of two that begin together the
    longer."""
    end = 0
    for finding in sorted(findings, key=lambda each: (each.start, -each.end)):
        if finding.start >= end:
            end = finding.end
            yield finding


def ends_with(pattern: re.Pattern[str], text: str, end: int, *, window: int = 48) -> bool:
    """Whether the characters just before ``end`` fit the pattern, which is to end in `\\Z`."""
    return pattern.search(text, max(0, end - window), end) is not None
