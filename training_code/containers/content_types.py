"""The content types that the containers speak, in one table. Knows nothing of what is inside a body."""

from __future__ import annotations

JSON_LINES = "application/jsonlines"
JSON = "application/json"
TENSORS = "application/vnd.earshot.tensors"


def media_type(content_type: str | None) -> str:
    """The type without its parameters, in lower case: 'Application/JSON; charset=utf-8' is 'application/json'."""
    return (content_type or "").partition(";")[0].strip().lower()


def accepts_tensors(accept: str | None) -> bool:
    """Whether an answer in the binary type is welcome. No header, or '*/*', asks for nothing in particular."""
    kinds = [media_type(part) for part in (accept or "*/*").split(",")]
    return any(kind in (TENSORS, "*/*", "application/*", "") for kind in kinds)
