"""Reads the text of a template: JSON, or YAML with CloudFormation's short forms, and nothing that could do harm.

Responsible for refusing, in one sentence, what is not a template: broken text, foreign tags, doubled keys, circles of
aliases, aliases that multiply, and what is too large or too deep. It does not know what a template means.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

# CloudFormation takes 1 MB; some room for comments and for templates that still have to be packaged.
LARGEST_TEXT = 5_000_000
MOST_NODES = 500_000
DEEPEST = 200
MERGE = "tag:yaml.org,2002:merge"
TIMESTAMP = "tag:yaml.org,2002:timestamp"

# The short forms whose long form has no `Fn::` before it.
BARE = ("Ref", "Condition")
SHORT_FORMS = (
    *BARE,
    "And", "Base64", "Cidr", "Equals", "FindInMap", "ForEach", "GetAZs", "GetAtt", "GetStackOutput", "If",
    "ImportValue", "Join", "Length", "Not", "Or", "Rules", "Select", "Split", "Sub", "ToJsonString", "Transform",
    "Contains", "EachMemberEquals", "EachMemberIn", "RefAll", "ValueOf", "ValueOfAll",
)  # fmt: skip


class TemplateError(Exception):
    """The template cannot be read; the message is one sentence that says why."""


class _TooDeepError(TemplateError):
    def __init__(self) -> None:
        super().__init__(f"it is nested deeper than {DEEPEST} levels")


def read_file(path: Path) -> dict[str, Any]:
    """The document in a file."""
    try:
        if path.stat().st_size > LARGEST_TEXT:
            raise TemplateError(f"it is larger than {LARGEST_TEXT:,} bytes")
        written = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise TemplateError("it is not UTF-8 text") from None
    except OSError as error:
        raise TemplateError(f"it cannot be opened ({error.strerror or error})") from None
    return read_text(written)


def read_text(written: str) -> dict[str, Any]:
    """The document in a text. JSON is read as JSON: it is much quicker, and YAML's reader stops at tabs."""
    if len(written) > LARGEST_TEXT:
        raise TemplateError(f"it is larger than {LARGEST_TEXT:,} bytes")
    looks_like_json = written.lstrip()[:1] in ("{", "[")
    try:
        read = _json(written) if looks_like_json else _yaml(written)
    except RecursionError:
        raise _TooDeepError from None
    _measure(read)
    if not isinstance(read, dict):
        raise TemplateError("it is not a CloudFormation template: the document is no mapping")
    return read


def _json(written: str) -> object:
    try:
        return json.loads(written, object_pairs_hook=_without_doubles, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        try:
            return _yaml(written)  # YAML in flow style starts like JSON
        except _TooDeepError:
            raise
        except TemplateError:
            raise TemplateError(f"it is not JSON: {error.msg} in line {error.lineno}") from None
    except ValueError:
        raise TemplateError("it holds a number that is too long") from None


def _no_constant(word: str) -> object:
    raise TemplateError(f"it is not JSON: {word} is no number")


def _without_doubles(pairs: list[tuple[str, object]]) -> dict[str, object]:
    read = dict(pairs)
    if len(read) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise TemplateError(f"the key {name[:80]!r} is given twice in one place")
            seen.add(name)
    return read


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """PyYAML's safe loader with CloudFormation's short forms; dates stay text, as in CloudFormation."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != TIMESTAMP]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _yaml(written: str) -> object:
    try:
        _check_depth(written)
        return yaml.load(written, Loader=_Loader)  # noqa: S506 - a safe loader with the short forms added
    except yaml.MarkedYAMLError as error:
        if "recursive" in (error.problem or ""):
            raise TemplateError("an alias refers to itself") from None
        line = f" in line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise TemplateError(f"it is not YAML: {error.problem or 'unreadable'}{line}") from None
    except yaml.YAMLError as error:
        raise TemplateError(f"it is not YAML: {str(error).splitlines()[0]}") from None
    except ValueError as error:
        raise TemplateError(f"it holds a value that cannot be read: {str(error)[:120]}") from None


def _check_depth(written: str) -> None:
    """The loader recurses in C, so the depth is looked at beforehand, event by event."""
    depth = 0
    for event in yaml.parse(written, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                raise _TooDeepError
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _construct_mapping(loader: Any, node: Any) -> dict[str, object]:
    own: set[str] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise TemplateError(f"a key is no text in line {key.start_mark.line + 1}")
        if key.tag != MERGE:
            if key.value in own:
                raise TemplateError(
                    f"the key {key.value[:80]!r} is given twice in one place (line {key.start_mark.line + 1})"
                )
            own.add(key.value)
    loader.flatten_mapping(node)
    return {key.value: loader.construct_object(value, deep=True) for key, value in node.value}


def _construct_short_form(loader: Any, suffix: str, node: Any) -> dict[str, object]:
    if suffix not in SHORT_FORMS:
        raise TemplateError(
            f"the tag !{suffix[:80]} in line {node.start_mark.line + 1} is none of CloudFormation's short forms"
        )
    name = suffix if suffix in BARE else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        written = loader.construct_scalar(node)
        return {name: written.split(".", 1) if suffix == "GetAtt" else written}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    return {name: _construct_mapping(loader, node)}


_Loader.add_constructor("tag:yaml.org,2002:map", _construct_mapping)
_Loader.add_multi_constructor("!", _construct_short_form)


def _measure(read: object) -> None:
    """Refuse documents that aliases blow up: what is shared counts as often as it is used."""
    sizes: dict[int, int] = {}

    def size(value: object, depth: int) -> int:
        if not isinstance(value, dict | list):
            return 1
        if id(value) in sizes:
            return sizes[id(value)]
        if depth > DEEPEST:
            raise _TooDeepError
        inner = value.values() if isinstance(value, dict) else value
        total = 1 + sum(size(item, depth + 1) for item in inner)
        sizes[id(value)] = total
        if total > MOST_NODES:
            raise TemplateError(f"it holds more than {MOST_NODES:,} values once its aliases are written out")
        return total

    size(read, 0)
