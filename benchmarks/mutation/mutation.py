"""One single-fault mutation as the table declares it, and to which resources it is kept."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.mutation.operators import Operator, mentions
from benchmarks.mutation.places import places

Meant = Callable[[dict[str, Any], str], bool]


@dataclass(frozen=True, kw_only=True)
class Mutation:
    """What is broken: at every place of the path, in every resource of the type, one at a time.

    Without an operator the resource itself is deleted, with the references to it. `meant` keeps the mutation to some of
    the resources: it is asked with the template and the logical id.
    """

    id: str
    type: str
    why: str
    path: str = ""
    do: Operator | None = None
    meant: Meant | None = None


def change(id_: str, type_: str, path: str, do: Operator, why: str, meant: Meant | None = None) -> Mutation:
    """A mutation of a property, or of an attribute beside the properties."""
    return Mutation(id=id_, type=type_, path=path, do=do, why=why, meant=meant)


def delete(id_: str, type_: str, why: str, meant: Meant | None = None) -> Mutation:
    """A mutation that takes the whole resource away."""
    return Mutation(id=id_, type=type_, why=why, meant=meant)


def holding(path: str, value: object) -> Meant:
    """Only resources that hold this value at the path."""

    def meant(template: dict[str, Any], logical_id: str) -> bool:
        return any(place.value == value for place in places(template["Resources"][logical_id], path))

    return meant


def _given_name(resource: dict[str, Any]) -> str:
    """The name that the template gives to a resource, as it is written."""
    for key, name in resource.get("Properties", {}).items():
        if key in ("AlarmName", "QueueName"):
            return str(name.get("Fn::Sub", "")) if isinstance(name, dict) else str(name)
    return ""


def named_under(*keys: str) -> Meant:
    """Only resources to which another refers under one of these keys, or which it names there."""

    def meant(template: dict[str, Any], logical_id: str) -> bool:
        found = [
            place.value
            for other in template["Resources"].values()
            for key in keys
            for place in places(other, f"**.{key}")
        ]
        name = _given_name(template["Resources"][logical_id])
        alone = re.compile(re.escape(name) + r"(?![\w-])") if name else None
        return any(mentions(value, logical_id) or (alone and alone.search(json.dumps(value))) for value in found)

    return meant


def unnamed_under(*keys: str) -> Meant:
    """Only resources to which no other refers under one of these keys."""
    named = named_under(*keys)
    return lambda template, logical_id: not named(template, logical_id)


def having(path: str) -> Meant:
    """Only resources that have the path."""
    return lambda template, logical_id: bool(places(template["Resources"][logical_id], path))
