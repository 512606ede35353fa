"""The dead letters of a stage: which queues hold them, what each is about, and why it is there.

Reading leaves the messages where they are. It does not know how they are brought back.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cli.connection import Client, Connection
from cli.project import STACKS, stack_name

EMPTY_RECEIVES = 2
RECEIVE_LIMIT = 500
HIDDEN_SECONDS = 30
_EFFECTS = "FailedEffects"

Message = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class DeadLetterQueue:
    """A queue of what failed for good. ``sources`` are the addresses of the queues it came from.

    ``of_effects``: here are no messages of a queue, but what functions could not do about the records of a stream.
    """

    name: str
    url: str
    arn: str
    sources: tuple[str, ...]
    of_effects: bool


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """One message: what it is about, as far as it says, and why it is dead. Never a text."""

    queue: str
    message_id: str
    about: str
    reason: str
    receives: int
    sent_at: str


@dataclass(frozen=True, kw_only=True)
class FailedRecords:
    """Records of the ledger's stream that a function did not take, by when they were written."""

    function: str
    first: str
    last: str
    records: int


def resources(connection: Connection, type_: str) -> Iterator[tuple[str, str]]:
    """Logical and physical id of each resource of a type in the stage's stacks that are deployed."""
    for stack in STACKS:
        yield from _resources(connection.client("cloudformation"), stack_name(connection.stage, stack), type_)


def dead_letter_queues(connection: Connection) -> list[DeadLetterQueue]:
    """Every queue of the stage that holds dead letters, by name."""
    sqs = connection.client("sqs")
    described = [(logical, url, _attributes(sqs, url)) for logical, url in resources(connection, "AWS::SQS::Queue")]
    sources: dict[str, list[str]] = {}
    for _, url, attributes in described:
        if policy := attributes.get("RedrivePolicy"):
            sources.setdefault(json.loads(policy)["deadLetterTargetArn"], []).append(url)
    found = [
        DeadLetterQueue(
            name=attributes["QueueArn"].rsplit(":", 1)[-1],
            url=url,
            arn=attributes["QueueArn"],
            sources=tuple(sorted(sources.get(attributes["QueueArn"], ()))),
            of_effects=logical.startswith(_EFFECTS),
        )
        for logical, url, attributes in described
        if attributes["QueueArn"] in sources or logical.startswith(_EFFECTS)
    ]
    return sorted(found, key=lambda queue: queue.name)


def messages(sqs: Client, url: str) -> list[Message]:
    """All messages of a queue, hidden only while they are read."""
    found: dict[str, Message] = {}
    empty = 0
    try:
        for _ in range(RECEIVE_LIMIT):
            batch = receive(sqs, url)
            empty = 0 if batch else empty + 1
            if empty == EMPTY_RECEIVES:
                break
            found |= {message["MessageId"]: message for message in batch}
    finally:
        for message in found.values():
            sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
    return list(found.values())


def receive(sqs: Client, url: str) -> list[Message]:
    """Some messages, hidden from others for a while."""
    answer = sqs.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=10,
        VisibilityTimeout=HIDDEN_SECONDS,
        MessageSystemAttributeNames=["All"],
        MessageAttributeNames=["All"],
    )
    found: list[Message] = answer.get("Messages", [])
    return found


def describe(message: Message, queue: str, failures: Mapping[str, str]) -> DeadLetter:
    """What a message is about and why it is dead; ``failures`` are the reasons that the ledger has, by feedback id."""
    system = message.get("Attributes", {})
    receives = int(system.get("ApproximateReceiveCount", 0))
    document = _document(message["Body"])
    about = _about(document)
    return DeadLetter(
        queue=queue,
        message_id=message["MessageId"],
        about=about,
        reason=_stated(message)
        or failures.get(about, "")
        or _of_records(document)
        or "It was received as often as the queue allows, and was never done.",
        receives=receives,
        sent_at=system.get("SentTimestamp", ""),
    )


def failed_records(message: Message) -> FailedRecords | None:
    """The stream records that a message speaks of; None where it speaks of something else."""
    document = _document(message["Body"])
    batch, request = document.get("DDBStreamBatchInfo"), document.get("requestContext")
    if not isinstance(batch, dict) or not isinstance(request, dict):
        return None
    return FailedRecords(
        function=str(request.get("functionArn", "")),
        first=str(batch.get("approximateArrivalOfFirstRecord", "")),
        last=str(batch.get("approximateArrivalOfLastRecord", "")),
        records=int(batch.get("batchSize", 0)),
    )


def feedback_id(message: Message) -> str | None:
    """The feedback that a message names, where it names one."""
    named = _document(message["Body"]).get("feedback_id")
    return named if isinstance(named, str) else None


def _resources(client: Client, stack: str, type_: str) -> Iterator[tuple[str, str]]:
    from botocore.exceptions import ClientError

    more: dict[str, str] = {}
    while True:
        try:
            page = client.list_stack_resources(StackName=stack, **more)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ValidationError" and "does not exist" in str(error):
                return
            raise
        for each in page["StackResourceSummaries"]:
            if each["ResourceType"] == type_ and each["ResourceStatus"] != "DELETE_COMPLETE":
                yield each["LogicalResourceId"], each["PhysicalResourceId"]
        if not page.get("NextToken"):
            return
        more = {"NextToken": page["NextToken"]}


def _attributes(sqs: Client, url: str) -> dict[str, str]:
    answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    attributes: dict[str, str] = answer["Attributes"]
    return attributes


def _document(body: str) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _about(document: Mapping[str, Any]) -> str:
    """The id, key or function that a body names; nothing else of it."""
    if isinstance(named := document.get("feedback_id", document.get("id")), str):
        return named
    if isinstance(request := document.get("requestContext"), dict):
        return str(request.get("functionArn", "")).rsplit(":", 1)[-1]
    match document.get("Records"):
        case [{"s3": {"object": {"key": str(key)}}}, *_]:
            return key
        case _:
            return ""


def _stated(message: Message) -> str:
    """The reason in a message's own attributes: ours, Lambda's or EventBridge's."""
    said = {name: value.get("StringValue", "") for name, value in message.get("MessageAttributes", {}).items()}
    if said.get("reason"):
        return str(said["reason"])
    parts = [said.get(name, "") for name in ("ERROR_CODE", "ErrorCode", "ERROR_MESSAGE", "ErrorMessage")]
    return ": ".join(part for part in parts if part)


def _of_records(document: Mapping[str, Any]) -> str:
    request, batch = document.get("requestContext"), document.get("DDBStreamBatchInfo")
    if not isinstance(request, dict) or not isinstance(batch, dict):
        return ""
    tries, records = request.get("approximateInvokeCount", "?"), batch.get("batchSize", "?")
    return f"The function failed {tries} times on {records} records of the ledger ({request.get('condition')})."
