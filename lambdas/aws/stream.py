"""The ledger's stream: records of Lambda's event as pairs of ledger items, old and new.

It does not know what is done about a change.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from feedback.ledger import Entry, MalformedEntryError
from lambdas.aws.attributes import from_item
from lambdas.telemetry import log_error


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


def decisions(records: Iterable[Mapping[str, Any]], *, malformed: list[str]) -> Iterator[tuple[str, Entry]]:
    """Sequence number and entry of each record that is a decision, in order; those of records that are none of ours are
    added to ``malformed`` as they are met."""
    for record in records:
        try:
            change = read_change(record)
            entry = change.decided_entry()
        except (MalformedEntryError, LookupError, TypeError, ValueError) as error:
            log_error("A record of the ledger's stream is malformed.", error, event_id=record.get("eventID"))
            malformed.append(record["dynamodb"]["SequenceNumber"])
        else:
            if entry is not None:
                yield change.sequence_number, entry


def _decision(item: Mapping[str, Any]) -> tuple[object, object]:
    return item.get("state"), item.get("decided_at")
