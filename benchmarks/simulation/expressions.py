"""DynamoDB's condition and update expressions, evaluated over attribute values. What DynamoDB refuses is refused.

A name or value that is given and not used, or used and not given, is an error, as it is on AWS. It knows the functions
and clauses of the language, not tables.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

Attribute = dict[str, Any]
Item = dict[str, Attribute]

_TOKEN: Final = re.compile(
    r"\s*(<>|<=|>=|[=<>(),.+\-\[\]]|[#:]?[A-Za-z_][A-Za-z0-9_]*|#[A-Za-z0-9_]+|:[A-Za-z0-9_]+|\d+)"
)
_CLAUSES: Final = ("SET", "REMOVE", "ADD", "DELETE")
_COMPARISONS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


class ExpressionError(ValueError):
    """What DynamoDB answers with a ValidationException."""


@dataclass
class Expression:
    """One expression being read, with the names and values that were given along and which of them were used."""

    text: str
    names: Mapping[str, str]
    values: Mapping[str, Attribute]
    used: set[str] = field(default_factory=set)
    at: int = 0

    def __post_init__(self) -> None:
        self.tokens = _tokens(self.text)

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, *expected: str) -> str:
        token = self.peek()
        if not token or (expected and token.upper() not in expected):
            raise ExpressionError(f"{' or '.join(expected) or 'more'} is missing in {self.text!r}")
        self.at += 1
        return token

    def skip(self, token: str) -> bool:
        """Take the token where it is the next one."""
        if self.peek().upper() != token:
            return False
        self.at += 1
        return True

    def path(self) -> list[str | int]:
        steps: list[str | int] = [self._name()]
        while self.peek() in (".", "["):
            if self.take() == ".":
                steps.append(self._name())
            else:
                steps.append(int(self.take()))
                self.take("]")
        return steps

    def value(self) -> Attribute:
        token = self.take()
        if token not in self.values:
            raise ExpressionError(f"{token} is not among the values of {self.text!r}")
        self.used.add(token)
        return self.values[token]

    def _name(self) -> str:
        token = self.take()
        if not token.startswith("#"):
            return token
        if token not in self.names:
            raise ExpressionError(f"{token} is not among the names of {self.text!r}")
        self.used.add(token)
        return self.names[token]


def holds(expression: Expression, item: Item) -> bool:
    """Whether a condition, filter or key condition is true of the item (empty where there is none)."""
    result = _either(expression, item)
    if expression.peek():
        raise ExpressionError(f"{expression.peek()!r} is one too many in {expression.text!r}")
    return result


def updated(expression: Expression, item: Item) -> Item:
    """The item with an update expression applied; every right side is read from the item as it was."""
    new = copy.deepcopy(item)
    while expression.peek():
        clause = expression.take(*_CLAUSES).upper()
        while True:
            _apply(clause, expression, item, new)
            if not expression.skip(","):
                break
    return new


def unused(expressions: list[Expression], names: Mapping[str, str], values: Mapping[str, Attribute]) -> set[str]:
    """The names and values that no expression of a call uses; DynamoDB refuses the call where there are any."""
    used = set().union(*(expression.used for expression in expressions))
    return (set(names) | set(values)) - used


def look_up(item: Item, path: list[str | int]) -> Attribute | None:
    """The attribute at a path, or None."""
    found: Any = {"M": item}
    for step in path:
        container = found.get("M" if isinstance(step, str) else "L")
        try:
            found = container[step]
        except (LookupError, TypeError):
            return None
    result: Attribute = found
    return result


def comparable(attribute: Attribute) -> Any:
    """A value that compares as DynamoDB compares: numbers by size, sets without order, the rest as they are."""
    ((kind, value),) = attribute.items()
    if kind == "N":
        return Decimal(value)
    return frozenset(value) if kind in ("SS", "NS", "BS") else value


def _tokens(text: str) -> list[str]:
    tokens, at = [], 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            raise ExpressionError(f"{text[at:]!r} cannot be read")
        tokens.append(match[1])
        at = match.end()
    return tokens


def _either(expression: Expression, item: Item) -> bool:
    result = _both(expression, item)
    while expression.skip("OR"):
        result = _both(expression, item) or result  # both sides are read, whatever the first is
    return result


def _both(expression: Expression, item: Item) -> bool:
    result = _negated(expression, item)
    while expression.skip("AND"):
        result = _negated(expression, item) and result
    return result


def _negated(expression: Expression, item: Item) -> bool:
    if expression.skip("NOT"):
        return not _negated(expression, item)
    if expression.skip("("):
        result = _either(expression, item)
        expression.take(")")
        return result
    return _claim(expression, item)


def _claim(expression: Expression, item: Item) -> bool:
    function = expression.peek()
    if function in ("attribute_exists", "attribute_not_exists"):
        expression.take()
        expression.take("(")
        found = look_up(item, expression.path())
        expression.take(")")
        return (found is None) == (function == "attribute_not_exists")
    if function in ("begins_with", "contains"):
        expression.take()
        expression.take("(")
        whole = _operand(expression, item)
        expression.take(",")
        part = _operand(expression, item)
        expression.take(")")
        return whole is not None and part is not None and _holds_part(function, whole, part)
    left = _operand(expression, item)
    if expression.skip("BETWEEN"):
        low = _operand(expression, item)
        expression.take("AND")
        high = _operand(expression, item)
        return _compare(">=", left, low) and _compare("<=", left, high)
    if expression.skip("IN"):
        expression.take("(")
        found_one = _compare("=", left, _operand(expression, item))
        while expression.skip(","):
            found_one = _compare("=", left, _operand(expression, item)) or found_one
        expression.take(")")
        return found_one
    return _compare(expression.take(*_COMPARISONS), left, _operand(expression, item))


def _holds_part(function: str, whole: Attribute, part: Attribute) -> bool:
    ((kind, value),) = whole.items()
    (sought,) = part.values()
    if function == "begins_with":
        return bool(value.startswith(sought))
    return part in value if kind == "L" else sought in value


def _compare(operator: str, left: Attribute | None, right: Attribute | None) -> bool:
    """Where an attribute is missing, or the values are of two kinds, only <> is true."""
    if left is None or right is None or set(left) != set(right):
        return operator == "<>"
    return _COMPARISONS[operator](comparable(left), comparable(right))


def _operand(expression: Expression, item: Item) -> Attribute | None:
    token = expression.peek()
    if token.startswith(":"):
        return expression.value()
    if token == "size":  # noqa: S105 - a function of the language
        expression.take()
        expression.take("(")
        found = look_up(item, expression.path())
        expression.take(")")
        return None if found is None else {"N": str(len(next(iter(found.values()))))}
    return look_up(item, expression.path())


def _apply(clause: str, expression: Expression, old: Item, new: Item) -> None:
    path = expression.path()
    match clause:
        case "SET":
            expression.take("=")
            _write(new, path, _sum(expression, old))
        case "REMOVE":
            _remove(new, path)
        case "ADD":
            _write(new, path, _added(look_up(old, path), expression.value()))
        case _:
            raise ExpressionError("sets are not kept here, so nothing can be deleted from one")


def _sum(expression: Expression, item: Item) -> Attribute:
    total = _term(expression, item)
    while expression.peek() in ("+", "-"):
        sign = 1 if expression.take() == "+" else -1
        other = _term(expression, item)
        if "N" not in total or "N" not in other:
            raise ExpressionError("only numbers can be added")
        total = {"N": str(Decimal(total["N"]) + sign * Decimal(other["N"]))}
    return total


def _term(expression: Expression, item: Item) -> Attribute:
    function = expression.peek()
    if function in ("if_not_exists", "list_append"):
        expression.take()
        expression.take("(")
        first = look_up(item, expression.path()) if function == "if_not_exists" else _term(expression, item)
        expression.take(",")
        second = _term(expression, item)
        expression.take(")")
        if function == "if_not_exists":
            return second if first is None else first
        if first is None or "L" not in first or "L" not in second:
            raise ExpressionError("only lists can be appended")
        return {"L": first["L"] + second["L"]}
    found = _operand(expression, item)
    if found is None:
        raise ExpressionError("an attribute that is read in an update does not exist")
    return found


def _added(old: Attribute | None, more: Attribute) -> Attribute:
    if "N" not in more or (old is not None and "N" not in old):
        raise ExpressionError("ADD is for numbers here")
    return {"N": str(Decimal(old["N"] if old else 0) + Decimal(more["N"]))}


def _parent(item: Item, path: list[str | int]) -> Any:
    if len(path) == 1:
        return item
    found = look_up(item, path[:-1])
    container = None if found is None else found.get("M" if isinstance(path[-1], str) else "L")
    if container is None:
        raise ExpressionError("the path of an update leads into nothing")
    return container


def _write(item: Item, path: list[str | int], value: Attribute) -> None:
    _parent(item, path)[path[-1]] = copy.deepcopy(value)


def _remove(item: Item, path: list[str | int]) -> None:
    container = _parent(item, path)
    if isinstance(container, dict):
        container.pop(path[-1], None)
    elif isinstance(path[-1], int) and path[-1] < len(container):
        del container[path[-1]]
