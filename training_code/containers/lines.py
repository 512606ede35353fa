"""One line of a request on its way through the containers: who asked, which tensor rows are its own, what is wrong.

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
    """Either `row` (its place in the tensors) or `error` is set. `id` is the client's own, None when it sent none.

    `words` is set where the client asked for the words behind the decision: the tensor row `row + 1 + k` is the text
    without `words[k]`.
    """

    id: str | None
    row: int | None
    error: LineError | None
    words: tuple[str, ...] | None = None

    @property
    def rows(self) -> range:
        """All tensor rows of the line, none for a bad one."""
        return range(0) if self.row is None else range(self.row, self.row + 1 + len(self.words or ()))


def lines_to_json(lines: list[Line]) -> str:
    return json.dumps([_to_json(line) for line in lines], separators=(",", ":"))


def _to_json(line: Line) -> dict[str, object]:
    error = {"code": line.error.code, "message": line.error.message} if line.error else None
    entry: dict[str, object] = {"id": line.id, "row": line.row, "error": error}
    return entry if line.words is None else entry | {"words": list(line.words)}


def lines_from_json(text: str, *, rows: int) -> list[Line]:
    """Read what `lines_to_json` wrote; ValueError unless every one of the `rows` tensor rows belongs to one line."""
    entries = json.loads(text)
    if not isinstance(entries, list):
        raise ValueError("lines is not a list")
    lines = [_line_from_json(entry) for entry in entries]
    claimed = [row for line in lines for row in line.rows]
    if len(claimed) != rows or sorted(claimed) != list(range(rows)):
        raise ValueError("the lines do not name every tensor row once")
    return lines


def _line_from_json(entry: object) -> Line:
    if not isinstance(entry, dict):
        raise ValueError("a line is not an object")
    id_, row, error, words = entry.get("id"), entry.get("row"), entry.get("error"), entry.get("words")
    if not (id_ is None or isinstance(id_, str)):
        raise ValueError("the id of a line is not a string")
    if error is None and type(row) is int and row >= 0:
        return Line(id=id_, row=row, error=None, words=_words(words))
    if row is None and words is None and isinstance(error, dict):
        code, message = error.get("code"), error.get("message")
        if isinstance(code, str) and isinstance(message, str):
            return Line(id=id_, row=None, error=LineError(code=code, message=message))
    raise ValueError("a line has neither a row nor an error, or both")


def _words(words: object) -> tuple[str, ...] | None:
    if words is None:
        return None
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise ValueError("the words of a line are not a list of strings")
    return tuple(words)
