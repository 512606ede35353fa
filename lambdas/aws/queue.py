"""The queue between intake and router. A message is a feedback's id and how often it was put off: what was said stays
in the ledger. It does not know who reads the queue, nor when a message is to be put off."""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from feedback.strict_json import BrokenJsonError, parse
from lambdas.aws.clients import Client
from lambdas.telemetry import log_error

SAFETY_NET_SECONDS: Final = 15
"""The delay of a message: by then intake has decided most feedback itself, and the router has nothing to do."""

_DEFER_SECONDS: Final = (30, 120)
_SEND_LIMIT: Final = 10  # entries in one SendMessageBatch
_VERSION: Final = 1


class UnreadableMessageError(ValueError):
    """A message that names no feedback."""


@dataclass(frozen=True, kw_only=True)
class Message:
    """A feedback that waits for a decision, and how often it was put off because the model was away."""

    feedback_id: str
    deferrals: int = 0

    def deferred(self) -> "Message":
        """The message that is sent in its place."""
        return Message(feedback_id=self.feedback_id, deferrals=self.deferrals + 1)


class Queue:
    """The queue of feedback waiting for a decision."""

    def __init__(self, *, url: str, sqs: Client, luck: Callable[[], float] | None = None) -> None:
        self._url = url
        self._sqs = sqs
        self._luck = luck or random.random

    def send(self, feedback_ids: Sequence[str], *, delay_seconds: int = SAFETY_NET_SECONDS) -> set[str]:
        """Queue the ids; those that could be queued come back. SQS answers 200 with failed entries inside."""
        return self._send([(Message(feedback_id=feedback_id), delay_seconds) for feedback_id in feedback_ids])

    def defer(self, messages: Sequence[Message]) -> set[str]:
        """Queue messages anew, each to come after a while of its own, with its count of receives at zero; the ids of
        those that could be queued come back."""
        shortest, longest = _DEFER_SECONDS
        return self._send(
            [(message.deferred(), shortest + int(self._luck() * (longest - shortest))) for message in messages]
        )

    def _send(self, delayed: Sequence[tuple[Message, int]]) -> set[str]:
        queued: set[str] = set()
        for start in range(0, len(delayed), _SEND_LIMIT):
            queued |= self._send_some(delayed[start : start + _SEND_LIMIT])
        return queued

    def _send_some(self, delayed: Sequence[tuple[Message, int]]) -> set[str]:
        entries = [
            {"Id": str(index), "MessageBody": write_message(message), "DelaySeconds": delay_seconds}
            for index, (message, delay_seconds) in enumerate(delayed)
        ]
        try:
            answer: dict[str, Any] = self._sqs.send_message_batch(QueueUrl=self._url, Entries=entries)
        except (ClientError, BotoCoreError) as error:
            log_error("Feedback could not be queued.", error, feedbacks=len(delayed))
            return set()
        return {delayed[int(entry["Id"])][0].feedback_id for entry in answer.get("Successful", [])}


def write_message(message: Message) -> str:
    """The body of a message."""
    document: dict[str, Any] = {"version": _VERSION, "feedback_id": message.feedback_id}
    return json.dumps(document | ({"deferrals": message.deferrals} if message.deferrals else {}))


def read_message(body: str) -> Message:
    """The message in a body; UnreadableMessageError where it names no feedback."""
    try:
        document = parse(body)
    except BrokenJsonError as error:
        raise UnreadableMessageError("The message is not JSON.") from error
    if not isinstance(document, dict):
        raise UnreadableMessageError("The message is no object.")
    feedback_id, deferrals = document.get("feedback_id"), document.get("deferrals", 0)
    if not isinstance(feedback_id, str) or not feedback_id:
        raise UnreadableMessageError("The message names no feedback.")
    if not isinstance(deferrals, int) or isinstance(deferrals, bool) or deferrals < 0:
        raise UnreadableMessageError("The message does not count its deferrals.")
    return Message(feedback_id=feedback_id, deferrals=deferrals)
