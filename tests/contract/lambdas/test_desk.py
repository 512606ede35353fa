"""The desk and the ledger's writes against DynamoDB's own conditions."""

from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.exceptions import ClientError

from feedback.ledger import State
from feedback.sentiment import Sentiment
from lambdas.aws.desk import Desk, DeskUnavailableError
from lambdas.aws.ledger import Ledger, LedgerUnavailableError, UndecidedFeedbackError, UnknownFeedbackError
from lambdas.aws.originals import Original, Originals
from tests.unit.lambdas.fakes import NEGATIVE, NOW, received

ORIGINAL = Original(text="Write to a@b.example", metadata={}, redacted={"email": 1})


@pytest.fixture
def desk(runtime):
    return Desk(table="desk", dynamodb=boto3.client("dynamodb"))


@pytest.fixture
def ledger(table, runtime):
    originals = Originals(table="originals", keep=timedelta(days=30))
    return Ledger(table="ledger", originals=originals, dynamodb=boto3.client("dynamodb"))


def test_a_document_is_read_back_with_its_place(desk):
    until = datetime(2026, 3, 2, tzinfo=UTC)
    assert desk.put("cursor", "site", {"page": 7, "share": 0.25, "pk": "ignored"}, expires_at=until)
    document = {"pk": "cursor", "sk": "site", "page": 7, "share": 0.25, "expires_at": int(until.timestamp())}
    assert desk.get("cursor", "site") == document
    assert desk.get("cursor", "other") is None


def test_of_two_that_put_first_one_wins(desk):
    assert desk.put("policy", "x", {"by": 1}, unless_exists=True)
    assert not desk.put("policy", "x", {"by": 2}, unless_exists=True)
    assert desk.get("policy", "x")["by"] == 1
    assert desk.put("policy", "x", {"by": 3})
    desk.delete("policy", "x")
    desk.delete("policy", "x")
    assert desk.get("policy", "x") is None


def test_a_partition_is_read_in_order_between_two_places(desk):
    for number in range(10):
        desk.put("agenda", f"{number}", {})
    desk.put("other", "5", {})

    def places(**more):
        return "".join(document["sk"] for document in desk.query("agenda", **more))

    assert places() == "0123456789"
    assert places(after="3") == "456789"
    assert places(before="3") == "012"
    assert places(after="2", before="6") == "345"
    assert places(after="2", before="6", limit=2) == "34"
    assert places(after="6", before="2") == ""
    with pytest.raises(ValueError, match="at least 1"):
        desk.query("agenda", limit=0)


def test_a_partition_of_many_pages_is_read_to_its_end(desk):
    for number in range(15):
        desk.put("trend", f"{number:02}", {"padding": "x" * 150_000})
    assert len(desk.query("trend")) == 15
    assert len(desk.query("trend", limit=12)) == 12


def test_an_update_happens_where_its_condition_holds(desk):
    update = {"expression": "SET #state = :new", "names": {"#state": "state"}}
    new = desk.update_if("b", "e", condition="attribute_not_exists(#state)", values={":new": "open"}, **update)
    assert new == {"pk": "b", "sk": "e", "state": "open"}
    values = {":new": "closed", ":old": "never"}
    assert desk.update_if("b", "e", condition="#state = :old", values=values, **update) is None
    assert desk.get("b", "e")["state"] == "open"


def test_a_desk_that_is_away_says_so(desk):
    boto3.client("dynamodb").delete_table(TableName="desk")
    for call in (
        lambda: desk.get("a", "b"),
        lambda: desk.put("a", "b", {}),
        lambda: desk.delete("a", "b"),
        lambda: desk.query("a"),
        lambda: desk.update_if("a", "b", "REMOVE c", condition="attribute_not_exists(c)"),
    ):
        with pytest.raises(DeskUnavailableError):
            call()


def test_entry_and_original_are_written_together_once(ledger):
    entry = received("a")
    assert ledger.accept(entry, original=ORIGINAL, now=NOW) is entry
    assert ledger.accept(received("a", "other"), original=ORIGINAL, now=NOW) == entry, "the first one, from the answer"
    originals = boto3.resource("dynamodb").Table("originals")
    assert originals.scan()["Count"] == 1
    boto3.client("dynamodb").delete_table(TableName="originals")
    with pytest.raises(LedgerUnavailableError):
        ledger.accept(received("b"), original=ORIGINAL, now=NOW)
    assert ledger.find("b") is None, "neither without the other"


def test_a_decision_is_written_once_and_ends_the_flight(ledger, table):
    ledger.accept(received("a"), now=NOW)
    assert ledger.decide(received("a").decided(NEGATIVE, now=NOW))
    assert not ledger.decide(received("a").failed("late", now=NOW))
    assert ledger.find("a").state is State.CLASSIFIED
    ledger.leave_to_router("a")
    ledger.leave_to_router("nobody")
    assert table.item_count == 1


def test_what_is_not_there_or_not_decided_cannot_be_corrected(ledger):
    with pytest.raises(UnknownFeedbackError):
        ledger.correct("a", Sentiment.POSITIVE, by="ann", note=None, now=NOW)
    ledger.accept(received("a"), now=NOW)
    with pytest.raises(UndecidedFeedbackError):
        ledger.correct("a", Sentiment.POSITIVE, by="ann", note=None, now=NOW)


def test_a_correction_wins_and_a_late_decision_of_the_model_does_not(ledger):
    ledger.accept(received("a"), now=NOW)
    ledger.decide(received("a").failed("empty_text", now=NOW))
    later = NOW + timedelta(minutes=1)
    entry = ledger.correct("a", Sentiment.POSITIVE, by="ann", note=None, now=later)
    assert (entry.state, entry.effective_sentiment, entry.failure) == (
        State.CORRECTED,
        Sentiment.POSITIVE,
        "empty_text",
    )
    assert ledger.correct("a", Sentiment.POSITIVE, by="ann", note=None, now=later + timedelta(days=1)) == entry
    assert not ledger.decide(received("a").decided(NEGATIVE, now=NOW))
    assert ledger.find("a") == entry


class Conflicting:
    """Another transaction is at the item for so many calls."""

    def __init__(self, dynamodb, times):
        self.dynamodb, self.times = dynamodb, times

    def __getattr__(self, name):
        def call(**request):
            self.times -= 1
            if self.times >= 0:
                raise ClientError({"Error": {"Code": "TransactionConflictException", "Message": ""}}, name)
            return getattr(self.dynamodb, name)(**request)

        return call


def test_a_conflict_with_a_transaction_is_tried_again_and_not_for_ever(ledger):
    ledger.accept(received("a"), now=NOW)
    for times, written in ((2, True), (3, None)):
        busy = Ledger(table="ledger", dynamodb=Conflicting(boto3.client("dynamodb"), times))
        if written:
            assert busy.decide(received("a").decided(NEGATIVE, now=NOW))
            continue
        with pytest.raises(LedgerUnavailableError):
            busy.decide(received("a").decided(NEGATIVE, now=NOW))
