"""Where an alert is kept: in the ledger beside its feedback, or, being about many, on the desk by its own id.

Every change is one conditional write. It does not know what an alert's fields mean.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from feedback.alerting.messages import Kind
from lambdas.aws.attributes import from_item, to_attribute
from lambdas.aws.clients import Client
from lambdas.aws.ledger import LedgerUnavailableError
from lambdas.telemetry import aws_code

ALERTS: Final = "alert"
"""The part of the desk that keeps alerts about many."""

_CONDITION: Final = "ConditionalCheckFailedException"
# botocore repeats throttled calls, and none of these: another writer was at the same item.
_CONFLICTS: Final = frozenset({"TransactionConflictException", "TransactionInProgressException"})
_ATTEMPTS: Final = 8
_PAUSE_SECONDS: Final = 0.02  # doubled each time: 2.5 seconds in all


@dataclass(frozen=True, kw_only=True)
class AlertRef:
    """One alert: that of a feedback by the feedback's id, any other by its own."""

    kind: Kind
    id: str


@dataclass(frozen=True, kw_only=True)
class Change:
    """An update of an alert: ``alert`` stands for it in the expressions."""

    update: str
    condition: str
    names: Mapping[str, str]
    values: Mapping[str, Any]


class AlertPlace:
    """The two tables in which alerts are kept."""

    def __init__(
        self, *, ledger_table: str, desk_table: str, dynamodb: Client, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.ledger_table = ledger_table
        self.desk_table = desk_table
        self._dynamodb = dynamodb
        self._sleep = sleep

    def at(self, ref: AlertRef) -> dict[str, Any]:
        """Table and key."""
        if ref.kind is Kind.FEEDBACK:
            return {"TableName": self.ledger_table, "Key": {"feedback_id": {"S": ref.id}}}
        return {"TableName": self.desk_table, "Key": {"pk": {"S": ALERTS}, "sk": {"S": ref.id}}}

    def find(self, ref: AlertRef) -> dict[str, Any] | None:
        """The alert as it is now; None where there is none."""
        item = self.call("get_item", **self.at(ref), ConsistentRead=True).get("Item", {})
        alert: dict[str, Any] | None = from_item(item).get("alert")
        return alert

    def change(self, ref: AlertRef, change: Change) -> dict[str, Any] | None:
        """The alert after the change; None, and nothing written, where its condition does not hold."""
        try:
            answer = self.call(
                "update_item",
                **self.at(ref),
                UpdateExpression=change.update,
                ConditionExpression=change.condition,
                ExpressionAttributeNames=dict(change.names),
                ExpressionAttributeValues={name: to_attribute(value) for name, value in change.values.items()},
                ReturnValues="ALL_NEW",
            )
        except RefusedError:
            return None
        changed: dict[str, Any] = from_item(answer["Attributes"])["alert"]
        return changed

    def call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """One call of DynamoDB, some times where another writer is in the way.

        RefusedError where a condition does not hold, LedgerUnavailableError otherwise.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                answer: dict[str, Any] = getattr(self._dynamodb, operation)(**arguments)
            except (ClientError, BotoCoreError) as error:
                reasons = _reasons(error)
                if attempt < _ATTEMPTS and _is_conflict(error, reasons):
                    self._sleep(_PAUSE_SECONDS * 2 ** (attempt - 1))
                    continue
                if aws_code(error) == _CONDITION or "ConditionalCheckFailed" in reasons:
                    raise RefusedError(reasons) from error
                raise LedgerUnavailableError("An alert could not be read or written.") from error
            return answer
        raise AssertionError("the last attempt returns or raises")


class RefusedError(RuntimeError):
    """A condition does not hold: ``reasons`` has a code for each write of a transaction, ``None`` where it would do."""

    def __init__(self, reasons: tuple[str, ...]) -> None:
        super().__init__("A condition of a write does not hold.")
        self.reasons = reasons


def _is_conflict(error: BaseException, reasons: tuple[str, ...]) -> bool:
    return aws_code(error) in _CONFLICTS or (
        "TransactionConflict" in reasons and "ConditionalCheckFailed" not in reasons
    )


def _reasons(error: ClientError | BotoCoreError) -> tuple[str, ...]:
    if not isinstance(error, ClientError):
        return ()
    return tuple(str(reason.get("Code", "None")) for reason in error.response.get("CancellationReasons", ()))
