"""How far an erasure is, kept on the desk, so that one that was killed goes on where it was.

The customer is named by a salted hash. The ids of what is erased have to be remembered while it is being done, since
the stores that know them are emptied on the way; they are deleted when it is done.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from erasure.store import Client, Erased
from erasure.subject import Subject
from feedback.event import timestamp
from lambdas.aws.attributes import from_item, to_item

PARTITION: Final = "forget"
_SALT: Final = "salt"
_NAMES_AT_ONCE: Final = 1000
_REMEMBERED: Final = ("feedback_ids", "sources", "text_digests")
_KEPT_DAYS: Final = 400


@dataclass(kw_only=True)
class Progress:
    """An erasure that was begun; ``done`` holds the stores that are through."""

    started_at: str
    runs: int = 1
    done: dict[str, Erased] = field(default_factory=dict)


class Notebook:
    """The desk's partition of erasures."""

    def __init__(self, *, dynamodb: Client, table: str, now: Callable[[], datetime]) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._now = now

    def name_of(self, subject: Subject, *, dry_run: bool) -> str:
        """The salted hash that stands for the customer. The salt is made once for a stage and kept on the desk."""
        found = self._get(_SALT)
        if found is None and not dry_run:
            fresh = {"pk": PARTITION, "sk": _SALT, "salt": secrets.token_hex(16)}
            # Where another run made it at the same moment, that one is read.
            with suppress(self._dynamodb.exceptions.ConditionalCheckFailedException):
                self._dynamodb.put_item(
                    TableName=self._table, Item=to_item(fresh), ConditionExpression="attribute_not_exists(pk)"
                )
            found = self._get(_SALT)
        salt = "" if found is None else found["salt"]
        names = "\n".join(sorted(subject.references))
        return hashlib.sha256(f"{salt}\n{names}".encode("utf-8", "surrogatepass")).hexdigest()

    def resume(self, name: str) -> tuple[Progress, Subject] | None:
        """What an earlier run came to, with the ids that it had found; None where none is unfinished."""
        item = self._get(name)
        if item is None or item["state"] != "RUNNING":
            return None
        done = {store: Erased(**counts) for store, counts in item["done"].items()}
        remembered = Subject(references=frozenset())
        for page in self._pages(name):
            known = {what: frozenset(page.get(what, ())) for what in _REMEMBERED}
            remembered = remembered.joined(Subject(references=frozenset(), **known))
        return Progress(started_at=item["started_at"], runs=item["runs"], done=done), remembered

    def begin(self, name: str, progress: Progress, subject: Subject) -> None:
        """Remember the ids, before anything that knows them is erased."""
        for what in _REMEMBERED:
            values = sorted(getattr(subject, what))
            for start in range(0, len(values), _NAMES_AT_ONCE):
                sort_key = f"{name}#{what}#{start:09d}"
                self._put(sort_key, {what: values[start : start + _NAMES_AT_ONCE]})
        self.save(name, progress)

    def save(self, name: str, progress: Progress) -> None:
        """Write down which stores are through."""
        done = {store: asdict(erased) for store, erased in progress.done.items()}
        document = {"state": "RUNNING", "started_at": progress.started_at, "runs": progress.runs, "done": done}
        self._put(name, document)

    def finish(self, name: str, receipt: str) -> None:
        """Forget the ids; what stays is where the receipt is."""
        for page in list(self._pages(name)):
            self._dynamodb.delete_item(TableName=self._table, Key=to_item({"pk": PARTITION, "sk": page["sk"]}))
        self._put(name, {"state": "DONE", "finished_at": timestamp(self._now()), "receipt": receipt})

    def last_receipt(self, name: str) -> str | None:
        """Where the receipt of a finished erasure is."""
        item = self._get(name)
        receipt: str | None = None if item is None else item.get("receipt")
        return receipt

    def _put(self, sort_key: str, document: dict[str, Any]) -> None:
        expires_at = int((self._now() + timedelta(days=_KEPT_DAYS)).timestamp())
        item = {"pk": PARTITION, "sk": sort_key, **document, "expires_at": expires_at}
        self._dynamodb.put_item(TableName=self._table, Item=to_item(item))

    def _get(self, sort_key: str) -> dict[str, Any] | None:
        key = to_item({"pk": PARTITION, "sk": sort_key})
        item = self._dynamodb.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
        return None if item is None else from_item(item)

    def _pages(self, name: str) -> list[dict[str, Any]]:
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :partition AND begins_with(sk, :name)",
            ExpressionAttributeValues=to_item({":partition": PARTITION, ":name": f"{name}#"}),
        )
        return [from_item(item) for page in pages for item in page["Items"]]
