"""What every store that is gone through has in common. It does not know any of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from erasure.subject import Subject

Client = Any
"""A boto3 client: they are generated at run time and have no static types."""

Note = Callable[[str], None]
"""Takes a word on where the work is."""


@dataclass(frozen=True, kw_only=True)
class Erased:
    """How much of the customer was in a store: ``records`` in ``objects`` (items, messages, files), and how many old
    ``versions`` of objects went with them."""

    records: int = 0
    objects: int = 0
    versions: int = 0

    def __add__(self, other: Erased) -> Erased:
        return Erased(
            records=self.records + other.records,
            objects=self.objects + other.objects,
            versions=self.versions + other.versions,
        )


class Store(Protocol):
    """A place that may hold something of a customer. Erasing again finds nothing, and does no harm."""

    @property
    def name(self) -> str: ...

    def erase(self, subject: Subject, *, dry_run: bool, note: Note) -> Erased: ...
