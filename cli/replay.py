"""`earshot replay`: the feedback of a time range through classification or effects again.

What waits is queued again, and what failed for good gets another chance, for instance after a better model. What was
decided stays decided. With ``--effects``, what follows from decisions is done again instead. Twice is safe: a decision
is written once, and every effect is idempotent by the feedback's id.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cli import options
from cli.connection import Connection, connect
from cli.effects import chosen, do_again, effect_functions, ledger_items
from cli.errors import BadInput, Problem
from cli.project import LOCAL
from cli.render import print_json, say
from feedback.event import timestamp
from feedback.ledger import State

_SEND_LIMIT = 10


def replay(
    since: Annotated[str, typer.Option(help="Received at or after this day or time, UTC: 2026-03-01T10:00.")],
    until: Annotated[str | None, typer.Option(help="Received at or before; now when left out.")] = None,
    effects: Annotated[str | None, typer.Option(help="Do these again instead: archive,alerts,trends,respond.")] = None,
    stage: options.Stage = LOCAL,
    as_json: options.Json = False,
) -> None:
    """Put the feedback of a time range through classification, or what follows from it, again."""
    first = moment(since)
    last = timestamp(datetime.now(UTC)) if until is None else moment(until)
    if last < first:
        raise BadInput(f"--until {until} is before --since {since}.")
    connection = connect(stage)
    if effects is None:
        done = classify_again(connection, first=first, last=last)
    else:
        done = effects_again(connection, effects, first=first, last=last)
    if as_json:
        print_json(done)
    else:
        say(", ".join(f"{what}: {number}" for what, number in done.items()))


def moment(given: str) -> str:
    """A day or time as the ledger words it; without a zone it is UTC."""
    try:
        parsed = datetime.fromisoformat(given)
    except ValueError:
        raise BadInput(f"'{given}' is no day or time: write it as 2026-03-01 or 2026-03-01T10:00.") from None
    return timestamp(parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC))


def classify_again(connection: Connection, *, first: str, last: str) -> dict[str, int]:
    """Queue what is undecided, and what failed for good as if it had just come."""
    waiting, reopened, decided = [], 0, 0
    for item in ledger_items(connection, field="received_at", first=first, last=last):
        id_, state = item["feedback_id"]["S"], item["state"]["S"]
        if state == State.FAILED.value:
            reopened += _reopen(connection, id_)
            waiting.append(id_)
        elif state == State.RECEIVED.value:
            waiting.append(id_)
        else:
            decided += 1
    _queue(connection, waiting)
    return {"queued": len(waiting), "of these failed before": reopened, "decided already": decided}


def effects_again(connection: Connection, effects: str, *, first: str, last: str) -> dict[str, int]:
    """Call the functions of these effects with everything that is decided."""
    functions = chosen(effects, effect_functions(connection))
    items = [
        item
        for item in ledger_items(connection, field="received_at", first=first, last=last)
        if State(item["state"]["S"]).is_decided
    ]
    for function in functions.values():
        do_again(connection, function, items)
    return {name: len(items) for name in functions}


def queue_message(feedback_id: str) -> str:
    """A message of the feedback queue, as the router reads it."""
    return json.dumps({"version": 1, "feedback_id": feedback_id})


def _reopen(connection: Connection, feedback_id: str) -> bool:
    """FAILED back to RECEIVED; False where it was decided or corrected meanwhile."""
    from botocore.exceptions import ClientError

    try:
        connection.client("dynamodb").update_item(
            TableName=connection.output("intake", "Ledger"),
            Key={"feedback_id": {"S": feedback_id}},
            UpdateExpression="SET #state = :received REMOVE failure, decided_at",
            ConditionExpression="#state = :failed",
            ExpressionAttributeNames={"#state": "state"},
            ExpressionAttributeValues={
                ":received": {"S": State.RECEIVED.value},
                ":failed": {"S": State.FAILED.value},
            },
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            return False
        raise
    return True


def _queue(connection: Connection, ids: Iterable[str]) -> None:
    client, url = connection.client("sqs"), connection.output("intake", "Queue")
    waiting = list(ids)
    for start in range(0, len(waiting), _SEND_LIMIT):
        entries: list[dict[str, Any]] = [
            {"Id": str(at), "MessageBody": queue_message(id_)}
            for at, id_ in enumerate(waiting[start : start + _SEND_LIMIT])
        ]
        failed = client.send_message_batch(QueueUrl=url, Entries=entries).get("Failed", [])
        if failed:
            raise Problem(f"{len(failed)} messages could not be queued. Run the command again: twice is safe.")
