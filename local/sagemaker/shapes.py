"""SageMaker's API as botocore describes it: requests checked, coerced and answers cut to their shapes.

One source for every operation, whichever botocore is installed. Knows no resources and no state.
"""

import re
import uuid
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

import botocore.session

from local.sagemaker.errors import AwsError, validation

Fields = dict[str, Any]

NUMBERS = ("integer", "long", "float", "double")
# Where Java's expressions (and two slips in SageMaker's own) are not Python's, as near as `re` comes.
TRANSLATIONS = {
    r"\p{L}": r"\w",
    r"\p{N}": r"\d",
    r"\p{Z}": r"\s",
    r"\p{M}": r"\w",
    r"\p{S}": r"$+<=>^`|~",
    r"\p{P}": r"!-/:-@\[-`{-~",
    r"\p{Alnum}": r"A-Za-z0-9",
    r"\uD800\uDC00-\uDBFF\uDFFF": r"\U00010000-\U0010FFFF",
    r"${1,128}": "",
    r"${1,256}": "",
}
SHOWN_VALUE_CHARACTERS = 200


@cache
def _service() -> Any:
    return botocore.session.get_session().get_service_model("sagemaker")


def is_operation(operation: str) -> bool:
    """True where SageMaker has an operation of this name, whether it is implemented here or not."""
    return operation in _service().operation_names


def list_member(operation: str) -> str:
    """The output member of a List operation that holds the entries."""
    members = _service().operation_model(operation).output_shape.members
    return next(str(name) for name, shape in members.items() if shape.type_name == "list")


def validate(operation: str, request: Fields) -> None:
    """Refuse a request that AWS would refuse for its form: SerializationException or ValidationException."""
    shape = _service().operation_model(operation).input_shape
    if shape is None:
        return
    _check_types(request, shape, "")
    errors = list(_constraint_errors(request, shape, ""))
    if errors:
        noun = "error" if len(errors) == 1 else "errors"
        raise validation(f"{len(errors)} validation {noun} detected: {'; '.join(errors)}")


def coerce(operation: str, request: Fields) -> Fields:
    """A request whose scalars have the types of the API, for callers such as CloudFormation that send text.

    Members that are null are left out; tokens that an SDK would fill in are filled in. What cannot be read as the
    right type stays as it is, for :func:`validate` to refuse.
    """
    shape = _service().operation_model(operation).input_shape
    if shape is None:
        return {}
    coerced: Fields = _coerced(request, shape)
    for name, member in shape.members.items():
        if member.metadata.get("idempotencyToken") and name not in coerced:
            coerced[name] = str(uuid.uuid4())
    return coerced


def project(operation: str, record: Fields) -> Fields:
    """The part of a record that the operation's answer has room for."""
    shape = _service().operation_model(operation).output_shape
    return _projected(record, shape) if shape else {}


def in_milliseconds(operation: str, answer: Fields) -> Fields:
    """An operation's answer with its times as events carry them: whole milliseconds."""
    scaled: Fields = _scaled(answer, _service().operation_model(operation).output_shape)
    return scaled


def _check_types(value: Any, shape: Any, path: str) -> None:
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        for name, item in value.items():
            if name not in shape.members:
                raise validation(f"1 validation error detected: {_at(path, name)!r} is not a member of {shape.name}")
            if item is not None:
                _check_types(item, shape.members[name], _at(path, name))
    elif kind == "list" and isinstance(value, list):
        for position, item in enumerate(value, start=1):
            _check_types(item, shape.member, f"{path}.{position}.member")
    elif kind == "map" and isinstance(value, dict):
        for name, item in value.items():
            _check_types(item, shape.value, f"{path}.{name}")
    elif not _is_scalar_of(value, kind):
        raise AwsError("SerializationException", f"{type(value).__name__} at '{path}' cannot be converted to {kind}")


def _is_scalar_of(value: Any, kind: str) -> bool:
    if kind == "boolean":
        return isinstance(value, bool)
    if kind in ("integer", "long"):
        return isinstance(value, int) and not isinstance(value, bool)
    if kind in ("float", "double", "timestamp"):
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind in ("string", "blob"):
        return isinstance(value, str)
    return False


