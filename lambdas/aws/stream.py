"""The ledger's stream: records of Lambda's event as pairs of ledger items, old and new.

It does not know what is done about a change.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from feedback.ledger import Entry
from lambdas.aws.attributes import from_item


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change of one ledger item; ``old`` is None for a new item, ``new`` for a removed one."""

    sequence_number: str
    old: Mapping[str, Any] | None
    new: Mapping[str, Any] | None

    def decided_entry(self) -> Entry | None:
        """The entry, where this change is its decision: a first one, or a person's correction of it.

        None for everything else that happens to an item, such as its alert being sent. MalformedEntryError where the
        item is none of ours.
        """
        if self.new is None or "decided_at" not in self.new:
            return None
        if self.old is not None and _decision(self.old) == _decision(self.new):
            return None
        return Entry.from_document(self.new)


def read_change(record: Mapping[str, Any]) -> Change:
    """The change in one record of a DynamoDB stream event."""
    images = record["dynamodb"]
    old, new = images.get("OldImage"), images.get("NewImage")
    return Change(
        sequence_number=images["SequenceNumber"],
        old=None if old is None else from_item(old),
        new=None if new is None else from_item(new),
    )


def _decision(item: Mapping[str, Any]) -> tuple[object, object]:
    return item.get("state"), item.get("decided_at")
