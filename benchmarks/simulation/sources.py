"""What calls a function by itself: a queue, a table's stream, a schedule, as Lambda's event source mappings do.

Knows batches, retries, bisection, partial batch responses and where a record goes that failed for good. Does not know
the functions.
"""

from __future__ import annotations

import json
import random
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from benchmarks.simulation.expressions import Item
from benchmarks.simulation.functions import Fleet, Function
from benchmarks.simulation.queues import Message, Queue, received
from benchmarks.simulation.turns import Turns

Repeats = Callable[[], bool]
SHARDS = 2
_POLL_SECONDS = 0.2


class QueueSource:
    """Polls a queue for a function. ``repeats`` says when SQS forgets that a message was done."""

    def __init__(
        self,
        queue: Queue,
        function: Function,
        *,
        batch_size: int,
        concurrency: int,
        turns: Turns,
        fleet: Fleet,
        chance: random.Random,
        repeats: Repeats,
    ) -> None:
        self._queue, self._function, self._batch_size = queue, function, batch_size
        self._turns, self._fleet, self._chance, self._repeats = turns, fleet, chance, repeats
        self._free = concurrency
        queue.arrived = lambda moment: turns.at(moment + _POLL_SECONDS * chance.random(), self._poll)

    def _poll(self) -> None:
        while self._free and (batch := self._queue.take(self._batch_size, self._turns.now, self._chance)):
            if self._repeats():  # the receive was not seen everywhere: the same messages are handed out again
                for message in batch:
                    message.visible_at = self._turns.now + self._chance.random()
                    self._queue.arrived(message.visible_at)
            self._begin(batch)

    def _begin(self, batch: list[Message]) -> None:
        self._free -= 1
        handles = {message.id: message.handle for message in batch}
        records = [self._record(message) for message in batch]

        def done(result: Any, error: BaseException | None) -> None:
            self._free += 1
            if error is None:
                failed = {each["itemIdentifier"] for each in (result or {}).get("batchItemFailures", [])}
                for id_ in handles.keys() - failed:
                    if not self._repeats():
                        self._queue.remove(handles[id_])
            self._turns.after(_POLL_SECONDS, self._poll)

        self._fleet.invoke(self._function, {"Records": records}, done)

    def _record(self, message: Message) -> dict[str, Any]:
        answer = received(message)
        return {
            "messageId": answer["MessageId"],
            "receiptHandle": answer["ReceiptHandle"],
            "body": answer["Body"],
            "attributes": answer["Attributes"],
            "messageAttributes": {
                name: {"dataType": value["DataType"], "stringValue": value["StringValue"]}
                for name, value in answer["MessageAttributes"].items()
            },
            "eventSource": "aws:sqs",
            "eventSourceARN": self._queue.arn,
            "awsRegion": "eu-west-1",
        }


@dataclass(frozen=True, kw_only=True)
class Follower:
    """How a function follows a stream."""

    function: Function
    batch_size: int
    window_seconds: float
    retries: int
    maximum_age_seconds: float
    pattern: Mapping[str, Any]


@dataclass
class _Position:
    """How far a function has come in one shard."""

    at: int = 0
    is_busy: bool = False
    is_planned: bool = False


