"""What people do with alerts: acknowledge, assign, snooze. Used by the API and by the command line.

Snoozing the alert of a feedback quiets that one; snoozing one about many quiets its whole subject. It does not know who
may do it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from feedback.alerting.life import Action, Verb, read_action
from feedback.alerting.messages import Kind
from feedback.alerting.planning import Subject
from lambdas.aws.agenda import Agenda, AgendaUnavailableError, TaskKind, task
from lambdas.aws.alert_place import AlertPlace, AlertRef
from lambdas.aws.alert_record import AlertRecord
from lambdas.aws.clients import Client
from lambdas.aws.ledger import LedgerUnavailableError
from lambdas.aws.snoozes import Snoozes


class NoSuchAlertError(LookupError):
    """There is no alert of this id."""


class NotPossibleError(RuntimeError):
    """The alert is in no state in which this can be done."""


class AlertActions:
    """The actions on all alerts."""

    def __init__(self, *, ledger_table: str, desk_table: str, dynamodb: Client) -> None:
        place = AlertPlace(ledger_table=ledger_table, desk_table=desk_table, dynamodb=dynamodb)
        self._record = AlertRecord(place)
        self._agenda = Agenda(table=desk_table, dynamodb=dynamodb)
        self._snoozes = Snoozes(place)

    def perform(self, alert_id: str, document: Mapping[str, object], *, now: datetime) -> dict[str, Any]:
        """The alert after the action in a request's document.

        WrongActionError for a document that asks for none, NoSuchAlertError, NotPossibleError, LedgerUnavailableError.
        """
        action = read_action(document, now=now)
        ref, alert = self._find(alert_id)
        try:
            self._prepare(ref, alert, action)
        except AgendaUnavailableError as error:
            raise LedgerUnavailableError("The end of a snooze could not be noted.") from error
        changed = self._record.edit(ref, action.changes(now=now), only_from=sorted(action.verb.possible_in))
        if changed is None:
            raise NotPossibleError(f"The alert cannot be changed by {action.verb.value} any more.")
        return {"id": alert_id, "kind": ref.kind.value, **changed}

    def _find(self, alert_id: str) -> tuple[AlertRef, dict[str, Any]]:
        for kind in (Kind.FEEDBACK, Kind.PRODUCT):  # those about many stand at one place, whatever they are about
            ref = AlertRef(kind=kind, id=alert_id)
            alert = self._record.find(ref)
            if alert is not None:
                is_digest = kind is not Kind.FEEDBACK and "window" in alert
                return (AlertRef(kind=Kind.DIGEST, id=alert_id) if is_digest else ref), alert
        raise NoSuchAlertError("There is no such alert.")

    def _prepare(self, ref: AlertRef, alert: Mapping[str, Any], action: Action) -> None:
        """First what comes at the end of a snooze, then the snooze: one without an end would be forgotten."""
        if action.verb is not Verb.SNOOZE or action.until is None:
            return
        self._agenda.put(task(TaskKind.WAKE, ref.id, due=action.until, about=ref.kind.value))
        if ref.kind is not Kind.FEEDBACK:
            self._snoozes.put(Subject(**alert["subject"]).key, until=action.until, by=action.by)
