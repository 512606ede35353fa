"""SQS in memory: visibility, delays, receives that end in dead letters, batches that fail in part.

Any message may be handed out twice, and in any order, as of a standard queue. It does not know what the messages say.
"""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.simulation.errors import refusal

Arguments = Mapping[str, Any]
RETENTION_SECONDS = 14 * 86_400.0


@dataclass
class Message:
    """A message, whether it is waiting, handed out or delayed."""

    id: str
    body: str
    attributes: Mapping[str, Any]
    sent_at: float
    visible_at: float
    receives: int = 0
    handle: str = ""


@dataclass
class Queue:
    """One queue, with the queue for what was received too often. ``arrived`` is told when a message becomes visible."""

    name: str
    visibility_seconds: float = 30.0
    receives_before_dead: int | None = None
    dead_letters: Queue | None = None
    messages: dict[str, Message] = field(default_factory=dict)
    arrived: Callable[[float], None] = lambda moment: None

    @property
    def url(self) -> str:
        return f"https://sqs.simulated/{self.name}"

    @property
    def arn(self) -> str:
        return f"arn:aws:sqs:eu-west-1:000000000000:{self.name}"

    def put(self, message: Message) -> None:
        self.messages[message.id] = message
        self.arrived(message.visible_at)

    def remove(self, handle: str) -> None:
        """A handle of an earlier receive removes nothing once the message was handed out again."""
        self.messages = {id_: each for id_, each in self.messages.items() if each.handle != handle or not handle}

    def take(self, limit: int, now: float, chance: random.Random, *, visibility: float | None = None) -> list[Message]:
        """Hand out visible messages in any order; those received too often move on to the dead letters instead."""
        ready = [each for each in self.messages.values() if each.visible_at <= now]
        chance.shuffle(ready)
        taken: list[Message] = []
        for message in ready:
            if len(taken) == limit:
                break
            if now - message.sent_at > RETENTION_SECONDS:
                del self.messages[message.id]
            elif self.dead_letters is not None and message.receives >= (self.receives_before_dead or 0):
                del self.messages[message.id]
                self.dead_letters.put(
                    Message(message.id, message.body, message.attributes, message.sent_at, now, message.receives)
                )
            else:
                message.receives += 1
                message.handle = f"{message.id}/{message.receives}"
                message.visible_at = now + (self.visibility_seconds if visibility is None else visibility)
                self.arrived(message.visible_at)
                taken.append(message)
        return taken


class Queues:
    """The calls of boto3's client, by name of the method. ``partial`` is the share of entries that a batch loses."""

    def __init__(self, queues: Mapping[str, Queue], *, clock: Callable[[], float], chance: random.Random) -> None:
        self.queues = {queue.url: queue for queue in queues.values()}
        self.partial = 0.0
        self._clock = clock
        self._chance = chance
        self._numbers = itertools.count(1)

    def send_message(self, call: Arguments) -> dict[str, Any]:
        return {"MessageId": self._send(self._queue(call), call)}

    def send_message_batch(self, call: Arguments) -> dict[str, Any]:
        entries = call["Entries"]
        if not 1 <= len(entries) <= 10 or len({entry["Id"] for entry in entries}) < len(entries):
            raise refusal("AWS.SimpleQueueService.TooManyEntriesInBatchRequest", "SendMessageBatch")
        sent, failed = [], []
        for entry in entries:
            if self._chance.random() < self.partial:
                failed.append({"Id": entry["Id"], "Code": "InternalError", "SenderFault": False})
            else:
                sent.append({"Id": entry["Id"], "MessageId": self._send(self._queue(call), entry)})
        return {"Successful": sent} | ({"Failed": failed} if failed else {})

    def receive_message(self, call: Arguments) -> dict[str, Any]:
        queue = self._queue(call)
        taken = queue.take(
            call.get("MaxNumberOfMessages", 1), self._clock(), self._chance, visibility=call.get("VisibilityTimeout")
        )
        return {"Messages": [received(each) for each in taken]} if taken else {}

    def delete_message(self, call: Arguments) -> dict[str, Any]:
        self._queue(call).remove(call["ReceiptHandle"])
        return {}

    def get_queue_attributes(self, call: Arguments) -> dict[str, Any]:
        queue = self._queue(call)
        attributes = {"QueueArn": queue.arn, "ApproximateNumberOfMessages": str(len(queue.messages))}
        if queue.dead_letters is not None:
            attributes["RedrivePolicy"] = json.dumps({"deadLetterTargetArn": queue.dead_letters.arn})
        return {"Attributes": attributes}

    def start_message_move_task(self, call: Arguments) -> dict[str, Any]:
        """Not done by SQS here, so that every message is moved by calls that may be interrupted."""
        raise refusal("AWS.SimpleQueueService.UnsupportedOperation", "StartMessageMoveTask")

    def change_message_visibility(self, call: Arguments) -> dict[str, Any]:
        self._hide(self._queue(call), call)
        return {}

    def change_message_visibility_batch(self, call: Arguments) -> dict[str, Any]:
        done, failed = [], []
        for entry in call["Entries"]:
            if self._chance.random() < self.partial:
                failed.append({"Id": entry["Id"], "Code": "InternalError", "SenderFault": False})
            else:
                self._hide(self._queue(call), entry)
                done.append({"Id": entry["Id"]})
        return {"Successful": done, "Failed": failed}

    def _hide(self, queue: Queue, entry: Arguments) -> None:
        visible_at = self._clock() + float(entry["VisibilityTimeout"])
        for message in queue.messages.values():
            if message.handle == entry["ReceiptHandle"]:
                message.visible_at = visible_at
        queue.arrived(visible_at)

    def _queue(self, call: Arguments) -> Queue:
        try:
            return self.queues[call["QueueUrl"]]
        except KeyError:
            raise refusal("AWS.SimpleQueueService.NonExistentQueue", "SQS") from None

    def _send(self, queue: Queue, entry: Arguments) -> str:
        now, number = self._clock(), f"{queue.name}-{next(self._numbers)}"
        delay = float(entry.get("DelaySeconds", 0))
        if not 0 <= delay <= 900 or len(entry["MessageBody"]) > 1024 * 1024:
            raise refusal("InvalidParameterValue", "SendMessage")
        queue.put(Message(number, entry["MessageBody"], entry.get("MessageAttributes", {}), now, now + delay))
        return number


def received(message: Message) -> dict[str, Any]:
    """A message as ReceiveMessage answers it."""
    return {
        "MessageId": message.id,
        "ReceiptHandle": message.handle,
        "Body": message.body,
        "Attributes": {
            "ApproximateReceiveCount": str(message.receives),
            "SentTimestamp": str(int(message.sent_at * 1000)),
        },
        "MessageAttributes": dict(message.attributes),
    }
