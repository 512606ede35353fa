"""JSON as it is specified, with nothing let through that Python's reader is lenient about.

Refused, besides broken syntax: NaN and infinities, numbers beyond a double, integers of thousands of digits, keys
given twice, and nesting that would exhaust the stack. It does not know what the document means.
"""

import json
import math
from typing import Any, Final

_MAX_INTEGER_DIGITS: Final = 40


class BrokenJsonError(ValueError):
    """The text is no usable JSON; the message is one sentence and quotes nothing of it."""


def parse(text: str) -> object:
    """The document in ``text``; BrokenJsonError otherwise."""
    try:
        return json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_refuse_constant,
            parse_float=_finite_float,
            parse_int=_short_integer,
        )
    except BrokenJsonError:
        raise
    except RecursionError:
        raise BrokenJsonError("It is nested too deeply.") from None
    except json.JSONDecodeError as error:
        raise BrokenJsonError(f"It is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise BrokenJsonError("A key is given twice in one object.")
    return document


def _refuse_constant(_: str) -> object:
    raise BrokenJsonError("NaN and Infinity are no JSON numbers.")


def _finite_float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise BrokenJsonError("A number is too large.")
    return value


def _short_integer(digits: str) -> int:
    if len(digits) > _MAX_INTEGER_DIGITS:
        raise BrokenJsonError("A number is too large.")
    return int(digits)
