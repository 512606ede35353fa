"""Documents without the parts that name a customer's feedback, such as one example among others.

Values in, values out. It does not know where a document is kept.
"""

from __future__ import annotations

import json
from typing import Any, Final

from erasure.subject import Subject

_GONE: Final = object()


def without(document: dict[str, Any], subject: Subject) -> dict[str, Any]:
    """The document without the parts that name the customer's feedback."""
    kept = {name: _without(value, subject) for name, value in document.items() if not subject.is_named_in(name)}
    return {name: value for name, value in kept.items() if value is not _GONE}


def _without(value: Any, subject: Subject) -> Any:
    if isinstance(value, str):
        return _text_without(value, subject)
    if isinstance(value, list):
        return [kept for each in value if (kept := _without(each, subject)) is not _GONE]
    if isinstance(value, dict):
        return _GONE if subject.owns(value) else without(value, subject)
    return value


def _text_without(value: str, subject: Subject) -> Any:
    """A text that is JSON is pruned as a document; any other goes as a whole when it names them."""
    try:
        document = json.loads(value)
    except ValueError:
        document = None
    if isinstance(document, dict | list):
        pruned = _without(document, subject)
        return value if pruned == document else _GONE if pruned is _GONE else json.dumps(pruned)
    return _GONE if subject.is_named_in(value) else value
