"""The ledger table: every change is one conditional write, so that each happens once however often it is tried.

It does not know why a feedback is accepted, decided or told about.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from feedback.event import timestamp
from feedback.ledger import RETENTION, Correction, Entry, State
from feedback.sentiment import Sentiment
from lambdas.aws.attributes import from_item, to_item
from lambdas.aws.clients import Client
from lambdas.aws.originals import Original, Originals

_READ_LIMIT: Final = 100  # keys in one BatchGetItem
_READ_ATTEMPTS: Final = 3
_WRITE_ATTEMPTS: Final = 3
_DECIDED: Final = (
    "state",
    "decided_at",
    "sentiment",
    "label",
    "confidence",
    "probabilities",
    "model_version",
    "failure",
    "unsure_because",
    "translated_from",
    "review",
)


class LedgerUnavailableError(RuntimeError):
    """The ledger did not answer, or refused; whether the write happened is not known."""


class UnknownFeedbackError(LookupError):
    """There is no entry with this id."""


class UndecidedFeedbackError(ValueError):
    """The entry is not decided yet, so there is nothing to correct."""


class Ledger:
    """The entries of all accepted feedback, by id."""

    def __init__(self, *, table: str, dynamodb: Client, originals: Originals | None = None) -> None:
        self._table = table
        self._originals = originals
        self._dynamodb = dynamodb

    def accept(self, entry: Entry, *, original: Original | None = None, now: datetime) -> Entry:
        """Write a new entry, with its original if it has one in the same transaction, and return it; or return the
        entry that has this id already."""
        item = entry.to_document() | {"expires_at": int((now + RETENTION).timestamp())}
        put = {
            "TableName": self._table,
            "Item": to_item(item),
            "ConditionExpression": "attribute_not_exists(feedback_id)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        actions = [{"Put": put}]
        if original is not None:
            actions.append(self._beside(entry.event.id, original, now=now))
        try:
            self._put(actions)
        except (ClientError, BotoCoreError) as error:
            if not isinstance(error, ClientError) or not _is_condition(error):
                raise LedgerUnavailableError("The ledger could not be written.") from error
            stored = _stored_item(error)
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

    def decide(self, entry: Entry) -> bool:
        """Write the decision in ``entry``; False, and nothing written, when something was decided before."""
        document = entry.to_document()
        changes = {name: document[name] for name in _DECIDED if name in document}
        assignments = ", ".join(f"#{name} = :{name}" for name in changes)
        written = self._update(
            entry.event.id,
            f"SET {assignments} REMOVE in_flight_until",
            condition="#state = :received",
            names={f"#{name}": name for name in changes},
            values={f":{name}": value for name, value in changes.items()} | {":received": State.RECEIVED.value},
        )
        return written is not None

    def leave_to_router(self, feedback_id: str) -> None:
        """Write that intake asks the model no longer, so that the same request again is answered at once."""
        self._update(
            feedback_id,
            "REMOVE in_flight_until",
            condition="#state = :received",
            names={"#state": "state"},
            values={":received": State.RECEIVED.value},
        )

    def correct(self, feedback_id: str, sentiment: Sentiment, *, by: str, note: str | None, now: datetime) -> Entry:
        """Write a person's judgement over whatever was decided, and return the entry; the same one again changes
        nothing. UnknownFeedbackError and UndecidedFeedbackError where there is nothing to correct."""
        for _ in range(_WRITE_ATTEMPTS):
            entry = self.find(feedback_id)
            if entry is None:
                raise UnknownFeedbackError("There is no such feedback.")
            if not entry.state.is_decided:
                raise UndecidedFeedbackError("The feedback is not decided yet.")
            given = entry.correction
            if given is not None and (given.sentiment, given.by, given.note) == (sentiment, by, note):
                return entry
            correction = Correction(sentiment=sentiment, by=by, at=timestamp(now), note=note)
            written = self._update(
                feedback_id,
                "SET #state = :corrected, decided_at = :now, correction = :correction",
                condition="#state = :state AND decided_at = :decided_at",
                names={"#state": "state"},
                values={
                    ":corrected": State.CORRECTED.value,
                    ":now": timestamp(now),
                    ":correction": correction.to_document(),
                    ":state": entry.state.value,
                    ":decided_at": entry.decided_at,
                },
            )
            if written is not None:
                return Entry.from_document(written)
        raise LedgerUnavailableError("The entry changes all the time.")

    def _update(
        self, feedback_id: str, expression: str, *, condition: str, names: dict[str, str], values: dict[str, Any]
    ) -> dict[str, Any] | None:
        """The item after the update; None, and nothing written, where the condition does not hold."""
        for attempt in range(1, _WRITE_ATTEMPTS + 1):
            try:
                answer = self._dynamodb.update_item(
                    TableName=self._table,
                    Key={"feedback_id": {"S": feedback_id}},
                    UpdateExpression=expression,
                    ConditionExpression=condition,
                    ExpressionAttributeNames=names,
                    ExpressionAttributeValues=to_item(values),
                    ReturnValues="ALL_NEW",
                )
            except (ClientError, BotoCoreError) as error:
                if isinstance(error, ClientError) and _is_condition(error):
                    return None
                if attempt < _WRITE_ATTEMPTS and _is_conflict(error):
                    continue
                raise LedgerUnavailableError("The ledger could not be written.") from error
            return from_item(answer["Attributes"])
        raise AssertionError("the last attempt returns or raises")

    def _put(self, actions: list[dict[str, Any]]) -> None:
        """One put as it is, several in a transaction."""
        for attempt in range(1, _WRITE_ATTEMPTS + 1):
            try:
                if len(actions) == 1:
                    self._dynamodb.put_item(**actions[0]["Put"])
                else:
                    self._dynamodb.transact_write_items(TransactItems=actions)
                return
            except ClientError as error:
                if attempt == _WRITE_ATTEMPTS or not _is_conflict(error):
                    raise

    def _beside(self, feedback_id: str, original: Original, *, now: datetime) -> dict[str, Any]:
        if self._originals is None:
            raise TypeError("a ledger that accepts originals needs the table for them")
        return self._originals.put(feedback_id, original, now=now)

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
    """The condition on the entry did not hold, alone or in a transaction."""
    if error.response["Error"]["Code"] == "TransactionCanceledException":
        return bool(_reason_of_entry(error).get("Code") == "ConditionalCheckFailed")
    return bool(error.response["Error"]["Code"] == "ConditionalCheckFailedException")


def _is_conflict(error: ClientError | BotoCoreError) -> bool:
    """Another transaction was at the entry. botocore does not try such a write again."""
    if not isinstance(error, ClientError):
        return False
    reasons = [reason.get("Code") for reason in error.response.get("CancellationReasons") or []]
    return error.response["Error"]["Code"] == "TransactionConflictException" or (
        "TransactionConflict" in reasons and not _is_condition(error)
    )


def _stored_item(error: ClientError) -> dict[str, Any] | None:
    item: dict[str, Any] | None = error.response.get("Item") or _reason_of_entry(error).get("Item")
    return item


def _reason_of_entry(error: ClientError) -> dict[str, Any]:
    """Why the transaction's first action, that on the entry, was not done."""
    reasons: list[dict[str, Any]] = error.response.get("CancellationReasons") or [{}]
    return reasons[0]
