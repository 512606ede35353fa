"""Decides which decided feedback is told about, and begins its alert once.

The alert is written first, with a task that queues it should the next step fail; then it is queued, a message for each
destination. Whatever crashes in between, the record of the stream or the task does it again, and a message that comes
twice is delivered once. It does not know streams or destinations.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final, Protocol

from feedback.alerting.messages import FIRST, AlertMessage, Kind
from feedback.alerting.planning import Plan, destinations_of, plan, subject_of
from feedback.alerting.policy import Policy
from feedback.ledger import AlertState, Entry
from lambdas.aws.agenda import Task, TaskKind, task
from lambdas.aws.alert_place import AlertRef
from lambdas.aws.alert_queue import AlertQueue
from lambdas.aws.alert_record import AlertRecord, Begun
from lambdas.aws.ledger import LedgerUnavailableError
from lambdas.telemetry import log_error

SAFETY_NET: Final = timedelta(minutes=2)
"""After this duty queues an alert that nothing has sent yet."""

DIGEST_GRACE: Final = timedelta(minutes=1)
"""A digest waits so long for what was decided at the last moment of its window."""


class Snoozes(Protocol):
    """What people silenced."""

    def until(self, subject_key: str) -> datetime | None:
        """The end of a subject's silence, past or to come; None where it has none."""


class Result(Enum):
    """What became of one entry."""

    NOT_WANTED = "not wanted"
    QUEUED = "queued"
    HELD = "held"
    DIGESTED = "digested"
    BEFORE = "before"
    AGAIN = "again"


@dataclass(frozen=True, kw_only=True)
class Alerting:
    """The use case with its collaborators."""

    policy: Policy
    record: AlertRecord
    queue: AlertQueue
    snoozes: Snoozes
    now: Callable[[], datetime]

    def alert(self, entry: Entry) -> Result:
        """What became of it; AGAIN where it is to be tried again."""
        if self.policy.rule_for(entry) is None:
            return Result.NOT_WANTED
        try:
            return self._begin(entry)
        except LedgerUnavailableError as error:
            log_error("An alert could not be begun.", error, feedback_id=entry.event.id)
            return Result.AGAIN

    def _begin(self, entry: Entry) -> Result:
        now = self.now()
        snoozed_until = self.snoozes.until(subject_of(entry.event).key)
        made = plan(self.policy, entry, now=now, snoozed_until=snoozed_until)
        if made is None:
            return Result.NOT_WANTED
        feedback_id = entry.event.id
        begun = self.record.begin(
            feedback_id, made, now=now, alone=_tasks(feedback_id, made, now), digest=_digest(made)
        )
        if begun is Begun.DIGESTED:
            return Result.DIGESTED
        if begun is Begun.BEFORE:
            return self._queue_again(feedback_id)
        if made.held_until is not None:
            return Result.HELD
        return Result.QUEUED if self._queue(feedback_id, made.rule.team) else Result.AGAIN

    def _queue_again(self, feedback_id: str) -> Result:
        """An earlier try may have ended between the record and the queue."""
        alert: dict[str, Any] | None = self.record.find(AlertRef(kind=Kind.FEEDBACK, id=feedback_id))
        if alert is None or alert["state"] != AlertState.DUE.value:
            return Result.BEFORE
        return Result.BEFORE if self._queue(feedback_id, alert["team"]) else Result.AGAIN

    def _queue(self, feedback_id: str, team: str) -> bool:
        names = destinations_of(self.policy, team, step=FIRST)
        return not self.queue.send(
            [AlertMessage(kind=Kind.FEEDBACK, id=feedback_id, destination=name) for name in names]
        )


def _tasks(feedback_id: str, made: Plan, now: datetime) -> list[Task]:
    tasks = [task(TaskKind.RELEASE, feedback_id, due=made.held_until or now + SAFETY_NET)]
    if made.escalate_at is not None:
        tasks.append(task(TaskKind.ESCALATE, feedback_id, due=made.escalate_at))
    return tasks


def _digest(made: Plan) -> Task:
    details = {
        "scope": made.scope,
        "window": made.window,
        "subject": made.subject.document,
        "severity": made.rule.severity.value,
        "team": made.rule.team,
        "rule": made.rule.name,
    }
    return task(TaskKind.DIGEST, made.digest_id, due=made.closes + DIGEST_GRACE, **details)
