"""Batches of which some entries fail inside a 200: what is still passed on, and the answer that says which failed.

An entry that fails is never done: it is taken out of the request. So the target must not check signatures, as a local
AWS does not. Does not know which entries are to fail.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Document = dict[str, Any]
_CODE: Final = "InternalFailure"
_MESSAGE: Final = "as the fault plan wants it"


@dataclass(frozen=True, kw_only=True)
class Batch:
    """A request taken apart. ``passed_on`` is the rest of it, None where nothing is left to do."""

    passed_on: bytes | None
    _merge: Callable[[Document], Document]

    def answer(self, of_the_rest: bytes) -> bytes:
        """The answer to the whole batch; ``of_the_rest`` is the target's, or empty where nothing was passed on."""
        return json.dumps(self._merge(json.loads(of_the_rest or b"{}"))).encode()


def is_batch(operation: str) -> bool:
    """Whether the operation has answers of which parts may fail."""
    return operation in _LISTED or operation in _BY_TABLE


def take_apart(operation: str, body: bytes, choose: Callable[[int], Sequence[bool]]) -> Batch:
    """Take out those entries that fail; ``choose`` says which of so many. ValueError where it is not such a batch."""
    request = json.loads(body)
    if not isinstance(request, dict):
        raise ValueError("the request is not an object")
    if operation in _BY_TABLE:
        return _by_table(request, _BY_TABLE[operation], choose)
    return _listed(request, _LISTED[operation], choose)


@dataclass(frozen=True, kw_only=True)
class _Listed:
    """Where a batch lists its entries, and its answer what became of them."""

    entries: str
    answers: str
    count: str | None
    """The number of failures; None where the answer lists successes and failures apart, by id, as SQS does."""


_SQS: Final = _Listed(entries="Entries", answers="Successful", count=None)
_LISTED: Final[Mapping[str, _Listed]] = {
    "ChangeMessageVisibilityBatch": _SQS,
    "DeleteMessageBatch": _SQS,
    "SendMessageBatch": _SQS,
    "PutEvents": _Listed(entries="Entries", answers="Entries", count="FailedEntryCount"),
    "PutRecordBatch": _Listed(entries="Records", answers="RequestResponses", count="FailedPutCount"),
    "PutRecords": _Listed(entries="Records", answers="Records", count="FailedRecordCount"),
}
# The member of the answer that holds what was left undone, worded as the request was.
_BY_TABLE: Final[Mapping[str, str]] = {"BatchGetItem": "UnprocessedKeys", "BatchWriteItem": "UnprocessedItems"}


def _listed(request: Document, kind: _Listed, choose: Callable[[int], Sequence[bool]]) -> Batch:
    entries = request.get(kind.entries)
    if not isinstance(entries, list):
        raise ValueError("the request lists no entries")
    fails = choose(len(entries))
    rest = [entry for entry, fail in zip(entries, fails, strict=True) if not fail]

    def merge(answer: Document) -> Document:
        if kind.count is None:
            failed = [
                {"Id": entry.get("Id"), "SenderFault": False, "Code": _CODE, "Message": _MESSAGE}
                for entry, fail in zip(entries, fails, strict=True)
                if fail
            ]
            return {kind.answers: [], **answer, "Failed": [*answer.get("Failed", []), *failed]}
        done = iter(answer.get(kind.answers, []))
        failure = {"ErrorCode": _CODE, "ErrorMessage": _MESSAGE}
        answers = [failure if fail else next(done) for fail in fails]
        return {**answer, kind.answers: answers, kind.count: answer.get(kind.count, 0) + sum(fails)}

    return Batch(passed_on=json.dumps(request | {kind.entries: rest}).encode() if rest else None, _merge=merge)


def _by_table(request: Document, undone_member: str, choose: Callable[[int], Sequence[bool]]) -> Batch:
    tables = request.get("RequestItems")
    if not isinstance(tables, dict):
        raise ValueError("the request names no tables")
    lists = {table: _items(wanted) for table, wanted in tables.items()}
    fails = iter(choose(sum(len(items) for items in lists.values())))
    rest: Document = {}
    undone: Document = {}
    for table, items in lists.items():
        marked = [(item, next(fails)) for item in items]
        for into, whether in ((rest, False), (undone, True)):
            if chosen := [item for item, fail in marked if fail is whether]:
                into[table] = chosen if isinstance(tables[table], list) else tables[table] | {"Keys": chosen}

    def merge(answer: Document) -> Document:
        left = dict(answer.get(undone_member) or {})
        for table, wanted in undone.items():
            before = _items(left.get(table) or [])
            left[table] = [*before, *wanted] if isinstance(wanted, list) else wanted | {"Keys": before + wanted["Keys"]}
        empty: Document = {"Responses": {}} if undone_member == "UnprocessedKeys" else {}
        return {**empty, **answer, undone_member: left}

    return Batch(passed_on=json.dumps(request | {"RequestItems": rest}).encode() if rest else None, _merge=merge)


def _items(wanted: object) -> list[Any]:
    """The items of one table: a list where they are written, under Keys where they are read."""
    items = wanted.get("Keys") if isinstance(wanted, dict) else wanted
    if not isinstance(items, list):
        raise ValueError("a table has no list of items")
    return items
