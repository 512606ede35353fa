"""Begins the alert that a product is going wrong, with what is to be done about it later: its tasks first, then itself.

It does not know how it is delivered.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from feedback.alerting.messages import ProductMessage
from feedback.alerting.policy import Policy
from feedback.alerting.rules import Severity
from feedback.event import timestamp
from feedback.ledger import AlertState
from lambdas.aws.agenda import Agenda, TaskKind, task
from lambdas.aws.alert_place import AlertRef
from lambdas.aws.alert_record import AlertRecord


@dataclass(frozen=True, kw_only=True)
class ProductAlerts:
    """The use case with its collaborators."""

    policy: Policy
    record: AlertRecord
    agenda: Agenda
    now: Callable[[], datetime]

    def begin(self, ref: AlertRef, message: ProductMessage) -> dict[str, Any]:
        """The alert as it is recorded now, by this or an earlier message."""
        now, rule = self.now(), self.policy.products
        team = self.policy.teams[rule.team]
        document: dict[str, Any] = {
            "severity": rule.severity.value,
            "team": rule.team,
            "subject": dict(message.scope),
            "figures": dict(message.figures),
            "examples": list(message.examples),
        }
        told_at = now
        if rule.severity is not Severity.CRITICAL and team.quiet_hours and (end := team.quiet_hours.ending(now)):
            told_at = end
            document |= {"state": AlertState.HELD.value, "held_until": timestamp(end)}
            self.agenda.put(task(TaskKind.RELEASE, ref.id, due=end, about=ref.kind.value))
        if team.escalation is not None:
            due = told_at + team.escalation.after
            self.agenda.put(task(TaskKind.ESCALATE, ref.id, due=due, about=ref.kind.value))
        return self.record.begin_about_many(ref, document, now=now)
