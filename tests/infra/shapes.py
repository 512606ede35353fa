"""Holds a request against botocore's model of the operation: names, types, and what the service says of each value.

botocore itself checks names, types and minimum lengths when a call is made; limits and patterns only the service does.
"""

import re
from collections.abc import Iterator
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.session import get_session

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "timestamp": (str,),
}


def complaints(service: str, operation: str, request: dict[str, Any]) -> list[str]:
    """What the service would refuse, one sentence each; empty for a good request."""
    shape = get_session().get_service_model(service).operation_model(operation).input_shape
    assert shape is not None
    return list(_of(shape, request, operation))


def _of(shape: Shape, value: Any, place: str) -> Iterator[str]:
    if isinstance(shape, StructureShape):
        yield from _of_structure(shape, value, place)
    elif isinstance(shape, ListShape):
        if not isinstance(value, list):
            yield f"{place} is no list"
            return
        yield from _limits(shape, len(value), place)
        for index, item in enumerate(value):
            yield from _of(shape.member, item, f"{place}[{index}]")
    elif isinstance(shape, MapShape):
        if not isinstance(value, dict):
            yield f"{place} is no map"
            return
        yield from _limits(shape, len(value), place)
        for name, item in value.items():
            yield from _of(shape.key, name, f"{place} key {name}")
            yield from _of(shape.value, item, f"{place}.{name}")
    else:
        yield from _of_scalar(shape, value, place)


def _of_structure(shape: StructureShape, value: Any, place: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{place} is no object"
        return
    yield from (f"{place} lacks {name}" for name in shape.required_members if name not in value)
    for name, item in value.items():
        if name in shape.members:
            yield from _of(shape.members[name], item, f"{place}.{name}")
        else:
            yield f"{place} has no field {name}"


def _of_scalar(shape: Shape, value: Any, place: str) -> Iterator[str]:
    kinds = _TYPES[shape.type_name]
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        yield f"{place} is no {shape.type_name}: {value!r}"
        return
    if isinstance(value, str):
        yield from _limits(shape, len(value), place)
        allowed = getattr(shape, "enum", [])
        if allowed and value not in allowed:
            yield f"{place} is none of {allowed}: {value!r}"
        pattern = _as_python(shape.metadata.get("pattern", ""))
        if pattern and not re.fullmatch(pattern, value):
            yield f"{place} does not match {pattern}: {value!r}"
    elif not isinstance(value, bool):
        yield from _limits(shape, value, place)


def _as_python(pattern: str) -> str:
    """A Java pattern as Python reads it: surrogate pairs are one character here, and Unicode classes are not known."""
    if r"\p{" in pattern:
        return ""
    return pattern.replace(r"\uD800\uDC00-\uDBFF\uDFFF", "\U00010000-\U0010ffff")


def _limits(shape: Shape, size: float, place: str) -> Iterator[str]:
    if size < shape.metadata.get("min", size) or size > shape.metadata.get("max", size):
        yield f"{place} is not from {shape.metadata.get('min')} to {shape.metadata.get('max')}: {size}"
