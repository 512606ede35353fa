"""What became of the feedback of one run, read from ledger, lake, alert inbox and dead letters of the local AWS.

It does not know how the feedback was sent.
"""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from typing import Any

from cli.connection import AwsConnection
from cli.dead_letters import dead_letter_queues, messages
from cli.redrive import letters
from lambdas.aws.attributes import from_item

_POLL_SECONDS = 2.0
_UNDECIDED = "RECEIVED"
_NEGATIVE = -1


def ledger(connection: AwsConnection, prefix: str) -> dict[str, dict[str, Any]]:
    """The items whose id begins so, by id."""
    pages = (
        connection.client("dynamodb")
        .get_paginator("scan")
        .paginate(TableName=connection.output("intake", "Ledger"), ConsistentRead=True)
    )
    items = (from_item(item) for page in pages for item in page["Items"])
    return {item["feedback_id"]: item for item in items if item["feedback_id"].startswith(prefix)}


def wait_until_settled(connection: AwsConnection, prefix: str, accepted: Collection[str], *, seconds: float) -> None:
    """Until all accepted feedback is decided or dead, has its row, and its alert went out; or the time is over."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and any(open_ends(connection, prefix, accepted)):
        time.sleep(_POLL_SECONDS)


def open_ends(connection: AwsConnection, prefix: str, accepted: Collection[str]) -> Iterator[str]:
    """One sentence for each thing that is missing."""
    items = ledger(connection, prefix)
    dead = {letter.about: letter.reason for letter in letters(connection, dead_letter_queues(connection))}
    rows = lake_rows(connection, prefix)
    for id_ in sorted(accepted):
        if id_ not in items:
            yield f"{id_} was accepted and is not in the ledger"
        elif items[id_]["state"] == _UNDECIDED and not dead.get(id_):
            yield f"{id_} is neither decided nor in the dead letters with a reason"
    for id_, item in items.items():
        if item["state"] != _UNDECIDED and not rows[id_, item["decided_at"]]:
            yield f"{id_} has no row in the lake"
        if item.get("sentiment") == _NEGATIVE and item.get("alert", {}).get("state") == "DUE":
            yield f"{id_} has an alert that did not go out"


def doubles(connection: AwsConnection, prefix: str) -> Iterator[str]:
    """One sentence for each effect that is there more than once, or without its cause."""
    items = ledger(connection, prefix)
    for (id_, decided_at), versions in lake_rows(connection, prefix).items():
        if len(versions) > 1 or items.get(id_, {}).get("decided_at") != decided_at:
            yield f"{id_} has a row in the lake that is not its decision's"
    told = Counter(id_ for id_, _ in alert_deliveries(connection) if id_.startswith(prefix))
    for id_, times in told.items():
        if times > 1:
            yield f"{id_} has {times} alerts"
        if items.get(id_, {}).get("sentiment") != _NEGATIVE:
            yield f"{id_} has an alert and is not negative"


def lake_rows(connection: AwsConnection, prefix: str) -> defaultdict[tuple[str, str], set[str]]:
    """The different rows of each decision, by id and moment. The same row twice is one: readers take it as one."""
    client, bucket = connection.client("s3"), connection.output("data-lake", "LakeBucket")
    found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="feedback/"):
        for entry in page.get("Contents", []):
            body: bytes = client.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()
            for line in body.decode().splitlines():
                row = json.loads(line)
                if row["feedback_id"].startswith(prefix):
                    found[row["feedback_id"], row["decided_at"]].add(line)
    return found


def alert_deliveries(connection: AwsConnection) -> set[tuple[str, str]]:
    """Feedback and delivery of every alert in the inbox; of equal deliveries a receiver keeps one."""
    found = set()
    for message in messages(connection.client("sqs"), connection.output("intake", "AlertInbox")):
        attributes = json.loads(message["Body"]).get("MessageAttributes", {})
        if "feedback_id" in attributes:
            delivery = attributes.get("delivery_id", {}).get("Value", message["MessageId"])
            found.add((attributes["feedback_id"]["Value"], delivery))
    return found
