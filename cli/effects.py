"""What follows from decisions, done again: the functions of the ledger's stream called with items as they are now.

Each effect is idempotent by the feedback's id, so doing one again adds nothing where it was done. It does not know why
something is to be done again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cli.connection import Connection
from cli.dead_letters import resources
from cli.errors import BadInput, Problem

EFFECTS = ("archive", "alerts", "trends", "respond")
BATCH = 25
"""Items in one call: with texts of the largest size still far below the 6 MB that Lambda takes."""

Item = Mapping[str, Any]


def effect_functions(connection: Connection) -> dict[str, str]:
    """The physical name of each deployed function that follows the ledger's stream, by effect."""
    client = connection.client("lambda")
    found: dict[str, str] = {}
    for _, name in resources(connection, "AWS::Lambda::Function"):
        handler = client.get_function_configuration(FunctionName=name).get("Handler", "")
        package = handler.removeprefix("lambdas.").removesuffix(".handler.handle")
        if package in EFFECTS:
            found[package] = name
    return found


def chosen(effects: str, functions: Mapping[str, str]) -> dict[str, str]:
    """The functions of the effects named in a comma list; BadInput where one is not deployed."""
    names = [name.strip() for name in effects.split(",") if name.strip()]
    unknown = [name for name in names if name not in functions]
    if unknown or not names:
        raise BadInput(f"There is no effect '{', '.join(unknown)}': choose from {', '.join(sorted(functions))}.")
    return {name: functions[name] for name in names}


def ledger_items(connection: Connection, *, field: str, first: str, last: str) -> Iterator[Item]:
    """Every item of the ledger whose time ``field`` lies in the range, ends included. Reads the whole table."""
    client = connection.client("dynamodb")
    more: dict[str, Any] = {}
    while True:
        page = client.scan(
            TableName=connection.output("intake", "Ledger"),
            FilterExpression="#field BETWEEN :first AND :last",
            ExpressionAttributeNames={"#field": field},
            ExpressionAttributeValues={":first": {"S": first}, ":last": {"S": last}},
            ConsistentRead=True,
            **more,
        )
        yield from page["Items"]
        if not page.get("LastEvaluatedKey"):
            return
        more = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def do_again(connection: Connection, function: str, items: Sequence[Item]) -> None:
    """Hand the items to the function as decisions; Problem where it fails. Those it has done stay done."""
    client = connection.client("lambda")
    for start in range(0, len(items), BATCH):
        event = {"Records": [_record(item, start + at) for at, item in enumerate(items[start : start + BATCH])]}
        answer = client.invoke(FunctionName=function, InvocationType="RequestResponse", Payload=json.dumps(event))
        result = json.loads(answer["Payload"].read() or b"null")
        if answer.get("FunctionError"):
            raise Problem(f"The function {function} failed: {result.get('errorType', 'unknown')}. See `earshot logs`.")
        if isinstance(result, dict) and result.get("batchItemFailures"):
            raise Problem(f"The function {function} left records undone. Run the command again.")


def _record(item: Item, number: int) -> dict[str, Any]:
    """A stream record of a decision. It has no old image: what was told before is in the item itself."""
    return {
        "eventID": str(number),
        "eventName": "MODIFY",
        "eventSource": "aws:dynamodb",
        "dynamodb": {
            "Keys": {"feedback_id": item["feedback_id"]},
            "NewImage": dict(item),
            "SequenceNumber": str(number),
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
    }
