"""What a matching feedback leads to at a moment: when it is told, whether by itself or in a digest, and to whom.

It does not know how many alerts there were before: the plan says how many may stand alone, and the store counts.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from feedback.alerting.policy import Policy
from feedback.alerting.rules import Rule, Severity
from feedback.event import FeedbackEvent, timestamp
from feedback.ledger import Entry


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What alerts are gathered by: the product, else the category, else the channel of a feedback."""

    kind: str
    name: str

    @property
    def key(self) -> str:
        """The subject as a key, for instance ``product#P-1042``."""
        return f"{self.kind}#{self.name}"

    @property
    def document(self) -> dict[str, str]:
        """The subject as a message's scope."""
        return {"kind": self.kind, "name": self.name}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The intended alert. ``held_until`` is None where it goes out at once; ``window`` ends at ``closes``."""

    rule: Rule
    subject: Subject
    scope: str
    window: str
    closes: datetime
    alone: int
    held_until: datetime | None
    escalate_at: datetime | None

    @property
    def digest_id(self) -> str:
        """The id of the digest that tells of all that may not stand alone."""
        return "digest-" + hashlib.sha256(f"{self.scope}\n{self.window}".encode()).hexdigest()[:24]


def subject_of(event: FeedbackEvent) -> Subject:
    """What the feedback's alert is gathered by."""
    if event.product_id:
        return Subject(kind="product", name=event.product_id)
    if event.category:
        return Subject(kind="category", name=event.category)
    return Subject(kind="channel", name=event.channel)


def plan(policy: Policy, entry: Entry, *, now: datetime, snoozed_until: datetime | None = None) -> Plan | None:
    """The plan for a decided feedback; None where nobody is to hear of it.

    Nothing critical is held back, except by a person who snoozed the subject.
    """
    rule = policy.rule_for(entry)
    if rule is None:
        return None
    team, subject = policy.teams[rule.team], subject_of(entry.event)
    alone = policy.storm.alone[rule.severity]
    held_until = None
    if snoozed_until is not None and snoozed_until > now:
        window, closes, alone = f"snooze-{timestamp(snoozed_until)}", snoozed_until, 0
    elif rule.severity is not Severity.CRITICAL and team.quiet_hours and (end := team.quiet_hours.ending(now)):
        window, closes, held_until = f"quiet-{timestamp(end)}", end, end
    else:
        begins = _window_start(now, policy.storm.window)
        window, closes = timestamp(begins), begins + policy.storm.window
    escalation = team.escalation
    return Plan(
        rule=rule,
        subject=subject,
        scope=f"{team.name}#{rule.severity.value}#{subject.key}",
        window=window,
        closes=closes,
        alone=alone,
        held_until=held_until,
        escalate_at=(held_until or now) + escalation.after if escalation else None,
    )


def destinations_of(policy: Policy, team: str, *, step: str) -> tuple[str, ...]:
    """Where a team is told; the team for products, if the policy has no such team any more, so that nothing is lost.

    An escalation goes where the team says, everything else to the team's own destinations.
    """
    found = policy.teams.get(team) or policy.teams[policy.products.team]
    if step == ESCALATION:
        return found.escalation.destinations if found.escalation else ()
    return found.destinations


ESCALATION = "escalation"
"""The step of telling others because nobody acknowledged."""


def reminder(number: int) -> str:
    """The step of telling again after the ``number``-th snooze."""
    return f"reminder-{number}"


def delivery_id(alert_id: str, destination: str, step: str) -> str:
    """Names one telling at one destination, the same however often it is tried: by it a receiver can drop a double."""
    return f"{alert_id}.{destination}.{step}"


def alert_document(made: Plan, *, state: str, now: datetime) -> Mapping[str, object]:
    """What is kept of an alert from its beginning."""
    document: dict[str, object] = {
        "state": state,
        "severity": made.rule.severity.value,
        "team": made.rule.team,
        "rule": made.rule.name,
        "at": timestamp(now),
        "scope": made.scope,
        "window": made.window,
        "deliveries": {},
    }
    if made.held_until is not None:
        document["held_until"] = timestamp(made.held_until)
    return document


def _window_start(now: datetime, width: timedelta) -> datetime:
    seconds = int(now.timestamp())
    return datetime.fromtimestamp(seconds - seconds % int(width.total_seconds()), timezone.utc)
