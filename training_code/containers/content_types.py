"""The content types that the containers speak, in one table. Knows nothing of what is inside a body."""

from __future__ import annotations

JSON_LINES = "application/jsonlines"
JSON = "application/json"
CSV = "text/csv"
TENSORS = "application/vnd.earshot.tensors"

_ANYTHING = ("*/*", "application/*", "")


def media_type(content_type: str | None) -> str:
    """The type without its parameters, in lower case: 'Application/JSON; charset=utf-8' is 'application/json'."""
    return (content_type or "").partition(";")[0].strip().lower()


def answer_type(accept: str | None) -> str | None:
    """The first type of an Accept header that answers come in, JSON Lines where any will do, else None."""
    for part in (accept or "*/*").split(","):
        kind = media_type(part)
        if kind in (JSON_LINES, JSON):
            return kind
        if kind in _ANYTHING:
            return JSON_LINES
    return None
