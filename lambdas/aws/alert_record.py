"""The record of alerts: begun once, released, escalated, woken, changed by people.

An alert begins in one transaction with the count of its storm and with what is to be done about it later, so that a
crash leaves all of it or nothing. It does not know policies or destinations; deliveries are in ``alert_deliveries``.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final
from zlib import crc32

from feedback.alerting.messages import Kind
from feedback.alerting.planning import Plan, alert_document
from feedback.event import timestamp
from feedback.ledger import AlertState
from lambdas.aws.agenda import Task
from lambdas.aws.alert_place import ALERTS, AlertPlace, AlertRef, Change, RefusedError
from lambdas.aws.attributes import from_item, to_attribute, to_item

EXAMPLE_SLOTS: Final = 3

_KEPT: Final = timedelta(days=60)
_STATE: Final = {"#state": "state"}


class Begun(Enum):
    """How an alert began."""

    ALONE = "alone"
    DIGESTED = "digested"
    BEFORE = "before"


class AlertRecord:
    """All alerts and what was done about them."""

    def __init__(self, place: AlertPlace) -> None:
        self._place = place

    def find(self, ref: AlertRef) -> dict[str, Any] | None:
        """The alert, or None."""
        return self._place.find(ref)

    def begin(self, feedback_id: str, made: Plan, *, now: datetime, alone: Sequence[Task], digest: Task) -> Begun:
        """Write a feedback's alert: one that stands alone with its tasks, or one more of a digest. Once."""
        if made.alone:
            state = AlertState.DUE if made.held_until is None else AlertState.HELD
            try:
                self._write(feedback_id, made, state, now=now, tasks=alone, limit=made.alone)
            except RefusedError as refused:
                if refused.reasons[0] == "ConditionalCheckFailed":
                    return Begun.BEFORE
            else:
                return Begun.ALONE
        try:
            self._write(feedback_id, made, AlertState.DIGESTED, now=now, tasks=[digest], limit=None)
        except RefusedError:
            return Begun.BEFORE
        return Begun.DIGESTED

    def begin_about_many(self, ref: AlertRef, document: dict[str, Any], *, now: datetime) -> dict[str, Any]:
        """Write an alert that is about many, and return it, or return the one that has this id already."""
        alert = {"state": AlertState.DUE.value, "at": timestamp(now), "deliveries": {}, **document}
        item = {"pk": ALERTS, "sk": ref.id, "alert": alert, "expires_at": int((now + _KEPT).timestamp())}
        try:
            self._place.call(
                "put_item",
                TableName=self._place.desk_table,
                Item=to_item(item),
                ConditionExpression="attribute_not_exists(pk)",
            )
        except RefusedError:
            return self._place.find(ref) or alert
        return alert

    def move(
        self, ref: AlertRef, state: AlertState, *, only_from: Sequence[AlertState], **more: str | int
    ) -> dict[str, Any] | None:
        """The alert in its new state; None where it was in none of ``only_from``."""
        return self.edit(ref, {"state": state.value, **more}, only_from=only_from)

    def edit(self, ref: AlertRef, fields: dict[str, Any], *, only_from: Sequence[AlertState]) -> dict[str, Any] | None:
        """The alert with changed fields; None where it was in none of ``only_from``."""
        states = {f":from{index}": state.value for index, state in enumerate(only_from)}
        return self._place.change(
            ref,
            Change(
                update="SET " + ", ".join(f"alert.#{name} = :{name}" for name in fields),
                condition=f"alert.#state IN ({', '.join(states)})",
                names={**_STATE, **{f"#{name}": name for name in fields}},
                values={**states, **{f":{name}": value for name, value in fields.items()}},
            ),
        )

    def storm(self, scope: str, window: str) -> dict[str, Any]:
        """The counts and examples of one window of one scope."""
        key = to_item({"pk": f"storm#{scope}", "sk": window})
        item = self._place.call("get_item", TableName=self._place.desk_table, Key=key, ConsistentRead=True)
        return from_item(item.get("Item", {}))

    def recent_examples(self, scope: str, *, windows: int = 3) -> list[str]:
        """Ids of feedback lately alerted about in the scope, newest window first."""
        answer = self._place.call(
            "query",
            TableName=self._place.desk_table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": f"storm#{scope}"}},
            ScanIndexForward=False,
            Limit=windows,
        )
        return [id_ for item in answer.get("Items", []) for id_ in examples_of(from_item(item))]

    def _write(
        self,
        feedback_id: str,
        made: Plan,
        state: AlertState,
        *,
        now: datetime,
        tasks: Sequence[Task],
        limit: int | None,
    ) -> None:
        counter = "alone" if limit is not None else "digested"
        count: dict[str, Any] = {
            "TableName": self._place.desk_table,
            "Key": to_item({"pk": f"storm#{made.scope}", "sk": made.window}),
            "UpdateExpression": "ADD #counter :one SET #example = :id, expires_at = :expires",
            "ExpressionAttributeNames": {
                "#counter": counter,
                "#example": f"example{crc32(feedback_id.encode('utf-8')) % EXAMPLE_SLOTS}",
            },
            "ExpressionAttributeValues": {
                ":one": {"N": "1"},
                ":id": {"S": feedback_id},
                ":expires": {"N": str(int((made.closes + _KEPT).timestamp()))},
            },
        }
        if limit is not None:
            count["ConditionExpression"] = "attribute_not_exists(#counter) OR #counter < :limit"
            count["ExpressionAttributeValues"][":limit"] = {"N": str(limit)}
        begin = {
            **self._place.at(AlertRef(kind=Kind.FEEDBACK, id=feedback_id)),
            "UpdateExpression": "SET alert = :alert",
            "ConditionExpression": "attribute_exists(feedback_id) AND attribute_not_exists(alert)",
            "ExpressionAttributeValues": {
                ":alert": to_attribute(alert_document(made, state=state.value, now=now)),
            },
        }
        puts = [{"Put": {"TableName": self._place.desk_table, "Item": each.to_item()}} for each in tasks]
        self._place.call("transact_write_items", TransactItems=[{"Update": begin}, {"Update": count}, *puts])


def examples_of(storm: dict[str, Any]) -> list[str]:
    """The ids of feedback in a storm's item."""
    return [str(storm[f"example{slot}"]) for slot in range(EXAMPLE_SLOTS) if f"example{slot}" in storm]
