"""Reads figures out of the reports of a run, strictly: a gate that guesses what a report means is none.

It does not know which reports there are.
"""

import math
from collections.abc import Mapping
from typing import Any, Final

from feedback.strict_json import BrokenJsonError, parse

Document = Mapping[str, Any]

SIZE_LIMIT_BYTES: Final = 8 * 1024 * 1024

_LONGEST_TEXT: Final = 300


class UnreadableReportError(ValueError):
    """A report is not what the gate can judge; the message is one sentence and says which and why."""


def document_of(body: bytes, *, report: str) -> Document:
    """The object in ``body``; ``report`` is what sentences call it."""
    try:
        found = parse(body.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise UnreadableReportError(f"The {report} is not UTF-8.") from error
    except BrokenJsonError as error:
        raise UnreadableReportError(f"The {report} cannot be read. {error}") from error
    if not isinstance(found, dict):
        raise UnreadableReportError(f"The {report} is no object.")
    return found


def number(document: Document, name: str, *, report: str, low: float = 0.0, high: float = 1.0) -> float:
    """A finite number from ``low`` to ``high``."""
    value = document.get(name)
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and low <= value <= high:
        return float(value)
    raise UnreadableReportError(f"The {report} states no usable {name}.")


def rows(document: Document, *, report: str) -> int:
    """How many rows a figure was counted from, at least none."""
    value = document.get("rows")
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise UnreadableReportError(f"The {report} states no usable rows.")


def text(document: Document, name: str, *, report: str) -> str:
    """A name or a sentence: printable, and cut where it is long, since it goes on into sentences."""
    value = document.get(name)
    if not isinstance(value, str) or not value:
        raise UnreadableReportError(f"The {report} states no usable {name}.")
    return "".join(letter if letter.isprintable() else " " for letter in value[:_LONGEST_TEXT])


def part(document: Document, name: str, *, report: str) -> Document | None:
    """An object within the document, or None where it is null; it must be there."""
    if name in document:
        value = document[name]
        if value is None or isinstance(value, dict):
            return value
    raise UnreadableReportError(f"The {report} states no usable {name}.")
