"""DynamoDB's typed attribute values, to and from JSON values.

boto3's own converter refuses floats and answers Decimals, which no JSON writer takes; here a float goes and comes back
unchanged. It does not know what an item means.
"""

from collections.abc import Mapping
from typing import Any, Final

AttributeValue = dict[str, Any]

_SMALLEST: Final = 1e-130
"""Below this DynamoDB refuses a number instead of rounding it."""


def to_item(document: Mapping[str, Any]) -> dict[str, AttributeValue]:
    """The attributes of a JSON object."""
    return {name: to_attribute(value) for name, value in document.items()}


def from_item(item: Mapping[str, AttributeValue]) -> dict[str, Any]:
    """The JSON object in an item or a stream image; TypeError for the types we never write (sets and binary)."""
    return {name: from_attribute(value) for name, value in item.items()}


def to_attribute(value: Any) -> AttributeValue:
    """One JSON value as an attribute value."""
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, int):
        return {"N": str(int(value))}
    if isinstance(value, float):
        return {"N": "0" if abs(value) < _SMALLEST else repr(value)}
    if isinstance(value, Mapping):
        return {"M": to_item(value)}
    if isinstance(value, list | tuple):
        return {"L": [to_attribute(entry) for entry in value]}
    raise TypeError(f"{type(value).__name__} is no JSON value")


def from_attribute(attribute: AttributeValue) -> Any:
    """One attribute value as a JSON value; a whole number is an int."""
    ((kind, value),) = attribute.items()
    match kind:
        case "S" | "BOOL":
            return value
        case "N":
            return _number(value)
        case "NULL":
            return None
        case "M":
            return from_item(value)
        case "L":
            return [from_attribute(entry) for entry in value]
        case _:
            raise TypeError(f"the ledger holds no attributes of type {kind}")


def _number(digits: str) -> int | float:
    try:
        return int(digits)
    except ValueError:
        return float(digits)
