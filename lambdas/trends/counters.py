"""The counters on the desk, moved together with the marks in the ledger in one transaction.

A transaction holds the mark of each feedback (the condition is that nobody moved it before), one update of each item
of counters whatever the number of feedbacks in it, and the queue's items. It does not know why a feedback moves.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from feedback.ledger import RETENTION
from feedback.review import NOWHERE, QUEUE, queue_key
from feedback.sentiment import Sentiment
from feedback.trends import Place, counter_name, example_name, places_of
from lambdas.aws.attributes import to_attribute, to_item
from lambdas.aws.clients import Client
from lambdas.trends.counting import CountersUnavailableError, Move

_ACTION_LIMIT: Final = 100  # of one transaction


@dataclass
class _Delta:
    """What changes in one item of counters."""

    counts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)


class Counters:
    """All counters and the review queue, with the ledger's marks of what is in them."""

    def __init__(self, *, ledger_table: str, desk_table: str, dynamodb: Client) -> None:
        self._ledger_table = ledger_table
        self._desk_table = desk_table
        self._dynamodb = dynamodb

    def portions(self, moves: Sequence[Move]) -> Iterator[Sequence[Move]]:
        """As many in one transaction as fit: the more feedback shares its counters, the fewer writes they cost."""
        portion: list[Move] = []
        places: set[Place] = set()
        actions = 0
        for move in moves:
            own = set(places_of(move.event))
            needed = 1 + (move.before.in_review != move.after.in_review)
            if actions + needed + len(places | own) > _ACTION_LIMIT:
                yield portion
                portion, places, actions = [], set(), 0
            portion.append(move)
            places |= own
            actions += needed
        if portion:
            yield portion

    def move(self, moves: Sequence[Move]) -> bool:
        """All of the moves or none; False when a feedback stands elsewhere by now."""
        actions = [*map(self._mark, moves), *self._count(moves), *self._queue(moves)]
        try:
            self._dynamodb.transact_write_items(TransactItems=actions)
        except (ClientError, BotoCoreError) as error:
            if isinstance(error, ClientError) and _stands_elsewhere(error):
                return False
            raise CountersUnavailableError("The counters could not be moved.") from error
        return True

    def _mark(self, move: Move) -> dict[str, Any]:
        values: dict[str, Any] = {":after": move.after.to_document(), ":decided": move.decided_at}
        names = {"#counted": "counted", "#decided": "decided_at"}
        if move.before == NOWHERE:
            untouched = "attribute_not_exists(#counted)"
        else:
            untouched = "#counted.#label = :label AND #counted.#in_review = :in_review"
            names |= {"#label": "label", "#in_review": "in_review"}
            values |= {":label": move.before.label, ":in_review": move.before.in_review}
        return {
            "Update": {
                "TableName": self._ledger_table,
                "Key": {"feedback_id": {"S": move.event.id}},
                "UpdateExpression": "SET #counted = :after",
                "ConditionExpression": f"#decided = :decided AND {untouched}",
                "ExpressionAttributeNames": names,
                "ExpressionAttributeValues": to_item(values),
            }
        }

    def _count(self, moves: Sequence[Move]) -> list[dict[str, Any]]:
        deltas: dict[Place, _Delta] = defaultdict(_Delta)
        for move in moves:
            for place in places_of(move.event):
                delta = deltas[place]
                if move.before.label is not None:
                    delta.counts[counter_name(move.event, move.before.label)] -= 1
                if move.after.label is not None:
                    delta.counts[counter_name(move.event, move.after.label)] += 1
                if move.after.label == Sentiment.NEGATIVE.label:
                    delta.examples[example_name(move.event)] = move.event.id
        return [self._update(place, delta) for place, delta in sorted(deltas.items()) if any(delta.counts.values())]

    def _update(self, place: Place, delta: _Delta) -> dict[str, Any]:
        counts = {name: change for name, change in delta.counts.items() if change}
        names = {f"#n{position}": name for position, name in enumerate([*counts, *delta.examples])}
        values: dict[str, Any] = {f":n{position}": value for position, value in enumerate(counts.values())}
        values |= {f":n{len(counts) + position}": value for position, value in enumerate(delta.examples.values())}
        placed = list(names)
        added = ", ".join(f"{name} {name.replace('#', ':')}" for name in placed[: len(counts)])
        settings = [f"{name} = {name.replace('#', ':')}" for name in placed[len(counts) :]]
        settings.append("#expires_at = if_not_exists(#expires_at, :expires_at)")
        return {
            "Update": {
                "TableName": self._desk_table,
                "Key": _key(place.partition, place.subject.key),
                "UpdateExpression": f"ADD {added} SET {', '.join(settings)}",
                "ExpressionAttributeNames": {**names, "#expires_at": "expires_at"},
                "ExpressionAttributeValues": to_item({**values, ":expires_at": _expiry(place.day)}),
            }
        }

    def _queue(self, moves: Sequence[Move]) -> list[dict[str, Any]]:
        actions: list[dict[str, Any]] = []
        for move in moves:
            if move.before.in_review == move.after.in_review:
                continue
            key = _key(QUEUE, queue_key(move.event.received_at, move.event.id))
            if move.after.in_review:
                waiting = {"reason": move.reason, "expires_at": _expiry(move.event.received_at[:10])}
                actions.append({"Put": {"TableName": self._desk_table, "Item": {**key, **to_item(waiting)}}})
            else:
                actions.append({"Delete": {"TableName": self._desk_table, "Key": key}})
        return actions


def _key(partition: str, place: str) -> dict[str, Any]:
    return {"pk": to_attribute(partition), "sk": to_attribute(place)}


def _expiry(day: str) -> int:
    """When counters of a day go: with the feedback that they count."""
    midnight = datetime.combine(date.fromisoformat(day), time.max, tzinfo=UTC)
    return int((midnight + RETENTION).timestamp())


def _stands_elsewhere(error: ClientError) -> bool:
    reasons = error.response.get("CancellationReasons", [])
    return any(reason.get("Code") == "ConditionalCheckFailed" for reason in reasons)
