"""The ledger: which feedback is the customer's, and their items. It does not know the other stores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from erasure.store import Client, Erased, Note
from erasure.subject import Subject, digest_of
from lambdas.aws.attributes import from_item

DROPS: Final = ("email/", "calls/", "files/")
"""Where channels find files in the drop bucket."""

_INDEX: Final = "by_customer"
_READ_AT_ONCE: Final = 100


class LedgerItems:
    """The ledger's table."""

    name = "ledger"

    def __init__(self, *, dynamodb: Client, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def find(self, subject: Subject, *, thorough: bool, note: Note) -> Subject:
        """The subject with all that the ledger knows of it. The index may lag behind by moments; a scan does not."""
        ids = set(subject.feedback_ids)
        for reference in sorted(subject.references):
            ids.update(self._indexed(reference))
        if thorough:
            ids.update(self._scanned(subject, note))
        found = subject.joined(Subject(references=subject.references, feedback_ids=frozenset(ids)))
        events = [
            item["event"]
            for item in read_items(self._dynamodb, self._table, sorted(ids))
            if isinstance(item.get("event"), dict)
        ]
        texts = frozenset(event["text"] for event in events)
        return found.joined(
            Subject(
                references=subject.references,
                sources=_sources(events),
                text_digests=frozenset(map(digest_of, texts)),
                texts=texts,
            )
        )

    def erase(self, subject: Subject, *, dry_run: bool, note: Note) -> Erased:
        """Delete the items."""
        return delete_items(self._dynamodb, self._table, subject, dry_run=dry_run, note=note)

    def _indexed(self, reference: str) -> Iterator[str]:
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            IndexName=_INDEX,
            KeyConditionExpression="customer_ref = :reference",
            ExpressionAttributeValues={":reference": {"S": reference}},
        )
        for page in pages:
            for item in page["Items"]:
                yield item["feedback_id"]["S"]

    def _scanned(self, subject: Subject, note: Note) -> Iterator[str]:
        pages = self._dynamodb.get_paginator("scan").paginate(
            TableName=self._table,
            ProjectionExpression="feedback_id, customer_ref, #event.customer_ref",
            ExpressionAttributeNames={"#event": "event"},
            ConsistentRead=True,
        )
        seen = 0
        for page in pages:
            seen += page["ScannedCount"]
            note(f"{seen} items of the ledger looked through")
            for item in map(from_item, page["Items"]):
                if subject.owns(item) or subject.owns(item.get("event", {})):
                    yield item["feedback_id"]


class OriginalItems:
    """The table of original texts, of which only what was redacted has one."""

    name = "originals"

    def __init__(self, *, dynamodb: Client, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def find(self, subject: Subject) -> Subject:
        """The subject with the files that originals name: a file's name can itself have been redacted elsewhere."""
        events = read_items(self._dynamodb, self._table, sorted(subject.feedback_ids))
        return subject.joined(Subject(references=subject.references, sources=_sources(events)))

    def erase(self, subject: Subject, *, dry_run: bool, note: Note) -> Erased:
        """Delete the originals."""
        return delete_items(self._dynamodb, self._table, subject, dry_run=dry_run, note=note)


def _sources(events: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """The dropped files that feedback came from. Other channels name a partner there, who is nobody's file."""
    named = (event.get("metadata", {}).get("source") for event in events)
    return frozenset(source for source in named if isinstance(source, str) and source.startswith(DROPS))


def read_items(dynamodb: Client, table: str, ids: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The items of a table whose key is the feedback's id, of those that are there."""
    for start in range(0, len(ids), _READ_AT_ONCE):
        keys = [{"feedback_id": {"S": id_}} for id_ in ids[start : start + _READ_AT_ONCE]]
        asked = {table: {"Keys": keys, "ConsistentRead": True}}
        while asked:
            answer = dynamodb.batch_get_item(RequestItems=asked)
            yield from map(from_item, answer["Responses"].get(table, []))
            asked = answer.get("UnprocessedKeys", {})


def delete_items(dynamodb: Client, table: str, subject: Subject, *, dry_run: bool, note: Note) -> Erased:
    """Delete the items of a table whose key is the feedback's id."""
    count = 0
    for number, id_ in enumerate(sorted(subject.feedback_ids), start=1):
        key = {"feedback_id": {"S": id_}}
        if dry_run:
            count += "Item" in dynamodb.get_item(TableName=table, Key=key, ProjectionExpression="feedback_id")
        else:
            answer = dynamodb.delete_item(TableName=table, Key=key, ReturnValues="ALL_OLD")
            count += bool(answer.get("Attributes"))
        note(f"{number} of {len(subject.feedback_ids)}")
    return Erased(records=count, objects=count)
