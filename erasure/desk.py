"""The desk: what functions remember between calls, of which some names the customer's feedback.

An item whose key names a feedback of theirs goes; within other items whatever part names one goes, such as an example
of a storm. Counters stay: they say how many, not who. It does not know what the functions do with their items.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from erasure.progress import PARTITION
from erasure.pruning import without
from erasure.store import Client, Erased, Note
from erasure.subject import Subject
from lambdas.aws.attributes import from_item, to_attribute

_KEY: Final = ("pk", "sk")


class DeskItems:
    """The desk's table."""

    name = "desk"

    def __init__(self, *, dynamodb: Client, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def erase(self, subject: Subject, *, dry_run: bool, note: Note) -> Erased:
        """Look through all items; a function that changed one meanwhile is not overwritten, but read again."""
        erased = Erased()
        for key in self._keys(note):
            while True:
                item = self._dynamodb.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
                if item is None or not (found := self._erase_in(item, subject, dry_run=dry_run)):
                    break
                if found.records:
                    erased += found
                    break
        return erased

    def _keys(self, note: Note) -> Iterator[dict[str, Any]]:
        seen = 0
        for page in self._dynamodb.get_paginator("scan").paginate(TableName=self._table, ConsistentRead=True):
            seen += len(page["Items"])
            note(f"{seen} items of the desk looked through")
            for item in page["Items"]:
                if item["pk"]["S"] != PARTITION:
                    yield {name: item[name] for name in _KEY}

    def _erase_in(self, item: dict[str, Any], subject: Subject, *, dry_run: bool) -> Erased | None:
        """What went; None where nothing was to go; an empty one where the item was changed by another meanwhile."""
        key = {name: item[name] for name in _KEY}
        document = {name: value for name, value in from_item(item).items() if name not in _KEY}
        is_named_by_key = any(subject.is_named_in(part) for name in _KEY for part in item[name]["S"].split("#"))
        if is_named_by_key or subject.owns(document):
            if not dry_run:
                self._dynamodb.delete_item(TableName=self._table, Key=key)
            return Erased(records=1, objects=1)
        pruned = without(document, subject)
        changed = [name for name in document if name not in pruned or pruned[name] != document[name]]
        if not changed:
            return None
        if not dry_run and not self._replace(item, key, pruned, changed):
            return Erased()
        return Erased(records=1, objects=1)

    def _replace(self, item: dict[str, Any], key: dict[str, Any], pruned: dict[str, Any], changed: list[str]) -> bool:
        names = {f"#n{place}": name for place, name in enumerate(changed)}
        sets = [f"#n{place} = :new{place}" for place, name in enumerate(changed) if name in pruned]
        removes = [f"#n{place}" for place, name in enumerate(changed) if name not in pruned]
        values = {f":old{place}": item[name] for place, name in enumerate(changed)}
        values |= {f":new{place}": to_attribute(pruned[name]) for place, name in enumerate(changed) if name in pruned}
        expression = " ".join(
            f"{verb} {', '.join(parts)}" for verb, parts in (("SET", sets), ("REMOVE", removes)) if parts
        )
        try:
            self._dynamodb.update_item(
                TableName=self._table,
                Key=key,
                UpdateExpression=expression,
                ConditionExpression=" AND ".join(f"#n{place} = :old{place}" for place in range(len(changed))),
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=values,
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True