def _constraint_errors(value: Any, shape: Any, path: str) -> Iterator[str]:
    kind = shape.type_name
    if kind == "structure":
        for name in shape.required_members:
            if value.get(name) is None:
                yield f"Value null at '{_at(path, name)}' failed to satisfy constraint: Member must not be null"
        for name, item in value.items():
            if item is not None:
                yield from _constraint_errors(item, shape.members[name], _at(path, name))
        return
    yield from (
        f"Value {_shown(value)} at '{path}' failed to satisfy constraint: {rule}" for rule in _broken(value, shape)
    )
    if kind == "list":
        for position, item in enumerate(value, start=1):
            yield from _constraint_errors(item, shape.member, f"{path}.{position}.member")
    elif kind == "map":
        for name, item in value.items():
            yield from (
                f"Map keys at '{path}' failed to satisfy constraint: {rule}" for rule in _broken(name, shape.key)
            )
            yield from _constraint_errors(item, shape.value, f"{path}.{name}")


def _broken(value: Any, shape: Any) -> Iterator[str]:
    """The rules that a value breaks, in AWS's words."""
    kind, rules = shape.type_name, shape.metadata
    least, most = rules.get("min"), rules.get("max")
    if kind in ("string", "list", "map"):
        if least is not None and len(value) < least:
            yield f"Member must have length greater than or equal to {least}"
        if most is not None and len(value) > most:
            yield f"Member must have length less than or equal to {most}"
    elif kind in NUMBERS:
        if least is not None and value < least:
            yield f"Member must have value greater than or equal to {least}"
        if most is not None and value > most:
            yield f"Member must have value less than or equal to {most}"
    if kind == "string":
        if shape.enum and value not in shape.enum:
            yield f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"
        pattern = rules.get("pattern")
        if pattern and not _compiled(pattern).fullmatch(value):
            yield f"Member must satisfy regular expression pattern: {pattern}"


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    for java, python in TRANSLATIONS.items():
        pattern = pattern.replace(java, python)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # Java's classes look to `re` like the sets it may have one day.
        return re.compile(pattern)


def _shown(value: Any) -> str:
    text = f"'{value}'"
    return text if len(text) <= SHOWN_VALUE_CHARACTERS else text[:SHOWN_VALUE_CHARACTERS] + "...'"


def _at(path: str, name: str) -> str:
    member = name[:1].lower() + name[1:]
    return f"{path}.{member}" if path else member


def _coerced(value: Any, shape: Any) -> Any:
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        return {
            name: _coerced(item, shape.members[name]) if name in shape.members else item
            for name, item in value.items()
            if item is not None
        }
    if kind == "list" and isinstance(value, list):
        return [_coerced(item, shape.member) for item in value]
    if kind == "map" and isinstance(value, dict):
        return {str(name): _coerced(item, shape.value) for name, item in value.items()}
    if kind == "string" and isinstance(value, bool | int | float):
        return str(value).lower() if isinstance(value, bool) else str(value)
    if isinstance(value, str):
        return _read(value, kind)
    if kind in ("integer", "long") and isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _read(text: str, kind: str) -> Any:
    try:
        if kind == "boolean":
            return {"true": True, "false": False}.get(text.lower(), text)
        if kind in ("integer", "long"):
            return int(text)
        if kind in ("float", "double"):
            return float(text)
        if kind == "timestamp":
            moment = datetime.fromisoformat(text)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except ValueError:
        return text
    return text


def _projected(value: Any, shape: Any) -> Any:
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        return {
            name: _projected(item, shape.members[name])
            for name, item in value.items()
            if item is not None and name in shape.members
        }
    if kind == "list" and isinstance(value, list):
        return [_projected(item, shape.member) for item in value]
    if kind == "map" and isinstance(value, dict):
        return {name: _projected(item, shape.value) for name, item in value.items()}
    return value


def _scaled(value: Any, shape: Any) -> Any:
    kind = shape.type_name
    if kind == "structure":
        return {name: _scaled(item, shape.members[name]) for name, item in value.items()}
    if kind == "list":
        return [_scaled(item, shape.member) for item in value]
    if kind == "timestamp":
        return int(value * 1000)
    return value
