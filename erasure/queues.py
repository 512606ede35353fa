"""Queues and dead letters: messages about the customer's feedback are deleted, the others shown again at once.

A message that only has it among its examples is about others, and is sent anew without it. SQS hands out what it
likes, so a queue counts as looked through when it had nothing new several times; a message that a function holds at
that moment is not seen. It does not know what the messages are for.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from erasure.pruning import without
from erasure.store import Client, Erased, Note
from erasure.subject import Subject

_EMPTY_RECEIVES: Final = 3
_HIDDEN_SECONDS: Final = 60


class QueuedMessages:
    """All queues of the stage."""

    name = "queues"

    def __init__(self, *, sqs: Client, urls: Sequence[str]) -> None:
        self._sqs = sqs
        self._urls = urls

    def erase(self, subject: Subject, *, dry_run: bool, note: Note) -> Erased:
        """Delete the messages that name them."""
        erased = Erased()
        for number, url in enumerate(self._urls, start=1):
            note(f"queue {number} of {len(self._urls)}")
            erased += self._erase_in(url, subject, dry_run=dry_run)
        return erased

    def _erase_in(self, url: str, subject: Subject, *, dry_run: bool) -> Erased:
        others: dict[str, str] = {}
        theirs: set[str] = set()
        empty = 0
        try:
            while empty < _EMPTY_RECEIVES:
                messages = self._sqs.receive_message(
                    QueueUrl=url,
                    MaxNumberOfMessages=10,
                    VisibilityTimeout=_HIDDEN_SECONDS,
                    MessageAttributeNames=["All"],
                ).get("Messages", [])
                new = [message for message in messages if message["MessageId"] not in others.keys() | theirs]
                empty = 0 if new else empty + 1
                for message in messages:
                    if not _names(message, subject):
                        others[message["MessageId"]] = message["ReceiptHandle"]
                        continue
                    theirs.add(message["MessageId"])
                    if dry_run:
                        others[message["MessageId"]] = message["ReceiptHandle"]
                        continue
                    if (rest := _without(message["Body"], subject)) is not None:
                        self._sqs.send_message(
                            QueueUrl=url, MessageBody=rest, MessageAttributes=message.get("MessageAttributes", {})
                        )
                    self._sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        finally:
            for handle in others.values():
                self._sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)
        return Erased(records=len(theirs), objects=len(theirs))


def _without(body: str, subject: Subject) -> str | None:
    """The message without its examples of theirs; None where it is about them."""
    try:
        document = json.loads(body)
    except ValueError:
        return None
    if not isinstance(document, dict) or subject.owns(document):
        return None
    pruned = without(document, subject)
    is_about_others = pruned.keys() == document.keys() and any(isinstance(value, list) for value in pruned.values())
    rest = json.dumps(pruned)
    return rest if is_about_others and not subject.is_named_in_document(rest) else None


def _names(message: dict[str, Any], subject: Subject) -> bool:
    attributes = json.dumps(
        [value.get("StringValue", "") for value in message.get("MessageAttributes", {}).values()], ensure_ascii=False
    )
    return any(subject.is_named_in_document(text) for text in (message["Body"], attributes))
