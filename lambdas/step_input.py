"""The input of a step of the model pipeline. It does not know what the step does with it."""

from collections.abc import Mapping
from typing import Any


class MissingInputError(ValueError):
    """The state machine has not handed over what the step needs; the message names it."""


def required(event: Mapping[str, Any], *names: str) -> tuple[str, ...]:
    """The texts of these names, in this order; MissingInputError for the first that is absent or empty."""
    found = []
    for name in names:
        value = event.get(name)
        if not isinstance(value, str) or not value:
            raise MissingInputError(f"The input of this step has no {name}.")
        found.append(value)
    return tuple(found)
