"""A CloudFormation template as rules see it: its resources, their values, and who refers to whom.

Responsible for the parts of a template, for following references in both directions, by logical id and by name, and for
saying what it could not expand. It knows no rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from policy.loops import expand_loops
from policy.names import ALIASES, NAME_PROPERTIES
from policy.reading import TemplateError, read_file, read_text
from policy.resolution import PSEUDO_PARAMETERS, Resolver, function_of
from policy.values import UNKNOWN, Pattern, Reference, document, items, text

__all__ = ["Resource", "Template", "TemplateError"]

LANGUAGE_EXTENSIONS = "AWS::LanguageExtensions"


@dataclass(frozen=True, kw_only=True, eq=False)
class Resource:
    """One resource. `properties` are raw, as written; `value` and its kin resolve them."""

    logical_id: str
    type: str
    properties: Mapping[str, Any]
    metadata: Mapping[str, Any]
    deletion_policy: object
    update_replace_policy: object
    condition: str | None
    depends_on: tuple[str, ...]
    template: Template = field(repr=False)

    def value(self, *path: str | int) -> object:
        """The resolved value at a path of its properties: None where nothing is there, UNKNOWN where it is open."""
        found = self.values(*path)
        return found[0] if len(found) == 1 else UNKNOWN

    def values(self, *path: str | int) -> list[object]:
        """Every value that the path may have, as open conditions turn out."""
        return self.template.resolver.values_at(self.properties, path)

    def items(self, *path: str | int) -> list[object]:
        """The elements of the list at a path (of every list that it may be); none where it is absent or UNKNOWN."""
        return [item for value in self.values(*path) for item in items(value)]

    def document(self, *path: str | int) -> object:
        """The JSON document at a path, whether written as a mapping or as text."""
        return document(self.value(*path))

    def has(self, *path: str | int) -> bool:
        """Something is there, whichever way open conditions turn out; what is unknown counts as there."""
        return all(value not in (None, "", [], {}) for value in self.values(*path))

    @cached_property
    def name(self) -> str | None:
        """The name that the template gives to it, as text with open places; None where CloudFormation makes one up."""
        property_ = NAME_PROPERTIES.get(self.type)
        if property_ is None or property_ not in self.properties:
            return None
        raw = self.properties[property_]
        if self.template.resolve(raw) is None:
            return None
        return self.template.label(raw)


class Template:
    """One template. Make it with `load` or `parse`."""

    def __init__(self, read: Mapping[str, Any], *, source: str) -> None:
        self.source = source
        self.notices: list[str] = []
        self.raw = expand_loops(read)
        self.metadata: Mapping[str, Any] = self._section("Metadata")
        self.parameters = self._section("Parameters")
        self.conditions = self._section("Conditions")
        self.outputs = self._section("Outputs")
        raw_resources = self._section("Resources")
        if not raw_resources:
            raise TemplateError("it is not a CloudFormation template: it has no Resources")
        self.resolver = Resolver(
            parameters=self.parameters,
            mappings=self._section("Mappings"),
            conditions=self.conditions,
            logical_ids=raw_resources,
        )
        self.resources: Mapping[str, Resource] = {
            logical_id: self._resource(logical_id, raw)
            for logical_id, raw in raw_resources.items()
            if not self._is_macro(logical_id)
        }
        self._by_type: dict[str, list[Resource]] = {}
        for resource in self.resources.values():
            self._by_type.setdefault(resource.type, []).append(resource)
        self._note_what_is_not_expanded()

    @classmethod
    def load(cls, path: Path) -> Template:
        """The template in a file; `TemplateError` where it cannot be read."""
        return cls(read_file(path), source=str(path))

    @classmethod
    def parse(cls, written: str, *, source: str) -> Template:
        """The template in a text; `TemplateError` where it cannot be read."""
        return cls(read_text(written), source=source)

    # ---- parts ---------------------------------------------------------------------------------------------------
    def _section(self, name: str) -> Mapping[str, Any]:
        section = self.raw.get(name)
        if section is None:
            return {}
        if not isinstance(section, dict):
            raise TemplateError(f"its section {name} is no mapping")
        return section

    def _resource(self, logical_id: str, raw: object) -> Resource:
        if not isinstance(raw, dict):
            raise TemplateError(f"its resource {logical_id} is no mapping")
        type_ = raw.get("Type")
        if not isinstance(type_, str):
            raise TemplateError(f"its resource {logical_id} has no Type")
        properties = raw.get("Properties")
        if properties is not None and not isinstance(properties, dict):
            raise TemplateError(f"the Properties of its resource {logical_id} are no mapping")
        metadata = raw.get("Metadata")
        condition = raw.get("Condition")
        return Resource(
            logical_id=logical_id,
            type=type_,
            properties=properties or {},
            metadata=metadata if isinstance(metadata, dict) else {},
            deletion_policy=self.resolve(raw.get("DeletionPolicy")),
            update_replace_policy=self.resolve(raw.get("UpdateReplacePolicy")),
            condition=condition if isinstance(condition, str) else None,
            depends_on=tuple(name for name in items(raw.get("DependsOn")) if isinstance(name, str)),
            template=self,
        )

    @staticmethod
    def _is_macro(logical_id: str) -> bool:
        return logical_id == "Fn::Transform" or logical_id.startswith("Fn::ForEach::")

    def of_type(self, *types: str) -> list[Resource]:
        """Its resources of these types, in the order of the types and of the template."""
        return [resource for type_ in types for resource in self._by_type.get(type_, ())]

    @cached_property
    def is_partly_unseen(self) -> bool:
        """A macro or an include may add resources and properties that are not in the text."""
        return any("macro" in notice or "include" in notice for notice in self.notices)

    def _note_what_is_not_expanded(self) -> None:
        for name in items(self.raw.get("Transform")):
            name = name.get("Name") if isinstance(name, dict) else name
            if name == "AWS::Serverless-2016-10-31":
                self.notices.append(
                    "it uses AWS SAM, which is not expanded: its AWS::Serverless resources are not judged"
                )
            elif name != LANGUAGE_EXTENSIONS:
                self.notices.append(f"it uses the macro {name}, which is not expanded")
        for logical_id in self.raw["Resources"]:
            if logical_id.startswith("Fn::ForEach::"):
                self.notices.append(
                    f"the loop {logical_id} is not expanded: its collection is not known; a macro's result"
                )
            elif logical_id == "Fn::Transform":
                self.notices.append("its Resources use an include or macro, which is not expanded")
        for resource in self.resources.values():
            if resource.type in ("AWS::CloudFormation::Stack", "AWS::Serverless::Application"):
                self.notices.append(
                    f"the template of the nested stack {resource.logical_id} is not read: check it by itself"
                )
            elif resource.type.endswith("::MODULE"):
                self.notices.append(f"{resource.logical_id} is a module ({resource.type}), which is not expanded")
            elif "Fn::Transform" in resource.properties:
                self.notices.append(
                    f"the properties of {resource.logical_id} use an include or macro, which is not expanded"
                )

    # ---- values --------------------------------------------------------------------------------------------------
    def resolve(self, raw: object) -> object:
        """A raw value worked out; see `policy.values`."""
        return self.resolver.resolve(raw)

    def possibilities(self, raw: object) -> list[object]:
        """Every value that a raw value may have, as open conditions turn out."""
        return self.resolver.possibilities(raw)

    def label(self, raw: object) -> str:
        """A raw value as text with open places, for comparing two of them."""
        return self.resolver.label(raw)

    # ---- references ----------------------------------------------------------------------------------------------
    def references(self, value: object) -> set[str]:
        """Logical ids of the resources to which a value refers anywhere inside it, raw or resolved."""
        found = {name for _, name in self.resolver.referred_names(value)}
        open_values = [value]
        while open_values:
            current = open_values.pop()
            if isinstance(current, Reference):
                found.add(current.logical_id)
            elif isinstance(current, Pattern):
                found.update(place.partition(".")[0] for place in current.places)
            elif isinstance(current, list):
                open_values.extend(current)
            elif isinstance(current, dict):
                open_values.extend(current.values())
        return found & self.resources.keys()

    def target(self, value: object, *types: str) -> Resource | None:
        """The resource of this template (of one of the types) that a resolved value names: by reference, name or ARN.

        An alias or a version of a function stands for the function.
        """
        for found in self.targets(value):
            resource: Resource | None = found
            seen: set[str] = set()
            while resource is not None and resource.logical_id not in seen:
                if not types or resource.type in types:
                    return resource
                seen.add(resource.logical_id)
                behind = ALIASES.get(resource.type)
                resource = next(iter(self.targets(resource.value(behind))), None) if behind else None
        return None

    def targets(self, value: object) -> list[Resource]:
        """Every resource of this template that a resolved value (no list or mapping) names."""
        written = text(value)
        return [self.resources[logical_id] for logical_id in self._named_in(written)] if written else []

    def is_elsewhere(self, value: object) -> bool:
        """The value certainly or possibly names something that is not in this template."""
        found = self.targets(value)
        return not found or any(resource.type == "AWS::CloudFormation::Stack" for resource in found)

    def _named_in(self, written: str) -> list[str]:
        if written in self._names_seen:
            return self._names_seen[written]
        found: list[str] = []
        for place in re.findall(r"\$\{([^${}]+)\}", written):
            logical_id = place.partition(".")[0]
            if logical_id in self.resources and logical_id not in found:
                found.append(logical_id)
        for name in self._name_pattern.findall(written) if self._names else ():
            found.extend(logical_id for logical_id in self._names[name] if logical_id not in found)
        self._names_seen[written] = found
        return found

    @cached_property
    def _names_seen(self) -> dict[str, list[str]]:
        return {}

    @cached_property
    def _names(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for resource in self.resources.values():
            if resource.name:
                found.setdefault(resource.name, []).append(resource.logical_id)
        return found

    @cached_property
    def _name_pattern(self) -> re.Pattern[str]:
        """A name counts where it stands by itself: alone, or between the separators of an ARN, a URL or a path."""
        names = sorted(self._names, key=len, reverse=True)
        return re.compile(rf"(?<![^:/,\s\"'])({'|'.join(map(re.escape, names))})(?![^:/,\s\"'*])")

    @cached_property
    def _mentions(self) -> dict[str, set[str]]:
        return {resource.logical_id: self.mentioned(resource.properties) for resource in self.resources.values()}

    def mentioned(self, raw: object) -> set[str]:
        """Logical ids that a raw value refers to, and those whose given name stands in one of its texts."""
        found = self.references(raw)
        for written in self._texts(raw):
            found.update(self._named_in(written))
        return found

    def _texts(self, raw: object) -> Iterator[str]:
        if function_of(raw) in ("Fn::Sub", "Fn::Join"):
            resolved = text(self.resolve(raw))
            if resolved:
                yield resolved
        if isinstance(raw, str):
            yield raw
        elif isinstance(raw, list):
            for item in raw:
                yield from self._texts(item)
        elif isinstance(raw, dict):
            for item in raw.values():
                yield from self._texts(item)

    @cached_property
    def _mentioned_by(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for logical_id, mentioned in self._mentions.items():
            for other in mentioned - {logical_id}:
                found.setdefault(other, []).append(logical_id)
        return found

    def referrers(self, resource: Resource, *types: str) -> list[Resource]:
        """The resources (of these types, or of any) whose properties name this one, by logical id or given name."""
        found = (self.resources[logical_id] for logical_id in self._mentioned_by.get(resource.logical_id, ()))
        return [other for other in found if not types or other.type in types]

    def undefined_names(self) -> Iterator[tuple[str, str]]:
        """(logical id, name) of every reference to something that the template does not hold."""
        if self.is_partly_unseen:
            return
        known = self.raw["Resources"].keys() | self.parameters.keys() | PSEUDO_PARAMETERS
        for resource in self.resources.values():
            written = self.raw["Resources"][resource.logical_id]
            for function, name in self.resolver.referred_names(written.get("Properties")):
                holds = self.conditions.keys() if function == "Fn::If" else known
                if name not in holds:
                    yield resource.logical_id, name
            for name in resource.depends_on:
                if name not in self.resources:
                    yield resource.logical_id, name
            if resource.condition is not None and resource.condition not in self.conditions:
                yield resource.logical_id, resource.condition

    def circles(self) -> list[tuple[str, ...]]:
        """Resources that depend on each other in a circle, one tuple for each circle; CloudFormation refuses those."""
        edges = {
            resource.logical_id: sorted(
                self.references(resource.properties) | (set(resource.depends_on) & self.resources.keys())
            )
            for resource in self.resources.values()
        }
        return _circles(edges)


def _circles(edges: Mapping[str, Iterable[str]]) -> list[tuple[str, ...]]:
    """Circles that a walk in depth comes upon, without recursion: a chain may be as long as the template."""
    found: list[tuple[str, ...]] = []
    done: set[str] = set()
    for start in edges:
        if start in done:
            continue
        path = [start]
        on_path = {start}
        left = [iter(edges[start])]
        while path:
            following = next(left[-1], None)
            if following is None:
                left.pop()
                last = path.pop()
                on_path.discard(last)
                done.add(last)
            elif following in on_path:
                found.append(tuple(path[path.index(following) :]))
            elif following not in done:
                path.append(following)
                on_path.add(following)
                left.append(iter(edges[following]))
    return found
