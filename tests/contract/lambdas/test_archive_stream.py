import json

import pytest

from feedback.ledger import MalformedEntryError
from lambdas.archive.handler import handle
from tests.unit.lambdas.fakes import FakeContext


def test_every_decision_becomes_one_row_however_often_the_batch_comes(bucket, load_event):
    for _ in range(2):
        handle(load_event("stream_ledger"), FakeContext())
    (stored,) = bucket.objects.all()
    assert stored.key.startswith("feedback/dt=2026-03-01/")
    assert stored.key.endswith(".jsonl")
    rows = [json.loads(line) for line in stored.get()["Body"].read().splitlines()]
    assert [(row["feedback_id"], row["state"], row["sentiment"]) for row in rows] == [
        ("order-1001", "CLASSIFIED", -1),
        ("order-1002", "CLASSIFIED", 1),
        ("order-1003", "UNSURE", None),
        ("order-1004", "FAILED", None),
    ]


def test_a_malformed_record_stops_the_batch_before_anything_is_written(bucket, load_event):
    event = load_event("stream_ledger")
    del event["Records"][4]["dynamodb"]["NewImage"]["event"]
    with pytest.raises(MalformedEntryError):
        handle(event, FakeContext())
    assert list(bucket.objects.all()) == []


def test_changes_that_decide_nothing_write_nothing(bucket, load_event):
    event = load_event("stream_ledger")
    event["Records"] = [event["Records"][index] for index in (0, 5, 6)]
    handle(event, FakeContext())
    assert list(bucket.objects.all()) == []
