"""Plain resources: kept as they were asked for, described, listed, changed and deleted.

A kind of resource is a declaration (:class:`Kind`); this engine gives it its operations by botocore's shapes.
It knows no particular kind: those are in :mod:`local.sagemaker.kinds`.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local.sagemaker import listing, shapes
from local.sagemaker.context import Context
from local.sagemaker.errors import AwsError
from local.sagemaker.shapes import Fields
from local.sagemaker.store import Store
from local.sagemaker.tags import Tags

Operations = dict[str, Callable[[Fields], Fields]]


def _nothing_more(records: "Records", request: Fields) -> Fields:
    return {}


def _replaced(record: Fields, request: Fields) -> Fields:
    return request


def _never_in_use(records: "Records", record: Fields) -> None:
    return


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What tells one plain resource from another.

    ``noun`` as in ``CreateModel``; ``kind`` as in the ARN and the store. ``missing`` and ``taken`` are AWS's error
    code and words, with ``{arn}`` and ``{name}``. ``derived`` checks a create or update request beyond its shape and
    gives members to add to the record; ``changed`` says what an update changes; ``released`` refuses a delete while
    the resource is in use.
    """

    noun: str
    kind: str
    missing: tuple[str, str]
    taken: tuple[str, str]
    name_member: str = ""
    arn_member: str = ""
    initial: Mapping[str, Any] = field(default_factory=dict)
    list_order: str = "Ascending"
    summary: Mapping[str, str] = field(default_factory=dict)
    derived: Callable[["Records", Fields], Fields] = _nothing_more
    changed: Callable[[Fields, Fields], Fields] = _replaced
    released: Callable[["Records", Fields], None] = _never_in_use

    @property
    def name(self) -> str:
        """The member that holds the name."""
        return self.name_member or f"{self.noun}Name"

    @property
    def arn(self) -> str:
        """The member that holds the ARN."""
        return self.arn_member or f"{self.noun}Arn"

    @property
    def status(self) -> str:
        """The member that holds the status, where the kind has one."""
        return f"{self.noun}Status"


@dataclass(frozen=True, kw_only=True)
class Records:
    """The records of every kind, and where the local SageMaker lives: what checks between kinds need."""

    context: Context
    store: Store

    def find(self, kind: Kind, name_or_arn: str) -> Fields:
        """The record of a resource; AWS's error for this kind where there is none."""
        name = name_or_arn.partition(f":{kind.kind}/")[2] or name_or_arn
        record = self.store.get(kind.kind, name)
        if record is None:
            raise self.error(kind.missing, kind, name)
        return record

    def error(self, what: tuple[str, str], kind: Kind, name: str) -> AwsError:
        """One of a kind's errors with the resource's name and ARN filled in."""
        code, message = what
        return AwsError(code, message.format(name=name, arn=self.context.arn(kind.kind, name)))


class Resources:
    """The operations of one kind of plain resource."""

    def __init__(self, kind: Kind, records: Records, tags: Tags) -> None:
        self._kind = kind
        self._records = records
        self._store = records.store
        self._tags = tags

    def operations(self) -> Operations:
        """Create, Describe, Update, Delete and List, as far as SageMaker has them for this kind."""
        noun = self._kind.noun
        named: Operations = {
            f"Create{noun}": self.create,
            f"Describe{noun}": self.describe,
            f"Update{noun}": self.update,
            f"Delete{noun}": self.delete,
            f"List{noun}s": self.page,
        }
        return {operation: handler for operation, handler in named.items() if shapes.is_operation(operation)}

    def create(self, request: Fields) -> Fields:
        """Keep a new resource."""
        kind, name = self._kind, request[self._kind.name]
        if self._store.get(kind.kind, name) is not None:
            raise self._records.error(kind.taken, kind, name)
        now = time.time()
        arn = self._records.context.arn(kind.kind, name)
        kept = {member: value for member, value in request.items() if member != "Tags"}
        record = {
            **kind.initial,
            **kept,
            **kind.derived(self._records, request),
            kind.arn: arn,
            "CreationTime": now,
            "LastModifiedTime": now,
        }
        if not self._store.add(kind.kind, name, record):
            raise self._records.error(kind.taken, kind, name)
        self._tags.keep(arn, request.get("Tags"))
        return {kind.arn: arn}

    def describe(self, request: Fields) -> Fields:
        """The whole record; the service cuts it to the answer's shape."""
        return self._find(request)

    def update(self, request: Fields) -> Fields:
        """Change what the request names."""
        record = self._find(request)
        changes = {
            **self._kind.changed(record, request),
            **self._kind.derived(self._records, {**record, **request}),
            self._kind.name: record[self._kind.name],
            "LastModifiedTime": time.time(),
        }
        self._store.update(self._kind.kind, record[self._kind.name], **changes)
        return {self._kind.arn: record[self._kind.arn]}

    def delete(self, request: Fields) -> Fields:
        """Forget the resource."""
        record = self._find(request)
        self._kind.released(self._records, record)
        self._store.delete(self._kind.kind, record[self._kind.name])
        self._tags.forget(record[self._kind.arn])
        return {self._kind.arn: record[self._kind.arn]}

    def page(self, request: Fields) -> Fields:
        """One page of summaries."""
        page = listing.page(
            self._store.list(self._kind.kind),
            request,
            name=self._kind.name,
            status=self._kind.status,
            order=self._kind.list_order,
        )
        summaries = [{**record, **self._renamed(record)} for record in page.pop("records")]
        return {shapes.list_member(f"List{self._kind.noun}s"): summaries, **page}

    def _renamed(self, record: Fields) -> Fields:
        return {member: record[source] for member, source in self._kind.summary.items() if source in record}

    def _find(self, request: Fields) -> Fields:
        return self._records.find(self._kind, request[self._kind.name])
