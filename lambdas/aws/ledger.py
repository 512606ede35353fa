"""The ledger table: every change is one conditional write, so that each happens once however often it is tried.

It does not know why a feedback is accepted, decided or told about.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from feedback.event import timestamp
from feedback.ledger import RETENTION, AlertState, Entry, State, state_of
from feedback.prediction import Prediction
from lambdas.aws.attributes import from_item, to_attribute, to_item
from lambdas.aws.clients import Client

_READ_LIMIT: Final = 100  # keys in one BatchGetItem
_READ_ATTEMPTS: Final = 3


class LedgerUnavailableError(RuntimeError):
    """The ledger did not answer, or refused; whether the write happened is not known."""


class Ledger:
    """The entries of all accepted feedback, by id."""

    def __init__(self, *, table: str, dynamodb: Client) -> None:
        self._table = table
        self._dynamodb = dynamodb

    def accept(self, entry: Entry, *, now: datetime) -> Entry:
        """Write a new entry and return it, or return the one that has this id already."""
        item = entry.to_document() | {"expires_at": int((now + RETENTION).timestamp())}
        try:
            self._dynamodb.put_item(
                TableName=self._table,
                Item=to_item(item),
                ConditionExpression="attribute_not_exists(feedback_id)",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except (ClientError, BotoCoreError) as error:
            if not isinstance(error, ClientError) or not _is_condition(error):
                raise LedgerUnavailableError("The ledger could not be written.") from error
            stored = error.response.get("Item")
            existing = Entry.from_document(from_item(stored)) if stored else self.find(entry.event.id)
            if existing is None:  # expired between the two calls
                raise LedgerUnavailableError("The ledger entry has just expired.") from error
            return existing
        return entry

    def find(self, feedback_id: str) -> Entry | None:
        """The entry as it is now, or None."""
        try:
            answer = self._dynamodb.get_item(
                TableName=self._table, Key={"feedback_id": {"S": feedback_id}}, ConsistentRead=True
            )
        except (ClientError, BotoCoreError) as error:
            raise LedgerUnavailableError("The ledger could not be read.") from error
        item = answer.get("Item")
        return Entry.from_document(from_item(item)) if item else None

    def find_items(self, feedback_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """The stored documents by id, as they are now, for those that exist. Not read as entries yet: one malformed
        item must not hide the others."""
        wanted = sorted(set(feedback_ids))
        found: dict[str, dict[str, Any]] = {}
        for start in range(0, len(wanted), _READ_LIMIT):
            keys = [{"feedback_id": {"S": feedback_id}} for feedback_id in wanted[start : start + _READ_LIMIT]]
            for _ in range(_READ_ATTEMPTS):
                keys = self._read_some(keys, found)
                if not keys:
                    break
            else:
                raise LedgerUnavailableError("The ledger left keys unread.")
        return found

    def decide(self, feedback_id: str, prediction: Prediction, *, now: datetime) -> bool:
        """Write the model's decision; False, and nothing written, when something was decided before."""
        return self._leave_received(
            feedback_id, {"state": state_of(prediction).value, **prediction.to_document()}, now=now
        )

    def fail(self, feedback_id: str, reason: str, *, now: datetime) -> bool:
        """Write that the feedback can never be classified, and why; False when something was decided before."""
        return self._leave_received(feedback_id, {"state": State.FAILED.value, "failure": reason}, now=now)

    def claim_alert(self, feedback_id: str, *, owner: str, now: datetime, lease_until: datetime) -> bool:
        """Take the right to send this feedback's alert until ``lease_until``; False when sent or claimed by another."""
        claim = {
            "state": AlertState.CLAIMED.value,
            "at": timestamp(now),
            "owner": owner,
            "lease_until": timestamp(lease_until),
        }
        return self._update(
            feedback_id,
            "SET alert = :claim",
            condition="attribute_exists(feedback_id) AND (attribute_not_exists(alert) OR "
            "(alert.#state = :claimed AND (alert.lease_until < :now OR alert.#owner = :owner)))",
            names={"#state": "state", "#owner": "owner"},
            values={":claim": claim, ":claimed": AlertState.CLAIMED.value, ":now": timestamp(now), ":owner": owner},
        )

    def release_alert(self, feedback_id: str, *, owner: str) -> bool:
        """Give the claim back, when it is certain that nothing was sent."""
        return self._update(
            feedback_id,
            "REMOVE alert",
            condition="alert.#state = :claimed AND alert.#owner = :owner",
            names={"#state": "state", "#owner": "owner"},
            values={":claimed": AlertState.CLAIMED.value, ":owner": owner},
        )

    def mark_alert_sent(self, feedback_id: str, *, owner: str, message_id: str, now: datetime) -> bool:
        """Write that the alert went out; False when the claim was lost meanwhile."""
        sent = {"state": AlertState.SENT.value, "at": timestamp(now), "message_id": message_id}
        return self._update(
            feedback_id,
            "SET alert = :sent",
            condition="(alert.#state = :claimed AND alert.#owner = :owner) OR alert.message_id = :message_id",
            names={"#state": "state", "#owner": "owner"},
            values={
                ":sent": sent,
                ":claimed": AlertState.CLAIMED.value,
                ":owner": owner,
                ":message_id": message_id,
            },
        )

    def _leave_received(self, feedback_id: str, changes: dict[str, Any], *, now: datetime) -> bool:
        changes = {name: value for name, value in changes.items() if value is not None} | {"decided_at": timestamp(now)}
        assignments = ", ".join(f"#{name} = :{name}" for name in changes)
        return self._update(
            feedback_id,
            f"SET {assignments}",
            condition="#state = :received",
            names={f"#{name}": name for name in changes},
            values={f":{name}": value for name, value in changes.items()} | {":received": State.RECEIVED.value},
        )

    def _update(
        self, feedback_id: str, expression: str, *, condition: str, names: dict[str, str], values: dict[str, Any]
    ) -> bool:
        try:
            self._dynamodb.update_item(
                TableName=self._table,
                Key={"feedback_id": {"S": feedback_id}},
                UpdateExpression=expression,
                ConditionExpression=condition,
                ExpressionAttributeNames=names,
                ExpressionAttributeValues={name: to_attribute(value) for name, value in values.items()},
            )
        except (ClientError, BotoCoreError) as error:
            if isinstance(error, ClientError) and _is_condition(error):
                return False
            raise LedgerUnavailableError("The ledger could not be written.") from error
        return True

    def _read_some(self, keys: list[dict[str, Any]], found: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
        try:
            answer = self._dynamodb.batch_get_item(RequestItems={self._table: {"Keys": keys, "ConsistentRead": True}})
        except (ClientError, BotoCoreError) as error:
            raise LedgerUnavailableError("The ledger could not be read.") from error
        for item in answer["Responses"].get(self._table, []):
            document = from_item(item)
            found[document["feedback_id"]] = document
        unread: list[dict[str, Any]] = answer.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", [])
        return unread


def _is_condition(error: ClientError) -> bool:
    return bool(error.response["Error"]["Code"] == "ConditionalCheckFailedException")
