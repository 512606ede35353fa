"""Reads the parts of a resource as a rule needs them: every value that a place may have, element by element of a list.

Responsible for walking into raw values through lists and open conditions, and for the small questions that rules ask of
what they find there. A question is answered with yes where only the deployment knows. It knows no resource type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from policy.resolution import function_of
from policy.rule import Fault
from policy.template import Resource, Template
from policy.values import UNKNOWN, Pattern, is_false, is_known, is_true, number, text

Holds = Callable[[object], bool]


class Part:
    """A raw value of a template with everything inside it."""

    def __init__(self, template: Template, raw: object) -> None:
        self.template = template
        self.raw = raw

    @classmethod
    def of(cls, resource: Resource) -> Part:
        """The properties of a resource."""
        return cls(resource.template, resource.properties)

    def values(self, path: str) -> list[object]:
        """Every value that the path (names joined by dots) may have; None where nothing is there."""
        return self.template.resolver.values_at(self.raw, tuple(path.split(".")))

    def value(self, path: str) -> object:
        """The value at the path, and UNKNOWN where it may have several."""
        found = self.values(path)
        return found[0] if len(found) == 1 else UNKNOWN

    def has(self, path: str) -> bool:
        """Something is there, whichever way open conditions turn out; what is unknown counts as there."""
        return all(value not in (None, "", [], {}) for value in self.values(path))

    def may_have(self, path: str) -> bool:
        """Something is there under some condition."""
        return any(value not in (None, "", [], {}) for value in self.values(path))

    def at(self, path: str) -> list[Part]:
        """The parts at a path, one for each branch of an open condition; none where nothing is there."""
        found = [self.raw]
        for name in path.split("."):
            branches = [branch for raw in found for branch in self._branches(raw)]
            found = [branch[name] for branch in branches if isinstance(branch, dict) and name in branch]
        return [Part(self.template, branch) for raw in found for branch in self._branches(raw)]

    def each(self, path: str) -> list[Part]:
        """The elements of the list at a path, those of every branch; a single value counts as a list of one."""
        elements = [
            element for part in self.at(path) for element in (part.raw if isinstance(part.raw, list) else [part.raw])
        ]
        return [Part(self.template, branch) for element in elements for branch in self._branches(element)]

    def _branches(self, raw: object) -> Iterator[object]:
        """The raw values that it may be; AWS::NoValue is none, and what another function gives counts as it is."""
        function = function_of(raw)
        if function == "Fn::If" and isinstance(raw, dict):
            arguments = raw[function]
            if isinstance(arguments, list) and len(arguments) == 3 and isinstance(arguments[0], str):
                holds = self.template.resolver.condition(arguments[0])
                for branch in arguments[1:] if holds is None else [arguments[1 if holds else 2]]:
                    yield from self._branches(branch)
        elif function is None:
            yield raw
        else:
            yield from (value for value in self.template.possibilities(raw) if value is not None)


def broken(template: Template, types: str | tuple[str, ...], path: str, holds: Holds) -> Iterator[Fault]:
    """Resources of these types with a value at the path that does not hold. `*` in it is each element of a list."""
    for resource in template.of_type(*((types,) if isinstance(types, str) else types)):
        for detail in failing(Part.of(resource), path, holds):
            yield Fault(resource, detail)


def failing(part: Part, path: str, holds: Holds) -> Iterator[str]:
    """For each place at the path whose value does not hold: a few words on it."""
    before, star, after = path.partition(".*.")
    if star:
        for element in part.each(before):
            yield from failing(element, after, holds)
        return
    for value in part.values(path):
        if not holds(value):
            yield f"{path} is {shown(value)}"


def shown(value: object) -> str:
    """A value in the few words of a detail; long ones and those with parts are not spelled out."""
    if value is None:
        return "not set"
    written = text(value)
    return written[:60] if written else "empty" if value in ([], {}, "") else "set otherwise"


# ---- questions -------------------------------------------------------------------------------------------------------
def present(value: object) -> bool:
    return value not in (None, "", [], {})


def on(value: object) -> bool:
    return is_true(value) or not is_known(value)


def off(value: object) -> bool:
    return is_false(value) or not is_known(value)


def not_on(value: object) -> bool:
    """Off, or left to a default that is off."""
    return not is_true(value)


def one_of(*wanted: str) -> Holds:
    return lambda value: not is_known(value) or text(value) in wanted


def at_least(least: float) -> Holds:
    return lambda value: not is_known(value) or ((found := number(value)) is not None and found >= least)


def at_most_if_set(most: float) -> Holds:
    return lambda value: (
        value is None or not is_known(value) or ((found := number(value)) is not None and found <= most)
    )


def own_key(value: object) -> bool:
    """A KMS key that is not one of AWS's own (`alias/aws/...`)."""
    if not present(value):
        return False
    return not (isinstance(value, str | Pattern) and "alias/aws/" in (text(value) or ""))
