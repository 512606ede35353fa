"""Who is told, and where: teams with their destinations, hours and escalation.

It does not know what they are told about, nor how a destination is reached.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Final

from feedback.alerting.hours import UTC_NAME, QuietHours, read_quiet_hours, read_zone
from feedback.alerting.reading import Node

LONGEST_ESCALATION: Final = timedelta(days=7)


class DestinationKind(str, Enum):  # noqa: UP042 - StrEnum is 3.11
    """In which form an alert goes out."""

    TOPIC = "topic"
    """Text for people, over the alert topic: e-mail, the inbox, whatever subscribes."""
    TOPIC_RAW = "topic-raw"
    """A JSON document for programs, over the same topic."""
    SLACK = "slack"
    TEAMS = "teams"

    @property
    def is_webhook(self) -> bool:
        """Reached over https, at an address that is a secret."""
        return self in (DestinationKind.SLACK, DestinationKind.TEAMS)


@dataclass(frozen=True, kw_only=True)
class Destination:
    """``secret`` is the name of the secret that holds a webhook's address."""

    name: str
    kind: DestinationKind
    secret: str | None = None


@dataclass(frozen=True, kw_only=True)
class Escalation:
    """Who is told as well when nobody acknowledged in time."""

    after: timedelta
    destinations: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Team:
    """Some people and how they want to be told."""

    name: str
    destinations: tuple[str, ...]
    quiet_hours: QuietHours | None = None
    escalation: Escalation | None = None


def read_destination(name: str, node: Node) -> Destination:
    """One destination of a policy."""
    fields = node.fields(required=("kind",), optional=("secret",))
    kind = DestinationKind(fields["kind"].choice(kind.value for kind in DestinationKind))
    if kind.is_webhook != ("secret" in fields):
        node.refuse("needs a secret" if kind.is_webhook else "has a secret, which only webhooks have")
    return Destination(name=name, kind=kind, secret=fields["secret"].name() if "secret" in fields else None)


def read_team(name: str, node: Node, known: Collection[str]) -> Team:
    """One team of a policy whose destinations are ``known``."""
    fields = node.fields(required=("destinations",), optional=("time_zone", "quiet_hours", "escalation"))
    zone = read_zone(fields.get("time_zone", Node(UTC_NAME)))
    return Team(
        name=name,
        destinations=_destinations(fields["destinations"], known),
        quiet_hours=read_quiet_hours(fields["quiet_hours"], zone) if "quiet_hours" in fields else None,
        escalation=_escalation(fields["escalation"], known) if "escalation" in fields else None,
    )


def _escalation(node: Node, known: Collection[str]) -> Escalation:
    fields = node.fields(required=("after_minutes", "destinations"))
    minutes = fields["after_minutes"].whole(1, int(LONGEST_ESCALATION.total_seconds() // 60))
    return Escalation(after=timedelta(minutes=minutes), destinations=_destinations(fields["destinations"], known))


def _destinations(node: Node, known: Collection[str]) -> tuple[str, ...]:
    names = [entry.choice(known) for entry in node.items()]
    if len(set(names)) != len(names):
        node.refuse("names a destination twice")
    return tuple(names)
