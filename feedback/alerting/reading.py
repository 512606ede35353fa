"""Reads a JSON document written by a person: what is wrong is said with its place, a JSON pointer, and the reason.

It does not know what the document is about.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NoReturn

TEXT_LIMIT: Final = 400
NAME_LIMIT: Final = 64


class PolicyError(ValueError):
    """The policy is no policy: ``place`` says where (a JSON pointer), ``reason`` why."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place or '/'} {reason}")
        self.place = place
        self.reason = reason


class Node:
    """A value of the document and where it stands."""

    def __init__(self, value: object, place: str = "") -> None:
        self.value = value
        self.place = place

    def refuse(self, reason: str) -> NoReturn:
        """Raise the error about this value."""
        raise PolicyError(self.place, reason)

    def fields(self, *, required: Iterable[str] = (), optional: Iterable[str] = ()) -> dict[str, "Node"]:
        """The fields of an object; what is unknown is refused, so that a misspelt rule does not silently not apply."""
        fields = dict(self.entries())
        required = tuple(required)
        known = {*required, *optional}
        for name, node in fields.items():
            if name not in known:
                node.refuse(f"is unknown here; known are {', '.join(sorted(known))}")
        for name in required:
            if name not in fields:
                self.refuse(f"has no {name}")
        return fields

    def entries(self) -> Iterator[tuple[str, "Node"]]:
        """The names of an object with their values, in order."""
        if not isinstance(self.value, Mapping):
            self.refuse("is no object")
        for name, value in self.value.items():
            yield name, Node(value, f"{self.place}/{name.replace('~', '~0').replace('/', '~1')}")

    def items(self, *, least: int = 1) -> list["Node"]:
        """The entries of an array."""
        if not isinstance(self.value, list):
            self.refuse("is no array")
        if len(self.value) < least:
            self.refuse(f"needs at least {least} entry")
        return [Node(value, f"{self.place}/{index}") for index, value in enumerate(self.value)]

    def text(self, *, limit: int = TEXT_LIMIT) -> str:
        """A text that says something."""
        if not isinstance(self.value, str) or not self.value.strip():
            self.refuse("is no text")
        if len(self.value) > limit:
            self.refuse(f"is longer than {limit} characters")
        return self.value

    def name(self) -> str:
        """A short text of letters, digits, dots, dashes and underscores, which may stand in keys and messages."""
        text = self.text(limit=NAME_LIMIT)
        if not all(character.isascii() and (character.isalnum() or character in "-_.") for character in text):
            self.refuse("is no name: letters, digits, dots, dashes and underscores only")
        return text

    def choice(self, known: Iterable[str]) -> str:
        """One of the known words."""
        words = tuple(known)
        if not isinstance(self.value, str) or self.value not in words:
            self.refuse(f"is none of {', '.join(words)}")
        return self.value

    def number(self, low: float, high: float) -> float:
        """A number from ``low`` to ``high``."""
        if isinstance(self.value, bool) or not isinstance(self.value, int | float) or not math.isfinite(self.value):
            self.refuse("is no number")
        if not low <= self.value <= high:
            self.refuse(f"is not from {low:g} to {high:g}")
        return float(self.value)

    def whole(self, low: int, high: int) -> int:
        """A whole number from ``low`` to ``high``."""
        number = self.number(low, high)
        if not number.is_integer():
            self.refuse("is no whole number")
        return int(number)

    def flag(self) -> bool:
        """True or false."""
        if not isinstance(self.value, bool):
            self.refuse("is neither true nor false")
        return self.value
