"""What people may do with an alert, and what becomes of it then. It does not know where alerts are kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from feedback.alerting.reading import Node, PolicyError
from feedback.event import timestamp
from feedback.ledger import AlertState

LONGEST_SNOOZE: Final = timedelta(days=30)

_OPEN: Final = frozenset(state for state in AlertState if state is not AlertState.ACKNOWLEDGED)


class WrongActionError(ValueError):
    """The request asks for nothing that can be done to an alert; the message is one sentence."""


class Verb(str, Enum):  # noqa: UP042 - StrEnum is 3.11
    """What a person can do."""

    ACKNOWLEDGE = "acknowledge"
    ASSIGN = "assign"
    SNOOZE = "snooze"

    @property
    def possible_in(self) -> frozenset[AlertState]:
        """The states in which it changes something: what was acknowledged can only change hands."""
        return frozenset(AlertState) if self is Verb.ASSIGN else _OPEN


@dataclass(frozen=True, kw_only=True)
class Action:
    """What a person asks for. ``until`` is the end of a snooze."""

    verb: Verb
    by: str
    to: str | None = None
    until: datetime | None = None
    note: str | None = None

    def changes(self, *, now: datetime) -> dict[str, str]:
        """The fields of the alert that change."""
        changed = {"by": self.by, "changed_at": timestamp(now)}
        if self.note is not None:
            changed["note"] = self.note
        match self.verb:
            case Verb.ACKNOWLEDGE:
                changed |= {"state": AlertState.ACKNOWLEDGED.value, "acknowledged_at": timestamp(now)}
            case Verb.ASSIGN if self.to is not None:
                changed["assigned_to"] = self.to
            case Verb.SNOOZE if self.until is not None:
                changed |= {"state": AlertState.SNOOZED.value, "snoozed_until": timestamp(self.until)}
        return changed


def read_action(document: Mapping[str, object], *, now: datetime) -> Action:
    """The action in a request's document; WrongActionError otherwise."""
    try:
        return _read(Node(document), now)
    except PolicyError as error:
        raise WrongActionError(str(error)) from error


def _read(node: Node, now: datetime) -> Action:
    fields = node.fields(required=("action", "by"), optional=("to", "minutes", "note"))
    verb = Verb(fields["action"].choice(verb.value for verb in Verb))
    for name, wanted_by in (("to", Verb.ASSIGN), ("minutes", Verb.SNOOZE)):
        if (name in fields) != (verb is wanted_by):
            node.refuse(f"has {'no ' if verb is wanted_by else 'a '}{name}, which goes with {wanted_by.value}")
    until = None
    if verb is Verb.SNOOZE:
        until = now + timedelta(minutes=fields["minutes"].whole(1, int(LONGEST_SNOOZE.total_seconds() // 60)))
    return Action(
        verb=verb,
        by=fields["by"].text(limit=100),
        to=fields["to"].text(limit=100) if "to" in fields else None,
        until=until,
        note=fields["note"].text() if "note" in fields else None,
    )
