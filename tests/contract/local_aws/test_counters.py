"""The transaction that counts feedback, over two tables of the local AWS."""

from dataclasses import replace
from uuid import uuid4

import pytest

from feedback.event import timestamp
from feedback.ledger import Correction, State
from feedback.sentiment import Sentiment
from lambdas.aws.attributes import to_item
from lambdas.aws.counters import Counters as CountersRead
from lambdas.aws.desk import Desk
from lambdas.aws.ledger import Ledger
from lambdas.trends.counters import Counters
from lambdas.trends.counting import Counting, move_of
from tests.unit.lambdas.fakes import NOW, UNSURE, classified

from .conftest import LocalAws


class Tables:
    """A ledger and a desk of one's own."""

    def __init__(self, aws: LocalAws) -> None:
        self.dynamodb = aws.client("dynamodb")
        self.ledger_table, self.desk_table = (f"{name}{uuid4().hex[:8]}" for name in ("ledger", "desk"))
        for table, keys in ((self.ledger_table, ["feedback_id"]), (self.desk_table, ["pk", "sk"])):
            self.dynamodb.create_table(
                TableName=table,
                KeySchema=[
                    {"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
                ],
                AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
                BillingMode="PAY_PER_REQUEST",
            )
        self.desk = Desk(table=self.desk_table, dynamodb=self.dynamodb)
        self.ledger = Ledger(table=self.ledger_table, dynamodb=self.dynamodb)
        self.counters = Counters(ledger_table=self.ledger_table, desk_table=self.desk_table, dynamodb=self.dynamodb)
        self.counting = Counting(ledger=self.ledger, counters=self.counters, pause=lambda attempts: None)

    def counts(self) -> dict[str, int]:
        """Of the one product, by label."""
        found = [each for each in CountersRead(desk=self.desk).day("2026-03-01") if each.subject.key == "product#P-1"]
        return {label: count for label, count in found[0].counts.items() if count} if found else {}


@pytest.fixture
def tables(aws: LocalAws) -> Tables:
    return Tables(aws)


def test_feedback_is_counted_once_and_moved_by_a_correction(tables: Tables) -> None:
    entries = [replace(classified(f"f-{number}", UNSURE), review="unsure") for number in range(25)]
    for entry in entries:
        tables.dynamodb.put_item(TableName=tables.ledger_table, Item=to_item(entry.to_document()))
    ids = [entry.event.id for entry in entries]
    for _ in range(2):
        assert tables.counting.count(ids).again == set()
    assert tables.counts() == {"unsure": 25}
    assert len(tables.desk.query("review")) == 25

    at = timestamp(NOW.replace(hour=12))
    correction = Correction(sentiment=Sentiment.NEGATIVE, by="ann", at=at)
    item = replace(entries[3], state=State.CORRECTED, decided_at=at, correction=correction).to_document()
    counted = tables.ledger.find_items(["f-3"])["f-3"]["counted"]
    tables.dynamodb.put_item(TableName=tables.ledger_table, Item=to_item({**item, "counted": counted}))
    for _ in range(2):
        assert tables.counting.count(["f-3"]).again == set()
    assert tables.counts() == {"unsure": 24, "negative": 1}
    assert len(tables.desk.query("review")) == 24


def test_a_move_from_where_a_feedback_no_longer_stands_changes_nothing(tables: Tables) -> None:
    item = classified("f-1").to_document()
    other = classified("f-2").to_document()
    for each in (item, other):
        tables.dynamodb.put_item(TableName=tables.ledger_table, Item=to_item(each))
    move, beside = move_of(item), move_of(other)
    assert move is not None
    assert beside is not None
    assert tables.counters.move([move])
    assert not tables.counters.move([beside, move])
    assert tables.counts() == {"negative": 1}