@dataclass
class TableStream:
    """The stream of one table, by shard; every change of an item is in one shard, in order."""

    turns: Turns
    fleet: Fleet
    chance: random.Random
    repeats: Repeats
    failures: Queue
    shards: list[list[dict[str, Any]]] = field(default_factory=lambda: [[] for _ in range(SHARDS)])
    followers: list[Follower] = field(default_factory=list)
    _positions: dict[tuple[int, int], _Position] = field(default_factory=dict)

    def watch(self, old: Item | None, new: Item | None) -> None:
        """A change, as the table tells it."""
        item = new or old
        assert item is not None
        shard = zlib.crc32(json.dumps(item["feedback_id"]).encode()) % SHARDS
        records = self.shards[shard]
        number = f"{shard}{len(records):020d}"
        images = {name: image for name, image in (("OldImage", old), ("NewImage", new)) if image is not None}
        records.append(
            {
                "eventID": number,
                "eventName": "INSERT" if old is None else "REMOVE" if new is None else "MODIFY",
                "eventSource": "aws:dynamodb",
                "awsRegion": "eu-west-1",
                "dynamodb": {
                    "ApproximateCreationDateTime": self.turns.now,
                    "Keys": {"feedback_id": item["feedback_id"]},
                    "SequenceNumber": number,
                    **images,
                },
            }
        )
        for index, follower in enumerate(self.followers):
            self._plan(index, shard, follower.window_seconds)

    def _plan(self, index: int, shard: int, seconds: float) -> None:
        position = self._positions.setdefault((index, shard), _Position())
        if not position.is_busy and not position.is_planned:
            position.is_planned = True
            self.turns.after(seconds + self.chance.random(), lambda: self._read(index, shard))

    def _read(self, index: int, shard: int) -> None:
        position, follower = self._positions[index, shard], self.followers[index]
        position.is_planned = False
        batch: list[dict[str, Any]] = []
        end = position.at
        while end < len(self.shards[shard]) and len(batch) < follower.batch_size:
            if matches(follower.pattern, self.shards[shard][end]):
                batch.append(self.shards[shard][end])
            end += 1
        if not batch:
            position.at = end
            return
        position.is_busy = True

        def finished() -> None:
            if not self.repeats():  # else the checkpoint is lost, and the same records come again
                position.at = end
            position.is_busy = False
            if position.at < len(self.shards[shard]):
                self._plan(index, shard, 0.0)

        self._work(follower, batch, follower.retries, finished)

    def _work(
        self, follower: Follower, batch: list[dict[str, Any]], retries: int, finished: Callable[[], None]
    ) -> None:
        def done(result: Any, error: BaseException | None) -> None:
            failed = [each["itemIdentifier"] for each in (result or {}).get("batchItemFailures", [])]
            if error is None and not failed:
                finished()
                return
            numbers = [record["dynamodb"]["SequenceNumber"] for record in batch]
            rest = batch if error is not None else batch[min(numbers.index(number) for number in failed) :]
            self._again(follower, rest, retries, finished)

        self.fleet.invoke(follower.function, {"Records": batch}, done)

    def _again(
        self, follower: Follower, batch: list[dict[str, Any]], retries: int, finished: Callable[[], None]
    ) -> None:
        age = self.turns.now - batch[0]["dynamodb"]["ApproximateCreationDateTime"]
        if retries == 0 or age > follower.maximum_age_seconds:
            self.failures.put(_failure(follower, batch, self.turns.now))
            finished()
            return
        wait = min(60.0, 2.0 ** (follower.retries - retries))
        middle = len(batch) // 2
        if middle == 0:
            self.turns.after(wait, lambda: self._work(follower, batch, retries - 1, finished))
            return

        def second_half() -> None:
            self._work(follower, batch[middle:], retries - 1, finished)

        self.turns.after(wait, lambda: self._work(follower, batch[:middle], retries - 1, second_half))


def every(seconds: float, function: Function, event: Mapping[str, Any], *, turns: Turns, fleet: Fleet) -> None:
    """Call a function by a schedule, beginning one period from now."""

    def tick() -> None:
        fleet.invoke(function, event, lambda result, error: None)
        turns.after(seconds, tick)

    turns.after(seconds, tick)


def matches(pattern: Any, value: Any) -> bool:
    """An event pattern: a list holds the values allowed, an object the patterns of its fields."""
    if isinstance(pattern, Mapping):
        return isinstance(value, Mapping) and all(matches(each, value.get(name)) for name, each in pattern.items())
    for allowed in pattern:
        if isinstance(allowed, Mapping):
            if set(allowed) != {"exists"}:
                raise ValueError(f"{sorted(allowed)} are not among the rules that are simulated")
            if allowed["exists"] == (value is not None):
                return True
        elif allowed == value:
            return True
    return False


def _failure(follower: Follower, batch: list[dict[str, Any]], now: float) -> Message:
    """What Lambda tells of records that it has given up: where they are, not what they say."""
    numbers = [record["dynamodb"]["SequenceNumber"] for record in batch]
    first, last = (
        datetime.fromtimestamp(batch[at]["dynamodb"]["ApproximateCreationDateTime"], UTC).isoformat() for at in (0, -1)
    )
    body = {
        "requestContext": {
            "functionArn": f"arn:aws:lambda:eu-west-1:000000000000:function:{follower.function.name}",
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": follower.retries + 1,
        },
        "responseContext": {"statusCode": 200, "functionError": "Unhandled"},
        "version": "1.0",
        "DDBStreamBatchInfo": {
            "shardId": f"shardId-{numbers[0][0]}",
            "startSequenceNumber": numbers[0],
            "endSequenceNumber": numbers[-1],
            "approximateArrivalOfFirstRecord": first,
            "approximateArrivalOfLastRecord": last,
            "batchSize": len(numbers),
        },
    }
    return Message(f"{follower.function.name}-{numbers[0]}-{now}", json.dumps(body), {}, now, now)
