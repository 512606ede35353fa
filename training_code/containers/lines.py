"""One line of a request on its way through the containers: who asked, which tensor row is its own, or what is wrong.

A batch never loses or reorders a line, so every line of the request has a `Line`, also a bad one. Knows nothing of
texts, tensors or labels.
"""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True)
class LineError:
    """Why one line cannot be answered. The code is for programs, the message for people; neither quotes the text."""

    code: str
    message: str


@dataclass(frozen=True)
class Line:
    """Either `row` (its place in the tensors) or `error` is set. `id` is the client's own, None when it sent none."""

    id: str | None
    row: int | None
    error: LineError | None


def lines_to_json(lines: list[Line]) -> str:
    return json.dumps(
        [
            {
                "id": line.id,
                "row": line.row,
                "error": {"code": line.error.code, "message": line.error.message} if line.error else None,
            }
            for line in lines
        ],
        separators=(",", ":"),
    )


def lines_from_json(text: str, *, rows: int) -> list[Line]:
    """Read what `lines_to_json` wrote; ValueError unless every one of the `rows` tensor rows belongs to one line."""
    entries = json.loads(text)
    if not isinstance(entries, list):
        raise ValueError("lines is not a list")
    lines = [_line_from_json(entry) for entry in entries]
    if sorted(line.row for line in lines if line.row is not None) != list(range(rows)):
        raise ValueError("the lines do not name every tensor row once")
    return lines


def _line_from_json(entry: object) -> Line:
    if not isinstance(entry, dict):
        raise ValueError("a line is not an object")
    id_, row, error = entry.get("id"), entry.get("row"), entry.get("error")
    if not (id_ is None or isinstance(id_, str)):
        raise ValueError("the id of a line is not a string")
    if error is None and isinstance(row, int) and not isinstance(row, bool):
        return Line(id=id_, row=row, error=None)
    if row is None and isinstance(error, dict):
        code, message = error.get("code"), error.get("message")
        if isinstance(code, str) and isinstance(message, str):
            return Line(id=id_, row=None, error=LineError(code=code, message=message))
    raise ValueError("a line has neither a row nor an error, or both")
