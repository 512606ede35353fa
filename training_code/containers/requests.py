"""Reads a request into texts, line by line: a line that cannot be used becomes an error of its own, in its place.

JSON Lines are split at line feeds only, since U+2028 and its like are legal inside a JSON string. Knows nothing of
tokens or models; what a text is composed of is `feedback.text`'s business.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from feedback.text import compose
from training_code.containers.content_types import CSV, JSON, JSON_LINES, media_type
from training_code.containers.csv_records import CsvRecordError, only_field, split_records
from training_code.containers.errors import malformed, unsupported
from training_code.containers.lines import LineError

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class TextLine:
    """Either `text` (title and text, cleaned as for training) or `error` is set."""

    id: str | None
    text: str | None
    error: LineError | None
    explain: bool = False


@dataclass(frozen=True)
class Request:
    """All lines in order. `is_single`: one JSON object was sent, so one object is the answer."""

    lines: list[TextLine]
    is_single: bool = False


def parse_request(body: bytes | bytearray | str, content_type: str | None) -> Request:
    """The lines of a request. Toolkits hand text types over decoded, so `body` may be a str.

    Raises RequestError when the body as a whole cannot be read: 415 for another content type, 400 for broken JSON and
    for a body without any line.
    """
    kind = media_type(content_type)
    if kind not in (JSON_LINES, JSON, CSV):
        raise unsupported(content_type or "", f"{JSON_LINES}, {JSON} or {CSV}")
    raw = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else bytes(body)
    raw = raw.removeprefix(BYTE_ORDER_MARK)
    if kind == JSON:
        request = _parse_document(raw)
    elif kind == CSV:
        request = Request([_parse_record(record) for record in split_records(raw)])
    else:
        request = Request([_parse_line(line) for line in _split_lines(raw)])
    if not request.lines:
        raise malformed("The request holds no line.")
    return request


def _split_lines(raw: bytes) -> list[bytes]:
    parts = raw.split(b"\n")
    if not parts[-1].strip():
        parts.pop()
    return parts


def _parse_line(raw: bytes) -> TextLine:
    try:
        entry = json.loads(raw.decode("utf-8"))
    except UnicodeDecodeError:
        return _bad("invalid_encoding", "The line is not UTF-8.")
    except (ValueError, RecursionError):
        return _bad("invalid_json", "The line is not a JSON object.")
    return _read_entry(entry)


def _parse_record(raw: bytes) -> TextLine:
    """A record of comma-separated values is a text: one field and no header, as AWS's own callers send records.

    https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-inference.html
    """
    try:
        return _read_entry({"text": only_field(raw.decode("utf-8"))})
    except UnicodeDecodeError:
        return _bad("invalid_encoding", "The line is not UTF-8.")
    except CsvRecordError as error:
        return _bad("invalid_csv", str(error))


def _parse_document(raw: bytes) -> Request:
    try:
        document = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        raise malformed("The body is not a JSON document.") from None
    if isinstance(document, list):
        return Request([_read_entry(entry) for entry in document])
    return Request([_read_entry(document)], is_single=True)


def _read_entry(entry: object) -> TextLine:
    if not isinstance(entry, dict):
        return _bad("invalid_json", "The line is not a JSON object.")
    id_, text, title, explain = entry.get("id"), entry.get("text"), entry.get("title"), entry.get("explain", False)
    if not (id_ is None or isinstance(id_, str)):
        return _bad("invalid_id", "The id is not a string.")
    if not isinstance(text, str):
        return _bad("invalid_text", "The text is missing or not a string.", id_)
    if not (title is None or isinstance(title, str)):
        return _bad("invalid_title", "The title is not a string.", id_)
    if not isinstance(explain, bool):
        return _bad("invalid_explain", "The value of explain is neither true nor false.", id_)
    composed = compose(title, text)
    if not composed:
        return _bad("empty_text", "The text is empty.", id_)
    return TextLine(id=id_, text=composed, error=None, explain=explain)


def _bad(code: str, message: str, id_: str | None = None) -> TextLine:
    return TextLine(id=id_, text=None, error=LineError(code=code, message=message))
