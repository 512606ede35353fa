"""Expands `Fn::ForEach` of the AWS::LanguageExtensions transform where its collection stands in the template.

A loop whose collection is only known at deployment is left as it is. It does not know the other functions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PREFIX = "Fn::ForEach::"
# CloudFormation allows 500 resources; a loop of loops must not be able to ask for more work than that is worth.
MOST_COPIES = 2_000


def expand_loops(read: Mapping[str, Any]) -> dict[str, Any]:
    """The template with every loop that can be expanded written out."""
    return _Expansion(read.get("Parameters")).mapping(read)


class _Expansion:
    def __init__(self, parameters: object) -> None:
        self._parameters: Mapping[str, Any] = parameters if isinstance(parameters, dict) else {}
        self._copies = 0

    def mapping(self, written: Mapping[str, Any]) -> dict[str, Any]:
        if not _holds_loop(written):
            return dict(written)
        return self._expand(dict(written), {})

    def _expand(self, written: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
        expanded: dict[str, Any] = {}
        for key, value in written.items():
            looped = self._loop(key, value, names) if key.startswith(PREFIX) else None
            if looped is None:
                expanded[_named(key, names)] = self._value(value, names)
            else:
                expanded.update(looped)
        return expanded

    def _value(self, value: Any, names: Mapping[str, str]) -> Any:
        if isinstance(value, list):
            return [self._value(item, names) for item in value]
        if isinstance(value, dict):
            if len(value) == 1 and value.get("Ref") in names if isinstance(value.get("Ref"), str) else False:
                return names[value["Ref"]]
            return self._expand(value, names)
        return _named(value, names) if isinstance(value, str) else value

    def _loop(self, key: str, value: Any, names: Mapping[str, str]) -> dict[str, Any] | None:
        if not (
            isinstance(value, list) and len(value) == 3 and isinstance(value[0], str) and isinstance(value[2], dict)
        ):
            return None
        collection = self._collection(self._value(value[1], names))
        if collection is None:
            return None
        expanded: dict[str, Any] = {}
        for item in collection:
            self._copies += 1
            if self._copies > MOST_COPIES:
                return None
            expanded.update(self._expand(value[2], {**names, value[0]: item}))
        return expanded

    def _collection(self, value: Any) -> list[str] | None:
        if isinstance(value, dict) and len(value) == 1 and isinstance(value.get("Ref"), str):
            declared = self._parameters.get(value["Ref"])
            default = declared.get("Default") if isinstance(declared, dict) else None
            return [item.strip() for item in default.split(",")] if isinstance(default, str) else None
        if isinstance(value, list) and all(isinstance(item, str | int) for item in value):
            return [str(item) for item in value]
        return None


def _holds_loop(value: Any) -> bool:
    open_values = [value]
    while open_values:
        current = open_values.pop()
        if isinstance(current, dict):
            if any(isinstance(key, str) and key.startswith(PREFIX) for key in current):
                return True
            open_values.extend(current.values())
        elif isinstance(current, list):
            open_values.extend(current)
    return False


def _named(written: str, names: Mapping[str, str]) -> str:
    for name, item in names.items():
        written = written.replace(f"${{{name}}}", item).replace(f"&{{{name}}}", item)
    return written
