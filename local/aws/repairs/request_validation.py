"""Says what is wrong with a refused request body, as ``$context.error.validationErrorString`` does on AWS.

ministack refuses the right bodies but leaves the variable unresolved in a gateway response's template. The words are
those of the validator that API Gateway uses, for JSON Schema draft 4. Knows no API.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from local.aws import seams

_VARIABLE = b"$context.error.validationErrorString"

_TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
}


def register() -> None:
    """Fill the variable in wherever a gateway response uses it."""
    seams.explain_refused_bodies(explain, _fill_in)


def explain(schema: Any, body: bytes | str) -> str:
    """All problems of a body, or what is wrong with it as JSON."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return "[the request body is not JSON]"
    return "[" + ", ".join(problems(schema, document, schema)) + "]"


def _fill_in(rendered: bytes, explanation: str) -> bytes:
    """The variable stands inside a JSON string."""
    return rendered.replace(_VARIABLE, json.dumps(explanation)[1:-1].encode())


def problems(schema: Any, value: Any, root: Any) -> Iterator[str]:
    """One phrase for each keyword that the value breaks."""
    while isinstance(schema, dict) and isinstance(schema.get("$ref"), str):
        schema = _referred(schema["$ref"], root)
    if not isinstance(schema, dict):
        return
    wanted = schema.get("type")
    allowed = wanted if isinstance(wanted, list) else [wanted] if wanted else []
    if allowed and not any(_TYPES.get(name, lambda _: True)(value) for name in allowed):
        yield (
            f"instance type ({_type_of(value)}) does not match any allowed primitive type "
            f"(allowed: {json.dumps(sorted(allowed))})"
        )
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"instance value ({json.dumps(value)}) not found in enum (possible values: {json.dumps(schema['enum'])})"
    if isinstance(value, str):
        yield from _of_string(schema, value)
    elif isinstance(value, dict):
        yield from _of_object(schema, value, root)
    elif isinstance(value, list):
        yield from _of_array(schema, value, root)
    elif _TYPES["number"](value):
        yield from _of_number(schema, value)
    yield from _of_combinations(schema, value, root)


def _of_string(schema: dict[str, Any], value: str) -> Iterator[str]:
    # The text itself stays out: it can be long, and it is the client's own.
    if len(value) < schema.get("minLength", 0):
        yield f"string is too short (length: {len(value)}, required minimum: {schema['minLength']})"
    if len(value) > schema.get("maxLength", len(value)):
        yield f"string is too long (length: {len(value)}, maximum allowed: {schema['maxLength']})"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f'ECMA 262 regex "{schema["pattern"]}" does not match input string'


def _of_number(schema: dict[str, Any], value: float) -> Iterator[str]:
    if value < schema.get("minimum", value):
        yield f"numeric instance is lower than the required minimum (minimum: {schema['minimum']}, found: {value})"
    if value > schema.get("maximum", value):
        yield f"numeric instance is greater than the required maximum (maximum: {schema['maximum']}, found: {value})"


def _of_object(schema: dict[str, Any], value: dict[str, Any], root: Any) -> Iterator[str]:
    declared = schema.get("properties") or {}
    if missing := [name for name in schema.get("required") or [] if name not in value]:
        yield f"object has missing required properties ({json.dumps(missing)})"
    patterns = schema.get("patternProperties") or {}
    others = [
        name for name in value if name not in declared and not any(re.search(pattern, name) for pattern in patterns)
    ]
    additional = schema.get("additionalProperties", True)
    if additional is False and others:
        yield f"object instance has properties which are not allowed by the schema: {json.dumps(others)}"
    for name, each in value.items():
        if name in declared:
            yield from problems(declared[name], each, root)
        elif name in others and isinstance(additional, dict):
            yield from problems(additional, each, root)
    if len(value) > schema.get("maxProperties", len(value)):
        yield f"object has too many properties (found {len(value)} but at most {schema['maxProperties']} are allowed)"


def _of_array(schema: dict[str, Any], value: list[Any], root: Any) -> Iterator[str]:
    if len(value) < schema.get("minItems", 0):
        yield (
            f"array is too short: must have at least {schema['minItems']} elements but instance has "
            f"{len(value)} elements"
        )
    if len(value) > schema.get("maxItems", len(value)):
        yield (
            f"array is too long: must have at most {schema['maxItems']} elements but instance has {len(value)} elements"
        )
    if isinstance(schema.get("items"), dict):
        for each in value:
            yield from problems(schema["items"], each, root)


def _of_combinations(schema: dict[str, Any], value: Any, root: Any) -> Iterator[str]:
    for each in schema.get("allOf") or []:
        yield from problems(each, value, root)
    for keyword, most in (("anyOf", None), ("oneOf", 1)):
        parts = schema.get(keyword) or []
        matching = sum(1 for each in parts if not any(True for _ in problems(each, value, root)))
        if parts and (matching == 0 or (most is not None and matching > most)):
            yield f"instance failed to match {keyword} of the {len(parts)} schemas (matched {matching})"


def _referred(reference: str, root: Any) -> Any:
    target = root
    for part in reference.removeprefix("#").strip("/").split("/"):
        target = target.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(target, dict) else None
    return target


def _type_of(value: Any) -> str:
    return next(
        name for name in ("null", "boolean", "integer", "number", "string", "array", "object") if _TYPES[name](value)
    )
