"""From the ledger's stream to counters and review queue, on DynamoDB as moto keeps it."""

from dataclasses import replace
from datetime import UTC, datetime

import boto3
import pytest

from feedback.sentiment import Sentiment
from feedback.trends import Subject, SubjectKind
from lambdas.aws.attributes import from_item, to_item
from lambdas.aws.counters import Counters
from lambdas.aws.desk import Desk
from lambdas.aws.ledger import Ledger
from lambdas.trends import handler
from lambdas.trends.counters import Counters as WrittenCounters
from lambdas.trends.counting import move_of
from tests.unit.lambdas.fakes import UNSURE, FakeContext, classified

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PRODUCT = Subject(kind=SubjectKind.PRODUCT, name="P-1")


@pytest.fixture
def desk(table, monkeypatch):
    """The desk beside the ledger, and a handler that has cached nothing."""
    dynamodb = boto3.client("dynamodb")
    dynamodb.create_table(
        TableName="desk",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )
    monkeypatch.setenv("DESK_TABLE", "desk")
    monkeypatch.setattr(handler, "_pause", lambda attempts: None)
    for cached in (handler._settings, handler._counting):
        cached.cache_clear()
    yield Desk(table="desk", dynamodb=dynamodb)
    for cached in (handler._settings, handler._counting):
        cached.cache_clear()


@pytest.fixture
def ledger(table):
    return Ledger(table="ledger", dynamodb=boto3.client("dynamodb"))


def store(*entries):
    for entry in entries:
        boto3.client("dynamodb").put_item(TableName="ledger", Item=to_item(entry.to_document()))


def record(feedback_id, old=None):
    """The record of an item as it is now."""
    item = boto3.client("dynamodb").get_item(TableName="ledger", Key={"feedback_id": {"S": feedback_id}})["Item"]
    images = {"NewImage": item, "SequenceNumber": "1"} | ({} if old is None else {"OldImage": old})
    return {"eventID": "e", "eventName": "MODIFY", "dynamodb": {"Keys": {"feedback_id": item["feedback_id"]}, **images}}


def hear(*records):
    handler.handle({"Records": list(records)}, FakeContext())


def counts_of_product(desk):
    found = Counters(desk=desk).of(PRODUCT, day="2026-03-01")
    return {} if found is None else {label: count for label, count in found.counts.items() if count}


def test_a_batch_is_counted_by_product_and_channel_and_a_repeated_one_changes_nothing(desk, ledger):
    store(*(classified(f"f-{number}") for number in range(45)))
    records = [record(f"f-{number}") for number in range(45)]
    hear(*records)
    hear(*reversed(records))
    hear(records[7])
    assert counts_of_product(desk) == {"negative": 45}
    (product, channel) = sorted(Counters(desk=desk).day("2026-03-01"), key=lambda each: each.subject, reverse=True)
    assert (product.subject, channel.subject.key) == (PRODUCT, "channel#web")
    assert channel.negatives == 45
    assert 1 <= len(product.examples) <= 3
    assert set(product.examples) <= {f"f-{number}" for number in range(45)}
    assert list(product.hours) == [10]


def test_counters_go_with_the_feedback_that_they_count(desk, ledger):
    store(classified("a"))
    hear(record("a"))
    item = desk.get("trend#2026-03-01", "product#P-1")
    assert datetime.fromtimestamp(item["expires_at"], tz=UTC).date().isoformat() == "2027-04-05"


def test_a_correction_moves_the_count_and_empties_the_queue(desk, ledger):
    entry = classified("a", UNSURE)
    store(entry)
    boto3.client("dynamodb").update_item(
        TableName="ledger",
        Key={"feedback_id": {"S": "a"}},
        UpdateExpression="SET review = :unsure",
        ExpressionAttributeValues={":unsure": {"S": "unsure"}},
    )
    decided = record("a")
    hear(decided)
    assert counts_of_product(desk) == {"unsure": 1}
    (waiting,) = desk.query("review")
    assert (waiting["sk"], waiting["reason"]) == (f"{entry.event.received_at}#a", "unsure")

    ledger.correct("a", Sentiment.NEGATIVE, by="ann", note=None, now=NOW)
    corrected = record("a", old=decided["dynamodb"]["NewImage"])
    hear(corrected, decided)
    hear(decided)
    assert counts_of_product(desk) == {"negative": 1}
    assert desk.query("review") == []
    assert ledger.find_items(["a"])["a"]["counted"] == {"label": "negative", "in_review": False}


def test_a_record_of_which_only_the_new_image_is_known_is_counted(desk, ledger):
    store(classified("a"))
    hear(record("a"))
    replayed = record("a")
    hear(replayed)
    assert counts_of_product(desk) == {"negative": 1}


def test_what_was_forgotten_meanwhile_is_not_counted(desk, ledger):
    store(classified("a"))
    heard = record("a")
    boto3.client("dynamodb").delete_item(TableName="ledger", Key={"feedback_id": {"S": "a"}})
    hear(heard)
    assert Counters(desk=desk).day("2026-03-01") == []


def test_a_malformed_record_fails_the_batch_after_the_others_were_counted(desk, ledger, capsys):
    store(classified("a"), classified("b"))
    broken = record("b")
    broken["dynamodb"]["NewImage"] = to_item({**from_item(broken["dynamodb"]["NewImage"]), "state": "LOST"})
    with pytest.raises(handler.FeedbackUncountedError):
        hear(broken, record("a"))
    assert counts_of_product(desk) == {"negative": 1}
    assert "Too tight" not in capsys.readouterr().out


def test_tables_that_do_not_answer_fail_the_batch(desk, ledger):
    store(classified("a"))
    heard = record("a")
    boto3.client("dynamodb").delete_table(TableName="desk")
    with pytest.raises(handler.FeedbackUncountedError):
        hear(heard)
    assert "counted" not in ledger.find_items(["a"])["a"]


def test_a_transaction_holds_as_much_as_dynamodb_takes(desk, ledger):
    counters = WrittenCounters(ledger_table="ledger", desk_table="desk", dynamodb=boto3.client("dynamodb"))
    shared = [move_of(classified(f"f-{number}").to_document()) for number in range(120)]
    assert [len(portion) for portion in counters.portions(shared)] == [98, 22]
    apart = []
    for number, move in enumerate(shared):
        event = replace(move.event, product_id=f"P-{number}", category=f"C-{number}")
        after = replace(move.after, in_review=True)
        apart.append(replace(move, event=event, after=after, reason="unsure"))
    portions = list(counters.portions(apart))
    assert sum(map(len, portions)) == 120
    assert {len(portion) for portion in portions[:-1]} == {24}
    assert list(counters.portions([])) == []


def test_a_move_from_where_a_feedback_no_longer_stands_changes_nothing(desk, ledger):
    store(classified("a"), classified("b"))
    counters = WrittenCounters(ledger_table="ledger", desk_table="desk", dynamodb=boto3.client("dynamodb"))
    first, second = (move_of(classified(id_).to_document()) for id_ in "ab")
    assert counters.move([first])
    assert not counters.move([second, first])
    assert counts_of_product(desk) == {"negative": 1}
