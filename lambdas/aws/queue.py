"""The queue between intake and router. A message is a feedback's id and nothing else: what was said stays in the
ledger. It does not know who reads the queue."""

import json
from collections.abc import Sequence
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from feedback.strict_json import BrokenJsonError, parse
from lambdas.aws.clients import Client
from lambdas.telemetry import log_error

SAFETY_NET_SECONDS: Final = 15
"""The delay of a message: by then intake has decided most feedback itself, and the router has nothing to do."""

_SEND_LIMIT: Final = 10  # entries in one SendMessageBatch
_VERSION: Final = 1


class UnreadableMessageError(ValueError):
    """A message that names no feedback."""


class Queue:
    """The queue of feedback waiting for a decision."""

    def __init__(self, *, url: str, sqs: Client) -> None:
        self._url = url
        self._sqs = sqs

    def send(self, feedback_ids: Sequence[str]) -> set[str]:
        """Queue the ids; those that could be queued come back. SQS answers 200 with failed entries inside."""
        queued: set[str] = set()
        for start in range(0, len(feedback_ids), _SEND_LIMIT):
            queued |= self._send_some(feedback_ids[start : start + _SEND_LIMIT])
        return queued

    def _send_some(self, feedback_ids: Sequence[str]) -> set[str]:
        entries = [
            {"Id": str(index), "MessageBody": write_message(feedback_id), "DelaySeconds": SAFETY_NET_SECONDS}
            for index, feedback_id in enumerate(feedback_ids)
        ]
        try:
            answer: dict[str, Any] = self._sqs.send_message_batch(QueueUrl=self._url, Entries=entries)
        except (ClientError, BotoCoreError) as error:
            log_error("Feedback could not be queued.", error, feedbacks=len(feedback_ids))
            return set()
        return {feedback_ids[int(entry["Id"])] for entry in answer.get("Successful", [])}


def write_message(feedback_id: str) -> str:
    """The body of a message."""
    return json.dumps({"version": _VERSION, "feedback_id": feedback_id})


def read_message(body: str) -> str:
    """The feedback's id in a message's body; UnreadableMessageError where there is none."""
    try:
        document = parse(body)
    except BrokenJsonError as error:
        raise UnreadableMessageError("The message is not JSON.") from error
    feedback_id = document.get("feedback_id") if isinstance(document, dict) else None
    if not isinstance(feedback_id, str) or not feedback_id:
        raise UnreadableMessageError("The message names no feedback.")
    return feedback_id
