"""A storm on one product: how many messages come of so many negative feedbacks, and what the digest says.

    .venv/bin/python -m benchmarks.alert_storm [--feedbacks 10000] [--minutes 10] [--json]

Runs the real decision, record and duty over DynamoDB in memory. Goal: however many there are, no more than ``alone``
alerts and one digest for each window, and every feedback either told by itself or counted in a digest, once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.report import arguments, finish, show
from benchmarks.simulation.tables import Table, Tables
from feedback.alerting.messages import Kind
from feedback.alerting.policy import Policy, default_policy
from feedback.event import FeedbackEvent, timestamp
from feedback.ledger import Entry, State
from feedback.prediction import Prediction
from feedback.sentiment import Sentiment
from lambdas.alerts.alerting import Alerting
from lambdas.aws.agenda import Agenda
from lambdas.aws.alert_place import AlertPlace, AlertRef
from lambdas.aws.alert_queue import AlertQueue, Message
from lambdas.aws.alert_record import AlertRecord
from lambdas.aws.attributes import to_item
from lambdas.aws.snoozes import Snoozes
from lambdas.duty.watch import Watch

BEGIN = datetime(2026, 3, 2, 10, 1, tzinfo=UTC)


class Client:
    """boto3's DynamoDB client over tables in memory."""

    def __init__(self) -> None:
        self._tables = Tables({"ledger": Table(("feedback_id",)), "desk": Table(("pk", "sk"))})

    def __getattr__(self, operation: str) -> Callable[..., dict[str, Any]]:
        call: Callable[[Mapping[str, Any]], dict[str, Any]] = getattr(self._tables, operation)
        return lambda **arguments_: call(arguments_)


class Clock:
    """The time of day, turned by hand."""

    now = BEGIN

    def __call__(self) -> datetime:
        return self.now


class Queue(AlertQueue):
    """Keeps what is queued."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def send(self, messages: Sequence[Message]) -> list[Message]:
        self.messages += messages
        return []


def negative(number: int, received: datetime) -> Entry:
    """One feedback of the storm."""
    event = FeedbackEvent(
        id=f"storm-{number}", channel="web", text="The zip broke", received_at=timestamp(received), product_id="P-1"
    )
    prediction = Prediction(
        sentiment=Sentiment.NEGATIVE, probabilities=(0.9, 0.05, 0.05), confidence=0.9, model_version="m-1"
    )
    received_entry = Entry(event=event, body_digest="d", state=State.RECEIVED)
    return replace(received_entry, state=State.CLASSIFIED, prediction=prediction, decided_at=timestamp(received))


def main() -> int:
    """0 where the goal is reached."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--feedbacks", type=int, default=10_000)
    parser.add_argument("--minutes", type=int, default=10)
    options = parser.parse_args()
    figures = storm(options.feedbacks, timedelta(minutes=options.minutes))
    is_reached = figures["not told"] == 0 and figures["messages"] <= figures["bound"]
    show(f"{options.feedbacks:,} negative feedbacks on one product in {options.minutes} minutes", [figures])
    finish(options.json, {**figures, "goal_reached": is_reached})
    return 0 if is_reached else 1


def storm(feedbacks: int, span: timedelta) -> dict[str, int]:
    """What comes of a storm in which every record of the stream comes twice."""
    client, queue, policy = Client(), Queue(), Policy.parse(default_policy())
    place = AlertPlace(ledger_table="ledger", desk_table="desk", dynamodb=client)
    record, clock = AlertRecord(place), Clock()
    alerting = Alerting(policy=policy, record=record, queue=queue, snoozes=Snoozes(place), now=clock)
    for number in range(feedbacks):
        clock.now = BEGIN + span * number / feedbacks
        entry = negative(number, clock.now)
        client.put_item(TableName="ledger", Item=to_item(entry.to_document()))
        for _ in range(2):
            alerting.alert(entry)
    alone = {message.id for message in queue.messages}
    clock.now = BEGIN + span + 2 * policy.storm.window
    queue.messages.clear()
    agenda = Agenda(table="desk", dynamodb=client)
    Watch(policy=policy, record=record, agenda=agenda, queue=queue, now=clock).work()
    digests = {message.id for message in queue.messages} - alone
    counted = sum(digested(record, digest) for digest in digests)
    windows = int(span / policy.storm.window) + 2
    return {
        "alone": len(alone),
        "digests": len(digests),
        "told in digests": counted,
        "not told": feedbacks - len(alone) - counted,
        "messages": len(alone) + len(digests),
        "bound": windows * (max(policy.storm.alone.values()) + 1),
    }


def digested(record: AlertRecord, digest: str) -> int:
    """How many a digest tells of."""
    alert = record.find(AlertRef(kind=Kind.DIGEST, id=digest))
    return 0 if alert is None else int(record.storm(alert["scope"], alert["window"])["digested"])


if __name__ == "__main__":
    raise SystemExit(main())
