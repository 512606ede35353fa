"""DynamoDB in memory: items, conditions, transactions, and the stream of what changed. It knows no particular table."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from benchmarks.simulation.errors import refusal
from benchmarks.simulation.expressions import (
    Expression,
    ExpressionError,
    Item,
    holds,
    unused,
    updated,
)

Arguments = Mapping[str, Any]
Change = tuple[Item | None, Item | None]
Key = tuple[str, ...]
_EXPRESSIONS = ("ConditionExpression", "UpdateExpression", "KeyConditionExpression", "FilterExpression")


@dataclass
class Table:
    """Items by key; ``watch`` is told of every change."""

    keys: tuple[str, ...]
    watch: Callable[[Item | None, Item | None], None] | None = None
    items: dict[Key, Item] = field(default_factory=dict)

    def key_of(self, item: Item) -> Key:
        return tuple(next(iter(item[name].values())) for name in self.keys)

    def put(self, key: Key, new: Item | None) -> None:
        old = self.items.get(key)
        if new is None:
            self.items.pop(key, None)
        else:
            self.items[key] = new
        if self.watch is not None and old != new:  # an unchanged item is not in the stream
            self.watch(copy.deepcopy(old), copy.deepcopy(new))


class Tables:
    """The calls of boto3's client, by name of the method."""

    def __init__(self, tables: Mapping[str, Table]) -> None:
        self.tables = tables
        self._tokens: set[str] = set()
        self._unread = itertools.count()

    def get_item(self, call: Arguments) -> dict[str, Any]:
        table = self.tables[call["TableName"]]
        item = table.items.get(table.key_of(call["Key"]))
        return {} if item is None else {"Item": copy.deepcopy(item)}

    def batch_get_item(self, call: Arguments) -> dict[str, Any]:
        found: dict[str, list[Item]] = {}
        for name, request in call["RequestItems"].items():
            table = self.tables[name]
            keys = [table.key_of(key) for key in request["Keys"]]
            if len(set(keys)) < len(keys) or len(keys) > 100:
                raise refusal("ValidationException", "BatchGetItem")
            found[name] = [copy.deepcopy(table.items[key]) for key in keys if key in table.items]
        return {"Responses": found, "UnprocessedKeys": {}}

    def put_item(self, call: Arguments) -> dict[str, Any]:
        self._commit("PutItem", [self._planned("Put", call)])
        return {}

    def delete_item(self, call: Arguments) -> dict[str, Any]:
        (old,) = self._commit("DeleteItem", [self._planned("Delete", call)])
        return {"Attributes": old[0]} if call.get("ReturnValues") == "ALL_OLD" and old[0] else {}

    def update_item(self, call: Arguments) -> dict[str, Any]:
        ((old, new),) = self._commit("UpdateItem", [self._planned("Update", call)])
        match call.get("ReturnValues", "NONE"):
            case "ALL_NEW" | "UPDATED_NEW":
                return {"Attributes": copy.deepcopy(new)}
            case "ALL_OLD" | "UPDATED_OLD":
                return {"Attributes": old} if old else {}
            case _:
                return {}

    def transact_write_items(self, call: Arguments) -> dict[str, Any]:
        token = call.get("ClientRequestToken")
        if token is not None and token in self._tokens:
            return {}
        planned = [self._planned(kind, request) for entry in call["TransactItems"] for kind, request in entry.items()]
        if len({(each.name, each.key) for each in planned}) < len(planned) or len(planned) > 100:
            raise refusal("ValidationException", "TransactWriteItems")
        self._commit("TransactWriteItems", planned)
        if token is not None:
            self._tokens.add(token)
        return {}

    def query(self, call: Arguments) -> dict[str, Any]:
        if "IndexName" in call:
            raise refusal("ValidationException", "Query")
        table = self.tables[call["TableName"]]
        sort = table.keys[-1]
        is_forward = call.get("ScanIndexForward", True)
        found = []
        for key in sorted(table.items, reverse=not is_forward):
            if (start := call.get("ExclusiveStartKey")) is not None:
                begin = table.key_of(start)
                if (key <= begin) if is_forward else (key >= begin):
                    continue
            expressions = _expressions(call)
            if holds(expressions["KeyConditionExpression"], table.items[key]):
                is_wanted = "FilterExpression" not in expressions or holds(
                    expressions["FilterExpression"], table.items[key]
                )
                found.append((key, is_wanted))
        limit = call.get("Limit", len(found))
        read, rest = found[:limit], found[limit:]
        items = [copy.deepcopy(table.items[key]) for key, is_wanted in read if is_wanted]
        answer: dict[str, Any] = {"Items": items, "Count": len(items), "ScannedCount": len(read)}
        if rest and read:
            last = table.items[read[-1][0]]
            answer["LastEvaluatedKey"] = {name: last[name] for name in dict.fromkeys((*table.keys, sort))}
        return answer

    def scan(self, call: Arguments) -> dict[str, Any]:
        found = []
        for item in self.tables[call["TableName"]].items.values():
            expressions = _expressions(call)
            if "FilterExpression" not in expressions or holds(expressions["FilterExpression"], item):
                found.append(copy.deepcopy(item))
        return {"Items": found, "Count": len(found)}

    def _planned(self, kind: str, call: Arguments) -> _Write:
        table = self.tables[call["TableName"]]
        key = table.key_of(call["Item"] if kind == "Put" else call["Key"])
        return _Write(kind=kind, name=call["TableName"], table=table, key=key, call=call)

    def _commit(self, operation: str, writes: list[_Write]) -> list[Change]:
        """All of them or none."""
        try:
            outcomes = [each.outcome() for each in writes]
        except ExpressionError as error:
            raise refusal("ValidationException", operation) from error
        if not all(is_allowed for is_allowed, _ in outcomes):
            raise _condition_failed(operation, writes, [is_allowed for is_allowed, _ in outcomes])
        changes = []
        for write, (_, new) in zip(writes, outcomes, strict=True):
            changes.append((copy.deepcopy(write.old), new))
            if write.kind != "ConditionCheck":
                write.table.put(write.key, new)
        return changes


