"""Works out CloudFormation's intrinsic functions as far as a template by itself allows.

Parameters count with their defaults, conditions are true, false or open, and where one is open both of its branches are
possible. It knows functions, not resource types, and reads nothing but the template.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Final, TypeGuard

from policy.values import PLACEHOLDER, UNKNOWN, Pattern, Reference, is_known, number, text

PSEUDO_PARAMETERS = frozenset(
    f"AWS::{name}"
    for name in ("AccountId", "NotificationARNs", "NoValue", "Partition", "Region", "StackId", "StackName", "URLSuffix")
)  # fmt: skip
# What only another stack, the region or the account can answer.
ANSWERED_ELSEWHERE = frozenset(
    ("Fn::ImportValue", "Fn::GetStackOutput", "Fn::GetAZs", "Fn::Cidr", "Fn::Transform", "Fn::RefAll", "Fn::ValueOf",
     "Fn::ValueOfAll", "Fn::Contains", "Fn::EachMemberEquals", "Fn::EachMemberIn")
)  # fmt: skip
FUNCTIONS = ANSWERED_ELSEWHERE | frozenset(
    ("Ref", "Condition", "Fn::And", "Fn::Or", "Fn::Not", "Fn::Equals", "Fn::Base64", "Fn::FindInMap", "Fn::GetAtt",
     "Fn::If", "Fn::Join", "Fn::Length", "Fn::Select", "Fn::Split", "Fn::Sub", "Fn::ToJsonString")
)  # fmt: skip
# Open conditions inside one another would multiply; past this many, what is left out is judged by its siblings.
MOST_ALTERNATIVES = 32


class _NoValue(Enum):
    """`AWS::NoValue`: the property is not there."""

    NO_VALUE = "no value"


NO_VALUE: Final = _NoValue.NO_VALUE


def function_of(raw: object) -> str | None:
    """The intrinsic function that a raw value is, if it is one."""
    if isinstance(raw, dict) and len(raw) == 1:
        (name,) = raw
        return name if name in FUNCTIONS else None
    return None


class Resolver:
    """The values of one template. Raw values go in, as they were read; see `policy.values` for what comes out."""

    def __init__(
        self,
        *,
        parameters: Mapping[str, object],
        mappings: Mapping[str, object],
        conditions: Mapping[str, object],
        logical_ids: Iterable[str],
    ) -> None:
        self._parameters = parameters
        self._mappings = mappings
        self._conditions = conditions
        self._logical_ids = frozenset(logical_ids)
        self._decided: dict[str, bool | None] = {}
        self._in_progress: list[str] = []
        self.circular_conditions: set[str] = set()

    # ---- values --------------------------------------------------------------------------------------------------
    def resolve(self, raw: object) -> object:
        """The value, and `UNKNOWN` where the possibilities differ; None for AWS::NoValue."""
        value = self._one(raw)
        return None if value is NO_VALUE else value

    def possibilities(self, raw: object) -> list[object]:
        """Every value that it may have, as open conditions turn out; None for AWS::NoValue."""
        return [None if value is NO_VALUE else value for value in self._alternatives(raw)]

    def values_at(self, raw: object, path: tuple[str | int, ...]) -> list[object]:
        """Every possible value at a path of keys and positions; None where nothing is there."""
        if not path:
            return self.possibilities(raw)
        found: list[object] = []
        for branch in self._branches(raw):
            found.extend(self._inside(branch, path))
        return _distinct(found)

    def _inside(self, branch: object, path: tuple[str | int, ...]) -> list[object]:
        if function_of(branch) is not None:
            # What a function gives is plain: going on inside it needs no more resolution.
            return [_plain_at(value, path) for value in self.possibilities(branch)]
        step, rest = path[0], path[1:]
        if isinstance(branch, dict):
            if step in branch:
                return self.values_at(branch[step], rest)
            return [UNKNOWN] if "Fn::Transform" in branch else [None]
        if isinstance(branch, list) and isinstance(step, int):
            return self.values_at(branch[step], rest) if step < len(branch) else [None]
        return [None]

    def _branches(self, raw: object) -> list[object]:
        """The raw value itself, or the raw values among which conditions choose."""
        if function_of(raw) != "Fn::If":
            return [raw]
        found: list[object] = []
        for branch in self._chosen(raw):
            found.extend(self._branches(branch))
        return found[:MOST_ALTERNATIVES]

    def _chosen(self, raw: object) -> list[object]:
        arguments = raw["Fn::If"] if isinstance(raw, dict) else None
        if not (isinstance(arguments, list) and len(arguments) == 3 and isinstance(arguments[0], str)):
            return []
        holds = self.condition(arguments[0])
        return arguments[1:] if holds is None else [arguments[1] if holds else arguments[2]]

    def _one(self, raw: object) -> object:
        values = self._alternatives(raw)
        return values[0] if len(values) == 1 else UNKNOWN

    def _alternatives(self, raw: object) -> list[object]:
        function = function_of(raw)
        if function is None:
            return [self._composed(raw)]
        argument = raw[function] if isinstance(raw, dict) else None
        if function == "Fn::If":
            chosen = [value for branch in self._chosen(raw) for value in self._alternatives(branch)]
            return _distinct(chosen) or [UNKNOWN]
        if function == "Fn::FindInMap":
            return self._find_in_map(argument)
        if function == "Fn::Select":
            return self._select(argument)
        return [self._answer(function, argument, raw)]

    def _composed(self, raw: object) -> object:
        if isinstance(raw, list):
            # Every element that may be in the list is looked at: an open condition adds both of its branches.
            return [value for item in raw for value in self._alternatives(item) if value is not NO_VALUE]
        if isinstance(raw, dict):
            resolved = ((name, self._one(item)) for name, item in raw.items())
            return {name: value for name, value in resolved if value is not NO_VALUE}
        return raw

    def _answer(self, function: str, argument: object, raw: object) -> object:
        if function == "Ref":
            return self._ref(argument)
        if function == "Fn::GetAtt":
            return self._attribute(argument)
        if function == "Fn::Sub":
            return self._sub(argument)
        if function == "Fn::Join":
            return self._join(argument)
        if function in ("Fn::Base64", "Fn::ToJsonString"):
            # What is encoded matters to a rule, the encoding does not.
            return self._one(argument)
        if function == "Fn::Split":
            return self._split(argument)
        if function == "Fn::Length":
            counted = self._one(argument)
            return len(counted) if isinstance(counted, list) else UNKNOWN
        if function in ("Condition", "Fn::And", "Fn::Or", "Fn::Not", "Fn::Equals"):
            # `Condition` is also the key of a policy statement that holds nothing else.
            if function == "Condition" and not isinstance(argument, str):
                return self._composed(raw)
            holds = self._holds(raw)
            return UNKNOWN if holds is None else holds
        return UNKNOWN

    def _ref(self, name: object) -> object:
        if not isinstance(name, str):
            return UNKNOWN
        if name == "AWS::NoValue":
            return NO_VALUE
        if name == "AWS::NotificationARNs":
            return UNKNOWN
        if name in PSEUDO_PARAMETERS:
            return Pattern(f"${{{name}}}")
        if name in self._logical_ids:
            return Reference(name)
        if name in self._parameters:
            return _parameter(self._parameters[name])
        return UNKNOWN

    def _attribute(self, argument: object) -> object:
        parts = argument.split(".", 1) if isinstance(argument, str) else argument
        if not (isinstance(parts, list) and len(parts) == 2 and isinstance(parts[0], str)):
            return UNKNOWN
        attribute = self._one(parts[1])
        if parts[0] not in self._logical_ids:
            return UNKNOWN
        return Reference(parts[0], attribute if isinstance(attribute, str) else "?")

    # ---- text ----------------------------------------------------------------------------------------------------
    def label(self, raw: object) -> str:
        """The value as text in which equal open places have equal names, so that two texts can be compared."""
        value = self._one(raw)
        written = text(value)
        if written is not None:
            return written
        if function_of(raw) == "Ref" and isinstance(raw, dict):
            return f"${{{raw['Ref']}}}"
        return "${" + re.sub(r'[${}"\n]', "", json.dumps(raw, default=str))[:120] + "}"

    def _sub(self, argument: object) -> object:
        variables: Mapping[str, object] = {}
        if isinstance(argument, list) and len(argument) == 2 and isinstance(argument[1], dict):
            argument, variables = argument
        if not isinstance(argument, str):
            return UNKNOWN
        parts: list[tuple[str, bool]] = []
        position = 0
        for found in re.finditer(r"\$\{([^}]*)\}", argument):
            parts.append((argument[position : found.start()], False))
            position = found.end()
            parts.append(self._place(found[1].strip(), variables))
        parts.append((argument[position:], False))
        return self._text(parts)

    def _place(self, name: str, variables: Mapping[str, object]) -> tuple[str, bool]:
        if name.startswith("!"):
            return f"${{{name[1:]}}}", False
        raw: object = variables.get(name)
        if raw is None:
            raw = {"Fn::GetAtt": name.split(".", 1)} if "." in name else {"Ref": name}
        return self._part(raw)

    def _part(self, raw: object) -> tuple[str, bool]:
        value = self._one(raw)
        return self.label(raw), not is_known(value)

    def _join(self, argument: object) -> object:
        if not (isinstance(argument, list) and len(argument) == 2 and isinstance(argument[0], str)):
            return UNKNOWN
        delimiter, raw_parts = argument
        if function_of(raw_parts) is not None:
            joined = self._one(raw_parts)
            if not isinstance(joined, list):
                return UNKNOWN
            parts = [(text(item) or "${?}", not is_known(item)) for item in joined]
        elif isinstance(raw_parts, list):
            parts = [self._part(item) for item in raw_parts if self._one(item) is not NO_VALUE]
        else:
            return UNKNOWN
        with_delimiters: list[tuple[str, bool]] = []
        for position, part in enumerate(parts):
            if position and delimiter:
                with_delimiters.append((delimiter, False))
            with_delimiters.append(part)
        return self._text(with_delimiters)

    def _text(self, parts: Iterable[tuple[str, bool]]) -> object:
        """One text of literal and open parts; a single open part is itself and no text around it."""
        kept = [part for part in parts if part[0]]
        joined = "".join(written for written, _ in kept)
        if not any(is_open for _, is_open in kept):
            return joined
        if len(kept) == 1 and (found := PLACEHOLDER.fullmatch(joined)):
            logical_id, _, attribute = found[1].partition(".")
            if logical_id in self._logical_ids:
                return Reference(logical_id, attribute or None)
            return Pattern(joined) if found[1] in PSEUDO_PARAMETERS else UNKNOWN
        return Pattern(joined)

    def _split(self, argument: object) -> object:
        if not (isinstance(argument, list) and len(argument) == 2 and isinstance(argument[0], str) and argument[0]):
            return UNKNOWN
        value = self._one(argument[1])
        return value.split(argument[0]) if isinstance(value, str) else UNKNOWN

    # ---- choices -------------------------------------------------------------------------------------------------
    def _select(self, argument: object) -> list[object]:
        if not (isinstance(argument, list) and len(argument) == 2):
            return [UNKNOWN]
        position = number(self._one(argument[0]))
        found = []
        for options in self._alternatives(argument[1]):
            known = isinstance(options, list) and position is not None and 0 <= position < len(options)
            found.append(options[int(position)] if known else UNKNOWN)  # type: ignore[index, arg-type]
        return _distinct(found)

    def _find_in_map(self, argument: object) -> list[object]:
        if not (isinstance(argument, list) and len(argument) in (3, 4)):
            return [UNKNOWN]
        default: list[object] = []
        if len(argument) == 4 and isinstance(argument[3], dict) and "DefaultValue" in argument[3]:
            default = self._alternatives(argument[3]["DefaultValue"])
        found = [self._mappings]
        for raw_key in argument[:3]:
            key = self._one(raw_key)
            found = [
                inner
                for level in found
                if isinstance(level, dict)
                for name, inner in level.items()
                if not is_known(key) or str(name) == text(key)
            ]
        return _distinct([*found, *default])[:MOST_ALTERNATIVES] or [UNKNOWN]

    # ---- conditions ----------------------------------------------------------------------------------------------
    def condition(self, name: str) -> bool | None:
        """Whether a condition holds; None where that is only known at deployment."""
        if name in self._decided:
            return self._decided[name]
        if name in self._in_progress:
            self.circular_conditions.update(self._in_progress[self._in_progress.index(name) :])
            return None
        self._in_progress.append(name)
        self._decided[name] = holds = self._holds(self._conditions.get(name))
        self._in_progress.pop()
        return holds

    def _holds(self, raw: object) -> bool | None:
        function = function_of(raw)
        if function is None or not isinstance(raw, dict):
            return None
        argument = raw[function]
        if function == "Condition":
            return self.condition(argument) if isinstance(argument, str) else None
        if not isinstance(argument, list):
            return None
        if function == "Fn::Equals" and len(argument) == 2:
            return self._equal(argument[0], argument[1])
        inner = [self._holds(item) for item in argument]
        if function == "Fn::Not" and len(inner) == 1:
            return None if inner[0] is None else not inner[0]
        if function == "Fn::And":
            return False if False in inner else None if None in inner else True
        if function == "Fn::Or":
            return True if True in inner else None if None in inner else False
        return None

    def _equal(self, left: object, right: object) -> bool | None:
        values = [self._one(left), self._one(right)]
        if all(is_known(value) and not isinstance(value, dict | list) for value in values):
            return text(values[0]) == text(values[1])
        if all(isinstance(value, list) for value in values):
            return values[0] == values[1]
        same = UNKNOWN not in values and values[0] == values[1]
        return True if same else None

    # ---- references ----------------------------------------------------------------------------------------------
    def referred_names(self, raw: object) -> Iterator[tuple[str, str]]:
        """Every (function, name) by which a raw value refers to something of the template, in any branch."""
        if isinstance(raw, list):
            for item in raw:
                yield from self.referred_names(item)
        elif isinstance(raw, dict):
            function = function_of(raw)
            argument = raw.get(function) if function else None
            if function == "Ref" and isinstance(argument, str):
                yield "Ref", argument
                return
            if function == "Fn::GetAtt":
                parts = argument.split(".", 1) if isinstance(argument, str) else argument
                if isinstance(parts, list) and parts and isinstance(parts[0], str):
                    yield "Fn::GetAtt", parts[0]
                return
            if function == "Fn::If" and isinstance(argument, list) and argument and isinstance(argument[0], str):
                yield "Fn::If", argument[0]
            if function == "Fn::Sub":
                yield from _sub_names(argument)
            for item in raw.values():
                yield from self.referred_names(item)


def _sub_names(argument: object) -> Iterator[tuple[str, str]]:
    written, own = argument, set[str]()
    if isinstance(argument, list) and len(argument) == 2 and isinstance(argument[1], dict):
        written, own = argument[0], set(argument[1])
    if isinstance(written, str):
        for name in re.findall(r"\$\{([^!}][^}]*)\}", written):
            if name.strip() not in own:
                yield "Fn::Sub", name.strip().split(".", 1)[0]


def _plain_at(value: object, path: tuple[str | int, ...]) -> object:
    for step in path:
        if not is_known(value):
            return UNKNOWN
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def _parameter(declared: object) -> object:
    if not isinstance(declared, dict):
        return UNKNOWN
    type_ = str(declared.get("Type", "String"))
    if type_.startswith("AWS::SSM::Parameter::Value"):
        return UNKNOWN
    allowed = declared.get("AllowedValues")
    only = allowed[0] if isinstance(allowed, list) and len(allowed) == 1 else UNKNOWN
    value = declared.get("Default", only)
    if not _is_scalar(value):
        return UNKNOWN
    if type_ == "CommaDelimitedList" or type_.startswith("List<"):
        return [item.strip() for item in str(value).split(",")] if value != "" else []
    return value


def _is_scalar(value: object) -> TypeGuard[str | int | float | bool]:
    return isinstance(value, str | int | float | bool)


def _distinct(values: Iterable[object]) -> list[object]:
    found: list[object] = []
    for value in values:
        if not any(type(value) is type(other) and value == other for other in found):
            found.append(value)
        if len(found) == MOST_ALTERNATIVES:
            break
    return found
