"""What is to be done about alerts later, in the order in which it falls due: items of the desk.

A task is done at least once: it is taken off after its work. It does not know what a task means.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from feedback.event import timestamp
from lambdas.aws.attributes import from_item, to_item
from lambdas.aws.clients import Client

_AGENDA: Final = "agenda"
_KEPT_BEYOND_DUE: Final = timedelta(days=30)
"""However long duty is away, up to this, nothing is forgotten."""


class AgendaUnavailableError(RuntimeError):
    """The agenda did not answer, or refused."""


class TaskKind(str, Enum):  # noqa: UP042 - compared with what is stored
    """What there is to do."""

    RELEASE = "release"
    DIGEST = "digest"
    ESCALATE = "escalate"
    WAKE = "wake"


@dataclass(frozen=True, kw_only=True)
class Task:
    """One thing to do from ``due`` on. ``id`` is the alert's; ``details`` is what else it takes."""

    kind: TaskKind
    id: str
    due: str
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> dict[str, dict[str, str]]:
        """Where the task stands: the same one is put once, however often."""
        return {"pk": {"S": _AGENDA}, "sk": {"S": f"{self.due}#{self.kind.value}#{self.id}"}}

    def to_item(self) -> dict[str, Any]:
        """The task as an item of the desk."""
        due = datetime.fromisoformat(self.due.replace("Z", "+00:00"))
        document = {
            "kind": self.kind.value,
            "id": self.id,
            "due": self.due,
            "details": dict(self.details),
            "expires_at": int((due + _KEPT_BEYOND_DUE).timestamp()),
        }
        return {**self.key, **to_item(document)}


def task(kind: TaskKind, id_: str, *, due: datetime, **details: Any) -> Task:
    """A task that falls due at a moment."""
    return Task(kind=kind, id=id_, due=timestamp(due), details=details)


class Agenda:
    """The tasks of duty."""

    def __init__(self, *, table: str, dynamodb: Client) -> None:
        self._table = table
        self._dynamodb = dynamodb

    def put(self, planned: Task) -> None:
        """Note a task; AgendaUnavailableError otherwise."""
        self._call("put_item", Item=planned.to_item())

    def due(self, now: datetime, *, limit: int) -> list[Task]:
        """The tasks that are due, the longest due first."""
        answer = self._call(
            "query",
            KeyConditionExpression="pk = :pk AND sk < :after",
            ExpressionAttributeValues={":pk": {"S": _AGENDA}, ":after": {"S": f"{timestamp(now)}$"}},
            Limit=limit,
            ConsistentRead=True,
        )
        found = [from_item(item) for item in answer.get("Items", [])]
        return [
            Task(kind=TaskKind(each["kind"]), id=each["id"], due=each["due"], details=each["details"]) for each in found
        ]

    def done(self, finished: Task) -> None:
        """Take a task off."""
        self._call("delete_item", Key=finished.key)

    def _call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self._dynamodb, operation)(TableName=self._table, **arguments)
        except (ClientError, BotoCoreError) as error:
            raise AgendaUnavailableError("The agenda did not answer.") from error
        return answer
