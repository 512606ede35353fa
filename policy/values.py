"""What a value in a template can be once its intrinsic functions are worked out, and how a rule reads it.

A value is plain (text, number, list, mapping, None where there is none), a `Reference` to a resource of the same
template, a `Pattern` (text of which parts are only known at deployment), or `UNKNOWN`. It does not know templates.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

PLACEHOLDER = re.compile(r"\$\{([^${}]+)\}")


class Unknown(Enum):
    """A value that only the deployment knows: a parameter without a default, an import, a macro's result."""

    UNKNOWN = "unknown"

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown.UNKNOWN


@dataclass(frozen=True)
class Reference:
    """`Ref` (no attribute) or `Fn::GetAtt` of a resource of the same template."""

    logical_id: str
    attribute: str | None = None

    @property
    def text(self) -> str:
        return f"${{{self.logical_id}.{self.attribute}}}" if self.attribute else f"${{{self.logical_id}}}"


@dataclass(frozen=True)
class Pattern:
    """Text with open places, written as Fn::Sub would: `arn:aws:sqs:${AWS::Region}:${AWS::AccountId}:jobs`.

    An open place holds a logical id (`${Queue}`, `${Queue.Arn}`), a parameter or a pseudo parameter.
    """

    text: str

    @property
    def places(self) -> tuple[str, ...]:
        return tuple(PLACEHOLDER.findall(self.text))

    @property
    def is_open(self) -> bool:
        """Nothing of the text is known."""
        return not PLACEHOLDER.sub("", self.text)


def text(value: object) -> str | None:
    """The value as text with open places; None for what is no text or quite unknown."""
    if isinstance(value, str):
        return value
    if isinstance(value, Reference | Pattern):
        return value.text
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    return None


def is_known(value: object) -> bool:
    """A plain value (None counts: the property is known to be absent)."""
    return not isinstance(value, Unknown | Reference | Pattern)


def is_true(value: object) -> bool:
    """CloudFormation takes the words for the booleans, too."""
    return value is True or (isinstance(value, str) and value.lower() == "true")


def is_false(value: object) -> bool:
    return value is False or (isinstance(value, str) and value.lower() == "false")


def number(value: object) -> float | None:
    """The value as a number; None where it is none or is not known. CloudFormation takes text for numbers."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return None
    return None


def items(value: object) -> list[object]:
    """The elements of a list; a single value counts as a list of one, nothing and UNKNOWN as an empty one."""
    if isinstance(value, list):
        return value
    return [] if value is None or value is UNKNOWN else [value]


def mapping(value: object) -> Mapping[str, object]:
    """The value when it is a mapping, and an empty one otherwise."""
    return value if isinstance(value, dict) else {}


def document(value: object) -> object:
    """A JSON document given as such or as text (a state machine's definition, a policy); UNKNOWN when unreadable.

    Open places of a text remain in the document's texts, as `Pattern`.
    """
    written = text(value)
    if written is None:
        return value
    if not isinstance(value, str | Pattern):
        return UNKNOWN
    try:
        # A place that stands for a number or a whole document is not JSON until it is deployed.
        return _patterns(json.loads(written))
    except (ValueError, RecursionError):
        return UNKNOWN


def _patterns(value: object) -> object:
    if isinstance(value, str) and PLACEHOLDER.search(value):
        return Pattern(value)
    if isinstance(value, list):
        return [_patterns(item) for item in value]
    if isinstance(value, dict):
        return {name: _patterns(item) for name, item in value.items()}
    return value


def walk(value: object) -> Iterator[object]:
    """The value and everything inside it."""
    open_values = [value]
    while open_values:
        current = open_values.pop()
        yield current
        if isinstance(current, list):
            open_values.extend(current)
        elif isinstance(current, dict):
            open_values.extend(current.values())
