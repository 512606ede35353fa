"""`earshot alerts`: what arrived in the stage's alert inbox, read without taking it away.

The verbs about alerts (list, acknowledge, assign, snooze, policy) are in `cli.alert_commands`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from cli import options
from cli.connection import Connection, connect
from cli.errors import NotReady
from cli.project import LOCAL
from cli.render import print_json, say

EMPTY_RECEIVES = 2
RECEIVE_LIMIT = 200


@dataclass(frozen=True, kw_only=True)
class Alert:
    """A message as it lies in the inbox. `delivery` is the queue's own message id: one for each delivery."""

    delivery: str
    message_id: str
    subject: str
    text: str
    feedback_id: str | None
    sent_at: str


def alerts(stage: options.Stage = LOCAL, as_json: options.Json = False) -> None:
    """Show the alerts that arrived, oldest first."""
    found = inbox(connect(stage))
    if as_json:
        print_json([asdict(alert) for alert in found])
        return
    if not found:
        say("No alert has arrived.")
        return
    for alert in found:
        say(alert.subject, style="bold")
        say(alert.text)
    say(f"{len(found)} alert{'s' if len(found) > 1 else ''}")


def inbox(connection: Connection) -> list[Alert]:
    """Every delivery in the inbox, oldest first. Reading leaves the messages where they are."""
    try:
        queue = connection.output("intake", "AlertInbox")
    except NotReady as missing:
        if "has no output" not in missing.message:
            raise
        raise NotReady(
            f"Stage {connection.stage} keeps no alert inbox: its alerts go to the subscribers of the topic "
            f"{connection.output('intake', 'AlertTopic')}."
        ) from None
    client = connection.client("sqs")
    found: dict[str, Alert] = {}
    hidden: dict[str, str] = {}
    empty = 0
    # Each message is hidden for a moment while the others are read, then shown again.
    try:
        for _ in range(RECEIVE_LIMIT):
            answer = client.receive_message(
                QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=20, MessageSystemAttributeNames=["All"]
            )
            messages = answer.get("Messages", [])
            empty = 0 if messages else empty + 1
            if empty == EMPTY_RECEIVES:
                break
            for message in messages:
                found[message["MessageId"]] = parsed(message)
                hidden[message["MessageId"]] = message["ReceiptHandle"]
    finally:
        for handle in hidden.values():
            client.change_message_visibility(QueueUrl=queue, ReceiptHandle=handle, VisibilityTimeout=0)
    return sorted(found.values(), key=lambda alert: alert.sent_at)


def parsed(message: dict[str, Any]) -> Alert:
    """The alert in a queue message: SNS's envelope, or the bare text where delivery is raw."""
    sent = message.get("Attributes", {}).get("SentTimestamp", "")
    try:
        envelope = json.loads(message["Body"])
    except ValueError:
        envelope = None
    if not isinstance(envelope, dict) or "Message" not in envelope:
        attributes = message.get("MessageAttributes", {})
        return Alert(
            delivery=message["MessageId"],
            message_id=message["MessageId"],
            subject="",
            text=message["Body"],
            feedback_id=attributes.get("feedback_id", {}).get("StringValue"),
            sent_at=sent,
        )
    return Alert(
        delivery=message["MessageId"],
        message_id=envelope["MessageId"],
        subject=envelope.get("Subject") or "",
        text=envelope["Message"],
        feedback_id=envelope.get("MessageAttributes", {}).get("feedback_id", {}).get("Value"),
        sent_at=sent or envelope.get("Timestamp", ""),
    )
