"""Reads a function's settings from its environment, all of them or none.

It does not know which settings there are: a function declares them as the fields of a frozen dataclass, ``str`` or
``float``, and the variable of a field is its name in upper case.
"""

import math
import os
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

SettingsType = TypeVar("SettingsType", bound="Environment")


class WrongEnvironmentError(RuntimeError):
    """Variables are missing or wrong; the message names every one of them."""


class Environment:
    """The base of every ``Settings``."""

    @classmethod
    def environment_names(cls) -> tuple[str, ...]:
        """The variables that the function needs, in the order of the fields."""
        return tuple(field.name.upper() for field in fields(cls))  # type: ignore[arg-type]  # the subclass is one

    @classmethod
    def from_env(cls: type[SettingsType], environment: Mapping[str, str] | None = None) -> SettingsType:
        """The settings in ``environment``, by default the process's own."""
        source = os.environ if environment is None else environment
        values: dict[str, Any] = {}
        complaints = []
        for field in fields(cls):  # type: ignore[arg-type]  # the subclass is a dataclass
            name = field.name.upper()
            try:
                values[field.name] = _read(source.get(name, ""), field.type)
            except ValueError as error:
                complaints.append(f"{name} {error}")
        if complaints:
            raise WrongEnvironmentError(f"The environment of the function is wrong: {'; '.join(complaints)}.")
        try:
            return cls(**values)
        except ValueError as error:
            raise WrongEnvironmentError(f"The environment of the function is wrong: {error}.") from error


def _read(value: str, type_: object) -> str | float:
    if not value.strip():
        raise ValueError("is missing")
    if type_ is str:
        return value
    if type_ is not float:
        raise TypeError(f"a setting is a str or a float, not {type_}")
    try:
        number = float(value)
    except ValueError:
        raise ValueError("is not a number") from None
    if not math.isfinite(number):
        raise ValueError("is not a finite number")
    return number
