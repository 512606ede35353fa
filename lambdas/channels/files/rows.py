"""Rows of any format as feedback: which column is what, and what a row says.

A row is a stranger's. A value that cannot be used where feedback has rules (stars, a language) is left out and counted;
a row without a text is refused. Nothing is run, opened or computed of what a row holds. It does not know file formats.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from feedback.columns import CUSTOMER, SYNONYMS, found_by_name
from lambdas.channels import pseudonym
from lambdas.channels.drop import Dropped

Values = Mapping[str, object]
"""A row: values by canonical column."""

_NAMES: Final = {**SYNONYMS, **CUSTOMER}
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_STARS: Final = re.compile(r"([1-5])(?:\.0+)?")
_REFERENCE_LIMIT: Final = 128
_METADATA_LIMIT: Final = 500
_REFLECTED_LIMIT: Final = 64


@dataclass(frozen=True, kw_only=True)
class BadRow:
    """A row that is no feedback; ``reason`` quotes nothing of it."""

    number: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row by its number, as the file's own program shows it."""

    number: int
    values: Values


def find_columns(header: Sequence[str]) -> dict[str, int]:
    """Canonical column -> place."""
    return found_by_name(header, _NAMES)


def shown_columns(header: Sequence[str], columns: Mapping[str, int]) -> dict[str, str]:
    """Canonical column -> the file's own name for it, as it may be shown: printable ASCII, short."""
    return {
        canonical: "".join(sign if " " <= sign <= "~" else "?" for sign in header[place][:_REFLECTED_LIMIT])
        for canonical, place in columns.items()
    }


def to_document(row: Row, source: Dropped) -> dict[str, Any] | BadRow:
    """The row as a feedback, or why it is none."""
    said = row.values.get("text")
    text = _string(said)
    if not text:
        return BadRow(number=row.number, reason="has no text" if said in (None, "") else "has a text that is none")
    title = _string(row.values.get("title"))
    document: dict[str, Any] = {
        "id": _id(row, text, source),
        "channel": "file",
        "text": f"{title}\n\n{text}" if title else text,
        "metadata": {"source": source.key[:_METADATA_LIMIT], "row": str(row.number)},
    }
    for name in ("product_id", "category"):
        if value := _reference(row.values.get(name)):
            document[name] = value
    if customer := _reference(row.values.get("customer_ref")):
        document["customer_ref"] = pseudonym.of_reference(customer)[:_REFERENCE_LIMIT]
    if (language := _string(row.values.get("language")).replace("_", "-")) and _LANGUAGE.fullmatch(language):
        document["language"] = language[:35]
    if (stars := _stars(row.values.get("rating"))) is not None:
        document["rating"] = stars
    for name in ("created_at", "channel"):
        if value := _reference(row.values.get(name)):
            document["metadata"][name] = value
    return document


def has_unread_rating(row: Row) -> bool:
    """Whether the row has a rating that is not one to five stars."""
    rating = row.values.get("rating")
    return rating not in (None, "") and _stars(rating) is None


def _id(row: Row, text: str, source: Dropped) -> str:
    """By the row's own id and its text where it has one, so that the next export of the same rows adds nothing;
    otherwise by its place in this version of the file."""
    own = _reference(row.values.get("review_id"))
    folder = source.key.rpartition("/")[0]
    parts = (folder, own, text) if own else (source.identity, str(row.number))
    return "file-" + hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:40]


def _string(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _reference(value: object) -> str:
    """An identifier as text; programs write numbers as well. Empty for anything that is none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    text = str(value).strip()
    return text if len(text) <= _REFERENCE_LIMIT else ""


def _stars(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    match = _STARS.fullmatch(str(value).strip())
    return int(match[1]) if match else None
