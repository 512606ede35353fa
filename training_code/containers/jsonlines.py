"""Reads a request into texts, line by line: a line that cannot be used becomes an error of its own, in its place.

JSON Lines are split at line feeds only, since U+2028 and its like are legal inside a JSON string. Knows nothing of
tokens or models; what a text is composed of is `feedback.text`'s business.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from feedback.text import compose
from training_code.containers.content_types import JSON, JSON_LINES, media_type
from training_code.containers.errors import malformed, unsupported
from training_code.containers.lines import LineError


@dataclass(frozen=True)
class TextLine:
    """Either `text` (title and text, cleaned as for training) or `error` is set."""

    id: str | None
    text: str | None
    error: LineError | None


def parse_request(body: bytes | bytearray | str, content_type: str | None) -> list[TextLine]:
    """The lines of a request, in order. Toolkits hand text types over decoded, so `body` may be a str.

    Raises RequestError when the body as a whole cannot be read: 415 for another content type, 400 for broken JSON.
    """
    kind = media_type(content_type)
    if kind == JSON_LINES:
        return _parse_lines(body)
    if kind == JSON:
        return _parse_document(body)
    raise unsupported(content_type or "", f"{JSON_LINES} or {JSON}")


def _parse_lines(body: bytes | bytearray | str) -> list[TextLine]:
    raw = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else bytes(body)
    parts = raw.split(b"\n")
    if not parts[-1].strip():
        parts.pop()
    return [_parse_line(part) for part in parts]


def _parse_line(raw: bytes) -> TextLine:
    try:
        entry = json.loads(raw.decode("utf-8"))
    except UnicodeDecodeError:
        return _bad("invalid_encoding", "The line is not UTF-8.")
    except (ValueError, RecursionError):
        return _bad("invalid_json", "The line is not a JSON object.")
    return _read_entry(entry)


def _parse_document(body: bytes | bytearray | str) -> list[TextLine]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise malformed("The body is not a JSON document.") from None
    return [_read_entry(entry) for entry in (document if isinstance(document, list) else [document])]


def _read_entry(entry: object) -> TextLine:
    if not isinstance(entry, dict):
        return _bad("invalid_json", "The line is not a JSON object.")
    id_, text, title = entry.get("id"), entry.get("text"), entry.get("title")
    if not (id_ is None or isinstance(id_, str)):
        return _bad("invalid_id", "The id is not a string.")
    if not isinstance(text, str):
        return _bad("invalid_text", "The text is missing or not a string.", id_)
    if not (title is None or isinstance(title, str)):
        return _bad("invalid_title", "The title is not a string.", id_)
    composed = compose(title, text)
    if not composed:
        return _bad("empty_text", "The text is empty.", id_)
    return TextLine(id=id_, text=composed, error=None)


def _bad(code: str, message: str, id_: str | None = None) -> TextLine:
    return TextLine(id=id_, text=None, error=LineError(code=code, message=message))
