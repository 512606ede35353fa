"""Feedback documents read from other people's JSON by a table: which field is found at which dotted paths.

So a new partner is a line of data and no code. It does not know how the JSON came, nor the schema: a document is judged
where it is delivered.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeGuard

from lambdas.channels import pseudonym

Document = dict[str, Any]
Places = Mapping[str, Sequence[str]]

METADATA_LIMIT: Final = 500

_TEXT_LIMIT: Final = 10_000
_REFERENCE_LIMIT: Final = 128
_LANGUAGE_LIMIT: Final = 35
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_STARS: Final = 5

ITEM_FIELDS: Final[Places] = {
    "text": ("text", "body", "content", "comment", "review"),
    "title": ("title", "headline", "summary"),
    "rating": ("rating", "stars"),
    "rating_scale": ("rating_scale", "rating_max"),
    "product_id": ("product_id", "sku", "product.id", "product.sku"),
    "category": ("category", "product.category"),
    "customer_ref": ("customer_ref", "customer.id", "author.id", "user.id"),
    "language": ("language", "lang", "locale"),
}
ITEM_METADATA: Final[Places] = {
    "reference": ("id", "review_id", "mention_id"),
    "url": ("url", "link", "permalink"),
    "published_at": ("published_at", "created_at", "timestamp"),
}


class UnusableEventError(ValueError):
    """JSON that no feedback can be read from; the message is one sentence and quotes nothing of it."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """Where the items are, and where each item keeps its fields: of several paths the first that is there counts."""

    items: Sequence[str]
    fields: Places = field(default_factory=lambda: ITEM_FIELDS)
    metadata: Places = field(default_factory=lambda: ITEM_METADATA)

    def with_fields(self, fields: Places) -> "Table":
        """The table with other places for some fields."""
        return Table(items=self.items, fields={**self.fields, **fields}, metadata=self.metadata)

    def read(self, event: object) -> list[Document]:
        """The documents in an event; UnusableEventError where there are none to be read."""
        return [_document(item, self) for item in read_items(event, self.items)]

    def reference(self, item: Mapping[str, Any]) -> str:
        """The partner's own id of an item; empty where it has none."""
        return _as_text(_at(item, self.metadata.get("reference", ())))


def read_items(event: object, places: Sequence[str]) -> list[Mapping[str, Any]]:
    """The JSON objects at the first of the places that holds one or a list of them; the empty path is the whole."""
    for place in places:
        found = dig(event, place)
        if isinstance(found, Mapping):
            return [found]
        if isinstance(found, list):
            if not all(isinstance(item, Mapping) for item in found):
                break
            return found
    raise UnusableEventError("There is no feedback where this kind of source has it.")


def dig(value: object, path: str) -> object:
    """What is at a dotted path; None where there is nothing."""
    for name in path.split(".") if path else ():
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value


def _document(item: Mapping[str, Any], table: Table) -> Document:
    """An item's document. A text that is too long is cut, and says so; any other field that cannot be one is left out,
    since a partner's odd identifier must not cost what a customer said."""
    said, title = _first(item, table, "text"), _first(item, table, "title")
    if not isinstance(said, str) or not said.strip():
        raise UnusableEventError("An item has no text.")
    text = f"{title}\n\n{said}" if isinstance(title, str) and title.strip() else said
    document: Document = {"text": text[:_TEXT_LIMIT]}
    for name in ("product_id", "category", "customer_ref"):
        value = _as_text(_first(item, table, name))
        if value and len(value) <= _REFERENCE_LIMIT:
            document[name] = pseudonym.of_reference(value) if name == "customer_ref" else value
    language = _as_text(_first(item, table, "language")).replace("_", "-")
    if _LANGUAGE.fullmatch(language) and len(language) <= _LANGUAGE_LIMIT:
        document["language"] = language
    rating = _stars(_first(item, table, "rating"), _first(item, table, "rating_scale"))
    if rating is not None:
        document["rating"] = rating
    metadata = {name: _as_text(_at(item, paths))[:METADATA_LIMIT] for name, paths in table.metadata.items()}
    if len(text) > _TEXT_LIMIT:
        metadata["shortened"] = "true"
    document["metadata"] = {name: value for name, value in metadata.items() if value}
    return document


def _first(item: Mapping[str, Any], table: Table, name: str) -> object:
    return _at(item, table.fields.get(name, ()))


def _at(item: Mapping[str, Any], places: Sequence[str]) -> object:
    return next((value for place in places if (value := dig(item, place)) is not None), None)


def _as_text(value: object) -> str:
    """An identifier as text: partners send numbers as well. Empty for anything that is none."""
    if isinstance(value, str):
        return value.strip()
    return str(value) if _is_number(value) else ""


def _stars(rating: object, scale: object) -> int | None:
    """One to five stars, from whatever scale the partner uses; None where it is no rating."""
    top = scale if _is_number(scale) else _STARS
    if not _is_number(rating) or not 0 < rating <= top:
        return None
    return max(1, round(rating / top * _STARS))


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
