"""`earshot redrive`: dead letters back to work, or a list of them with the reason of each.

A message goes back to the queue it came from; what a function could not do about records of the ledger is done again
from the ledger. Doing it twice is safe: every effect is idempotent by the feedback's id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer

from cli import options
from cli.connection import Client, Connection, connect
from cli.dead_letters import (
    DeadLetter,
    DeadLetterQueue,
    FailedRecords,
    Message,
    dead_letter_queues,
    describe,
    failed_records,
    feedback_id,
    messages,
    receive,
)
from cli.effects import do_again, effect_functions, ledger_items
from cli.errors import BadInput, Problem
from cli.project import LOCAL
from cli.render import print_json, print_problem, print_table, say
from feedback.event import timestamp

MARGIN = timedelta(minutes=15)
"""Around the time of failed records: clocks of functions and tables differ."""
_READ_LIMIT = 100
_NOT_THERE = ("UnsupportedOperation", "InvalidAction", "UnknownOperationException")


@dataclass(frozen=True, kw_only=True)
class Redriven:
    """What became of one queue. ``left`` are messages that nothing can bring back by itself."""

    queue: str
    moved: int
    left: int


def redrive(
    queue: Annotated[str | None, typer.Option(help="Only dead letter queues whose name holds this.")] = None,
    only_list: Annotated[bool, typer.Option("--list", help="Show the dead letters and why they are dead.")] = False,
    stage: options.Stage = LOCAL,
    as_json: options.Json = False,
) -> None:
    """Bring dead letters back to work."""
    connection = connect(stage)
    queues = [found for found in dead_letter_queues(connection) if queue is None or queue in found.name]
    if queue is not None and not queues:
        raise BadInput(f"No dead letter queue of stage {stage} has '{queue}' in its name.")
    if only_list:
        _show_letters(letters(connection, queues), as_json)
        return
    done = [redrive_queue(connection, found) for found in queues]
    if as_json:
        print_json([asdict(each) for each in done])
    else:
        print_table(("queue", "back to work", "left"), [(each.queue, each.moved, each.left) for each in done])
    if sum(each.left for each in done):
        raise Problem("Some dead letters cannot be brought back by a command: see `earshot redrive --list`.")


def letters(connection: Connection, queues: Sequence[DeadLetterQueue]) -> list[DeadLetter]:
    """Every dead letter with its reason; the messages stay where they are."""
    sqs = connection.client("sqs")
    found = [(queue.name, message) for queue in queues for message in messages(sqs, queue.url)]
    ids = {named for _, message in found if (named := feedback_id(message)) is not None}
    failures = _failures(connection, sorted(ids))
    return sorted((describe(message, name, failures) for name, message in found), key=lambda each: each.sent_at)


def redrive_queue(connection: Connection, queue: DeadLetterQueue) -> Redriven:
    """One queue's messages back to work."""
    sqs = connection.client("sqs")
    if queue.of_effects:
        return _effects_again(connection, queue)
    if len(queue.sources) != 1:
        raise Problem(f"The queue {queue.name} takes dead letters of several queues: move them by hand.")
    started = _start_move(sqs, queue)
    moved = started if started is not None else _move(sqs, queue.url, queue.sources[0])
    return Redriven(queue=queue.name, moved=moved, left=0)


def _start_move(sqs: Client, queue: DeadLetterQueue) -> int | None:
    """How many messages SQS itself moves back, in its own time; None where it cannot, as on the local AWS."""
    from botocore.exceptions import ClientError

    try:
        sqs.start_message_move_task(SourceArn=queue.arn)
        attributes = sqs.list_message_move_tasks(SourceArn=queue.arn, MaxResults=1)["Results"][0]
    except ClientError as error:
        if error.response["Error"]["Code"].rsplit(".", 1)[-1] in _NOT_THERE:
            return None
        raise
    return int(attributes.get("ApproximateNumberOfMessagesToMove") or 0)


def _move(sqs: Client, source: str, target: str) -> int:
    """Send, then delete: an end in between leaves a message in both queues, never in none."""
    moved: set[str] = set()
    while batch := receive(sqs, source):
        for message in batch:
            attributes = {
                name: value for name, value in message.get("MessageAttributes", {}).items() if name != "reason"
            }
            sqs.send_message(QueueUrl=target, MessageBody=message["Body"], MessageAttributes=attributes)
            sqs.delete_message(QueueUrl=source, ReceiptHandle=message["ReceiptHandle"])
            moved.add(message["MessageId"])
    return len(moved)


def _effects_again(connection: Connection, queue: DeadLetterQueue) -> Redriven:
    """Do again what functions could not do about the ledger's records, from the ledger as it is now."""
    sqs = connection.client("sqs")
    functions = effect_functions(connection)
    moved, others = 0, set[str]()
    while batch := receive(sqs, queue.url):
        if all(message["MessageId"] in others for message in batch):
            break
        for message in batch:
            if _done_again(connection, message, functions):
                sqs.delete_message(QueueUrl=queue.url, ReceiptHandle=message["ReceiptHandle"])
                moved += 1
            else:
                others.add(message["MessageId"])
    return Redriven(queue=queue.name, moved=moved, left=len(others))


def _done_again(connection: Connection, message: Message, functions: Mapping[str, str]) -> bool:
    """False where it speaks of no records, or the function fails again: that keeps no other message waiting."""
    records = failed_records(message)
    function = None if records is None else _named(records, functions)
    if records is None or function is None:
        return False
    first, last = _around(records)
    try:
        do_again(connection, function, [*ledger_items(connection, field="decided_at", first=first, last=last)])
    except Problem as problem:
        print_problem(problem)
        return False
    return True


def _named(records: FailedRecords, functions: Mapping[str, str]) -> str | None:
    """The deployed function whose records they are; the ARN may end in a version."""
    parts = records.function.split(":")
    return next((name for name in functions.values() if name in parts), None)


def _around(records: FailedRecords) -> tuple[str, str]:
    try:
        first, last = (datetime.fromisoformat(moment) for moment in (records.first, records.last))
    except ValueError:
        raise Problem("A dead letter does not say when its records were written: use `earshot replay`.") from None
    return timestamp(first - MARGIN), timestamp(last + MARGIN)


def _failures(connection: Connection, ids: Sequence[str]) -> dict[str, str]:
    """The reason in the ledger, by id, of feedback that has one."""
    client, table = connection.client("dynamodb"), connection.output("intake", "Ledger")
    found: dict[str, str] = {}
    for start in range(0, len(ids), _READ_LIMIT):
        keys: list[dict[str, Any]] = [{"feedback_id": {"S": id_}} for id_ in ids[start : start + _READ_LIMIT]]
        request: dict[str, Any] = {table: {"Keys": keys, "ProjectionExpression": "feedback_id, failure"}}
        while request:
            answer = client.batch_get_item(RequestItems=request)
            for item in answer["Responses"].get(table, []):
                if "failure" in item:
                    found[item["feedback_id"]["S"]] = item["failure"]["S"]
            request = answer.get("UnprocessedKeys") or {}
    return found


def _show_letters(found: Sequence[DeadLetter], as_json: bool) -> None:
    if as_json:
        print_json([asdict(each) for each in found])
    elif found:
        print_table(
            ("queue", "about", "receives", "reason"),
            [(each.queue, each.about, each.receives, each.reason) for each in found],
        )
    else:
        say("There are no dead letters.")
