"""API Gateway's request models, made from the schema of feedback.

Knows which words of JSON Schema API Gateway may judge. What it refuses is answered 400 before any code runs, so only
the shape is left to it: fields, types and enumerations. Lengths and ranges have answers of their own (413, 422) and are
judged by the function, which reads the same file. Does not know the fields.
"""

import json
from pathlib import Path
from typing import Any

SCHEMA = Path(__file__).resolve().parent.parent.parent / "feedback" / "schema" / "feedback-v1.json"

_DIALECT = "http://json-schema.org/draft-04/schema#"
_SHAPE = ("type", "required", "properties", "additionalProperties", "items", "enum")


def feedback_model() -> dict[str, Any]:
    """The shape of one feedback."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return {"$schema": _DIALECT, "title": schema["title"], **_shape_of(schema)}


def batch_model() -> dict[str, Any]:
    """The shape of a batch. Its items are judged one by one by the function, so that a bad one fails alone."""
    return {
        "$schema": _DIALECT,
        "title": "A batch of feedback",
        "type": "object",
        "required": ["items"],
        "additionalProperties": False,
        "properties": {"items": {"type": "array", "items": {"type": "object"}}},
    }


def object_model(title: str) -> dict[str, Any]:
    """An object of which the function judges everything else: a person sends it now and then."""
    return {"$schema": _DIALECT, "title": title, "type": "object"}


def _shape_of(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return schema
    shape = {word: schema[word] for word in _SHAPE if word in schema}
    if "properties" in shape:
        shape["properties"] = {name: _shape_of(field) for name, field in shape["properties"].items()}
    for word in ("additionalProperties", "items"):
        if word in shape:
            shape[word] = _shape_of(shape[word])
    return shape
