"""JSON and JSON Lines, read strictly: no NaN, no key twice, no depth without end. Knows nothing of what they say."""

from __future__ import annotations

import json
from typing import NoReturn

from model_artifact.content import Content
from model_artifact.errors import refuse


def check_json(content: Content, limit_bytes: int) -> None:
    """One JSON document. Its objects are not kept, so a large tokenizer costs little more than its text."""
    _parse(content.read_document(limit_bytes), content.name, _forget)


def check_json_lines(content: Content, limit_bytes: int) -> None:
    """One JSON document a line."""
    for line in content.read_document(limit_bytes).split(b"\n"):
        if line.strip():
            _parse(line, content.name, _forget)


def read_json(document: bytes, name: str) -> object:
    """The value of a small document."""
    return _parse(document, name, _keep)


def _parse(document: bytes, name: str, pairs_hook: object) -> object:
    try:
        return json.loads(document.decode("utf-8"), object_pairs_hook=pairs_hook, parse_constant=_no_constant)  # type: ignore[arg-type]
    except UnicodeDecodeError:
        refuse("not-json", name, "is not JSON: it is not UTF-8")
    except RecursionError:
        refuse("not-json", name, "is not JSON that anybody needs: it is nested too deep")
    except ValueError as error:
        reason = str(error).partition(":")[0].lower()
        refuse("not-json", name, f"is not JSON: {reason}")


def _forget(pairs: list[tuple[str, object]]) -> None:
    _keep(pairs)


def _keep(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key comes twice in an object")
    return found


def _no_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")
