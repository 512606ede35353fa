"""Finds the places in a resource that a path names, also inside a state machine's definition.

A path is written with dots: `Properties.ProductionVariants.*.InitialInstanceCount`. `*` stands for every element of a
list or every value of a mapping, `**` for any depth, `[Effect=Deny]` for the elements of a list that hold that value,
`0` for the first. An arrow goes into a document that is kept as text: `Properties.DefinitionString -> States.End`.
What is done to a place it does not know.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

OPEN_PLACE = re.compile("\ue000(\\d+)\ue001")

Container = dict[str, Any] | list[Any]


@dataclass(frozen=True)
class Place:
    """One value of a resource: what holds it, and under which name or at which index."""

    container: Any
    key: str | int
    written_back: Callable[[], None] = lambda: None
    """Puts a changed document back as the text that the template keeps of it."""

    @property
    def value(self) -> Any:
        return self.container[self.key]

    def put(self, value: object) -> None:
        self.container[self.key] = value
        self.written_back()

    def remove(self) -> None:
        del self.container[self.key]
        self.written_back()


def places(resource: dict[str, Any], path: str) -> list[Place]:
    """Every place of the resource that the path names, in the order of the template."""
    outer, arrow, inner = path.partition(" -> ")
    found = [Place(container, key) for container, key in _walk(resource, outer.split("."))]
    if not arrow:
        return found
    return [place for holder in found for place in _inside(holder, inner)]


def _walk(value: Any, segments: list[str]) -> Iterator[tuple[Container, str | int]]:
    segment, rest = segments[0], segments[1:]
    if isinstance(value, dict) and value.keys() == {"Fn::If"}:
        # A path goes through both branches without a mention of them.
        for branch in value["Fn::If"][1:]:
            yield from _walk(branch, segments)
        return
    if segment == "**":
        yield from _walk(value, rest)
        for _, item in _entries(value):
            yield from _walk(item, segments)
        return
    for key in _keys(value, segment):
        if rest:
            yield from _walk(value[key], rest)
        else:
            yield value, key


def _entries(value: Any) -> list[tuple[Any, Any]]:
    if isinstance(value, dict):
        return list(value.items())
    return list(enumerate(value)) if isinstance(value, list) else []


def _keys(value: Any, segment: str) -> list[Any]:
    if segment == "*":
        return [key for key, _ in _entries(value)]
    if segment.startswith("["):
        name, _, wanted = segment[1:-1].partition("=")
        return [key for key, item in _entries(value) if isinstance(item, dict) and str(item.get(name)) == wanted]
    if isinstance(value, list):
        return [int(segment)] if segment.isdigit() and int(segment) < len(value) else []
    return [segment] if isinstance(value, dict) and segment in value else []


def _inside(holder: Place, path: str) -> list[Place]:
    """Places in a JSON document that a template keeps as text, or as an Fn::Sub or Fn::Join with references."""
    written = holder.value
    function = next(iter(written)) if isinstance(written, dict) else ""
    parts = [written] if not function else written[function][1] if function == "Fn::Join" else [written[function]]
    text = "".join(part if isinstance(part, str) else f"\ue000{index}\ue001" for index, part in enumerate(parts))
    document = json.loads(text)

    def write_back() -> None:
        changed = json.dumps(document, ensure_ascii=False)
        if function == "Fn::Join":
            pieces = OPEN_PLACE.split(changed)
            holder.put(
                {function: ["", [parts[int(piece)] if index % 2 else piece for index, piece in enumerate(pieces)]]}
            )
        else:
            holder.put({function: changed} if function else changed)

    return [Place(container, key, write_back) for container, key in _walk(document, path.split("."))]
