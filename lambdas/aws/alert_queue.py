"""The alert queue: what is to be delivered, and how soon a delivery is tried again. It does not know destinations."""

from collections.abc import Sequence
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from feedback.alerting.messages import AlertMessage, ProductMessage
from lambdas.aws.clients import Client
from lambdas.telemetry import log_error

Message = AlertMessage | ProductMessage

_SEND_LIMIT: Final = 10  # entries in one SendMessageBatch
_FIRST_PAUSE_SECONDS: Final = 30
_LONGEST_PAUSE_SECONDS: Final = 900


class AlertQueue:
    """Alerts on their way to destinations."""

    def __init__(self, *, url: str, sqs: Client) -> None:
        self._url = url
        self._sqs = sqs

    def send(self, messages: Sequence[Message]) -> list[Message]:
        """Queue the messages; those that could not be queued come back. SQS answers 200 with failed entries inside."""
        unsent: list[Message] = []
        for start in range(0, len(messages), _SEND_LIMIT):
            unsent += self._send_some(messages[start : start + _SEND_LIMIT])
        return unsent

    def postpone(self, receipt_handle: str, *, receives: int) -> None:
        """Let a message come back the later the more often it was received. Best effort: else it is the usual time."""
        seconds = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2 ** min(receives - 1, 10))
        try:
            self._sqs.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=receipt_handle, VisibilityTimeout=seconds
            )
        except (ClientError, BotoCoreError) as error:
            log_error("A message could not be postponed.", error)

    def hold(self, receipt_handles: Sequence[str], *, seconds: int) -> None:
        """Let messages come back soon after their receiver must have ended, should it die. Best effort, as above."""
        entries = [
            {"Id": str(index), "ReceiptHandle": handle, "VisibilityTimeout": seconds}
            for index, handle in enumerate(receipt_handles)
        ]
        try:
            self._sqs.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)
        except (ClientError, BotoCoreError) as error:
            log_error("Messages could not be held.", error, messages=len(entries))

    def _send_some(self, messages: Sequence[Message]) -> list[Message]:
        entries = [{"Id": str(index), "MessageBody": each.to_json()} for index, each in enumerate(messages)]
        try:
            answer: dict[str, Any] = self._sqs.send_message_batch(QueueUrl=self._url, Entries=entries)
        except (ClientError, BotoCoreError) as error:
            log_error("Alerts could not be queued.", error, alerts=len(messages))
            return list(messages)
        queued = {int(entry["Id"]) for entry in answer.get("Successful", [])}
        return [each for index, each in enumerate(messages) if index not in queued]
