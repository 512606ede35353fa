"""Does what is due about alerts: each task first, then its deletion, so that a crash does it again and loses nothing.

What a task does a second time has no effect: states change by condition, and a delivery that was sent is not sent
again. It does not know the agenda's store or the destinations.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Final

from feedback.alerting.messages import FIRST, AlertMessage, Kind, ProductMessage
from feedback.alerting.planning import ESCALATION, destinations_of, reminder
from feedback.alerting.policy import Policy
from feedback.event import timestamp
from feedback.ledger import AlertState
from lambdas.aws.agenda import Agenda, AgendaUnavailableError, Task, TaskKind, task
from lambdas.aws.alert_place import AlertRef
from lambdas.aws.alert_queue import AlertQueue, Message
from lambdas.aws.alert_record import AlertRecord
from lambdas.aws.ledger import LedgerUnavailableError
from lambdas.telemetry import log_error

BATCH: Final = 100

_UNSENT: Final = (AlertState.DUE, AlertState.HELD)
_UNACKNOWLEDGED: Final = (AlertState.DUE, AlertState.SENT, AlertState.ESCALATED)


class Result(Enum):
    """What became of one task."""

    DONE = "done"
    NOT_NEEDED = "not needed"
    AGAIN = "again"


@dataclass(frozen=True, kw_only=True)
class Watch:
    """The use case with its collaborators."""

    policy: Policy
    record: AlertRecord
    agenda: Agenda
    queue: AlertQueue
    now: Callable[[], datetime]
    has_time: Callable[[], bool] = lambda: True

    def work(self) -> list[Result]:
        """Do what is due, the longest due first, until nothing is or the time is up."""
        results: list[Result] = []
        while self.has_time():
            tasks = self.agenda.due(self.now(), limit=BATCH)
            done = [self._do(each) for each in tasks]
            results += done
            if len(tasks) < BATCH or Result.AGAIN in done:
                break
        return results

    def _do(self, due: Task) -> Result:
        try:
            result = self._done(due)
            if result is not Result.AGAIN:
                self.agenda.done(due)
        except (LedgerUnavailableError, AgendaUnavailableError) as error:
            log_error("A task about an alert could not be done.", error, alert_id=due.id, task=due.kind.value)
            return Result.AGAIN
        return result

    def _done(self, due: Task) -> Result:
        match due.kind:
            case TaskKind.RELEASE:
                return self._release(due)
            case TaskKind.DIGEST:
                return self._digest(due)
            case TaskKind.ESCALATE:
                return self._escalate(due)
            case TaskKind.WAKE:
                return self._wake(due)

    def _release(self, due: Task) -> Result:
        """The end of quiet hours; or, soon after a decision, the safety net for an alert that was never queued."""
        ref = _ref(due)
        alert = self.record.find(ref)
        if alert is None or AlertState(alert["state"]) not in _UNSENT:
            return Result.NOT_NEEDED
        if alert["state"] == AlertState.HELD.value:
            self.record.move(ref, AlertState.DUE, only_from=[AlertState.HELD])
        return self._queue(ref, alert, FIRST)

    def _digest(self, due: Task) -> Result:
        ref = AlertRef(kind=Kind.DIGEST, id=due.id)
        alert = self.record.begin_about_many(ref, dict(due.details), now=self.now())
        self._plan_escalation(ref, alert)
        return self._queue(ref, alert, FIRST)

    def _escalate(self, due: Task) -> Result:
        ref = _ref(due)
        escalated = self.record.move(
            ref, AlertState.ESCALATED, only_from=_UNACKNOWLEDGED, escalated_at=timestamp(self.now())
        )
        return Result.NOT_NEEDED if escalated is None else self._queue(ref, escalated, ESCALATION)

    def _wake(self, due: Task) -> Result:
        """The end of a snooze. A later snooze has a task of its own."""
        ref = _ref(due)
        alert = self.record.find(ref)
        if alert is not None and alert.get("woken_from") == due.due:  # by a try that could not queue it
            return self._queue(ref, alert, reminder(int(alert["reminders"])))
        if alert is None or alert["state"] != AlertState.SNOOZED.value or alert["snoozed_until"] != due.due:
            return Result.NOT_NEEDED
        number = int(alert.get("reminders", 0)) + 1
        self._plan_escalation(ref, alert)
        woken = self.record.move(
            ref, AlertState.SENT, only_from=[AlertState.SNOOZED], reminders=number, woken_from=due.due
        )
        return Result.NOT_NEEDED if woken is None else self._queue(ref, alert, reminder(number))

    def _plan_escalation(self, ref: AlertRef, alert: dict[str, Any]) -> None:
        team = self.policy.teams.get(alert["team"])
        if team is not None and team.escalation is not None:
            due = self.now() + team.escalation.after
            self.agenda.put(task(TaskKind.ESCALATE, ref.id, due=due, about=ref.kind.value))

    def _queue(self, ref: AlertRef, alert: Mapping[str, Any], step: str) -> Result:
        unsent = self.queue.send(self._messages(ref, alert, step))
        return Result.AGAIN if unsent else Result.DONE

    def _messages(self, ref: AlertRef, alert: Mapping[str, Any], step: str) -> Sequence[Message]:
        if ref.kind is Kind.PRODUCT:
            return [
                ProductMessage(
                    id=ref.id,
                    scope=alert["subject"],
                    figures=alert["figures"],
                    examples=tuple(alert["examples"]),
                    step=step,
                )
            ]
        names = destinations_of(self.policy, alert["team"], step=step)
        return [AlertMessage(kind=ref.kind, id=ref.id, step=step, destination=name) for name in names]


def _ref(due: Task) -> AlertRef:
    return AlertRef(kind=Kind(due.details.get("about", Kind.FEEDBACK.value)), id=due.id)