@dataclass(frozen=True, kw_only=True)
class _Write:
    kind: str
    name: str
    table: Table
    key: Key
    call: Arguments

    @property
    def old(self) -> Item | None:
        return self.table.items.get(self.key)

    def outcome(self) -> tuple[bool, Item | None]:
        """Whether the condition allows it, and the item as it would be."""
        old = self.old or {}
        expressions = _expressions(self.call)
        condition = expressions.get("ConditionExpression")
        is_allowed = condition is None or holds(condition, old)
        new: Item | None = None
        if self.kind == "Put":
            new = copy.deepcopy(self.call["Item"])
        elif self.kind == "Update":
            if not is_allowed:
                return False, None
            new = updated(expressions["UpdateExpression"], old or copy.deepcopy(self.call["Key"]))
        names, values = self.call.get("ExpressionAttributeNames", {}), self.call.get("ExpressionAttributeValues", {})
        if is_allowed and (idle := unused(list(expressions.values()), names, values)):
            raise ExpressionError(f"{', '.join(sorted(idle))} is given and not used")
        return is_allowed, new


def _expressions(call: Arguments) -> dict[str, Expression]:
    names, values = call.get("ExpressionAttributeNames", {}), call.get("ExpressionAttributeValues", {})
    return {name: Expression(call[name], names, values) for name in _EXPRESSIONS if name in call}


def _condition_failed(operation: str, writes: list[_Write], allowed: list[bool]) -> ClientError:
    def item_of(write: _Write) -> dict[str, Any]:
        wanted = write.call.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" and write.old is not None
        return {"Item": copy.deepcopy(write.old)} if wanted else {}

    if operation != "TransactWriteItems":
        return refusal("ConditionalCheckFailedException", operation, **item_of(writes[0]))
    reasons = [
        {"Code": "None"} if is_allowed else {"Code": "ConditionalCheckFailed", **item_of(write)}
        for write, is_allowed in zip(writes, allowed, strict=True)
    ]
    return refusal("TransactionCanceledException", operation, CancellationReasons=reasons)
