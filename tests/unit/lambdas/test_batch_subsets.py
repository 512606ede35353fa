"""Every failing subset of batches of up to ten messages: exactly the failing ones are asked for again.

Through the consumers' handlers, with AWS's clients simulated. There are 2,046 such batches; every fifth is tried here,
and all of them for each consumer with EARSHOT_SUBSETS=all.
"""

import itertools
import json
import os

import pytest

from benchmarks.bad_inputs import place
from benchmarks.simulation.estate import Parameters
from faults.runtime import prediction_of
from feedback.alerting.messages import FIRST
from lambdas.aws.attributes import to_item
from tests.unit.lambdas.fakes import received

LARGEST = 10
ALL = [
    (size, frozenset(failing))
    for size in range(1, LARGEST + 1)
    for count in range(size + 1)
    for failing in itertools.combinations(range(size), count)
]
SUBSETS = ALL if os.environ.get("EARSHOT_SUBSETS") == "all" else ALL[::5]


@pytest.fixture(scope="module")
def at():
    with place("router", "notify") as made:
        made.world.add_service("ssm", Parameters())
        yield made


def failures(at, name, bodies):
    """Which of the messages with these bodies the handler asks for again."""
    records = [
        {"messageId": str(n), "receiptHandle": str(n), "body": body, "attributes": {}, "messageAttributes": {}}
        for n, body in enumerate(bodies)
    ]
    result, error, _ = at.call(name, {"Records": records})
    assert error is None
    return {int(each["itemIdentifier"]) for each in result["batchItemFailures"]}


def refuse(at, operation, ids, id_of):
    """From now on this operation fails for these ids, and nothing else does."""
    at.world.refuses = lambda service, called, call: called == operation and id_of(call) in ids


def written_id(call):
    return call["Key"].get("feedback_id", {}).get("S")


def published_id(call):
    return call["MessageAttributes"]["feedback_id"]["StringValue"]


def fill(at, entries):
    table = at.world.tables.tables["ledger"]
    table.items = {(entry["feedback_id"],): to_item(entry) for entry in entries}
    return table.items


def test_there_are_2046_of_them():
    assert len(ALL) == 2046


def test_the_router_asks_again_for_exactly_what_it_could_not_decide(at):
    """A message fails because it is broken, because its feedback is missing, or because its decision is not written."""
    for number, (size, failing) in enumerate(SUBSETS):
        ids = [f"{number}-{n}" for n in range(size)]
        broken, missing, unwritten = ({n for n in failing if n % 3 == kind} for kind in range(3))
        items = fill(at, [received(id_).to_document() for n, id_ in enumerate(ids) if n not in missing])
        refuse(at, "update_item", {ids[n] for n in unwritten}, written_id)
        bodies = ["{" if n in broken else json.dumps({"version": 1, "feedback_id": id_}) for n, id_ in enumerate(ids)]
        assert failures(at, "router", bodies) == failing, (size, failing)
        assert all(items[(ids[n],)]["state"]["S"] != "RECEIVED" for n in set(range(size)) - failing)


def test_notify_asks_again_for_exactly_what_it_could_not_deliver(at):
    for number, (size, failing) in enumerate(SUBSETS):
        ids = [f"{number}-{n}" for n in range(size)]
        fill(at, [alerted(id_) for id_ in ids])
        refuse(at, "publish", {ids[n] for n in failing if n % 2}, published_id)
        at.world.topics.published.clear()
        bodies = ["{" if n in failing and not n % 2 else alert_message(id_) for n, id_ in enumerate(ids)]
        assert failures(at, "notify", bodies) == failing, (size, failing)
        told = {message.attributes["feedback_id"] for message in at.world.topics.published}
        assert told == {ids[n] for n in set(range(size)) - failing}


@pytest.mark.parametrize(("channel", "prefix"), [("email", "email/"), ("calls", "calls/transcripts/")])
def test_a_channel_asks_again_for_exactly_the_objects_it_could_not_take(at, channel, prefix):
    at.world.refuses = lambda service, operation, call: operation == "get_object" and "failing" in call["Key"]
    for size, failing in SUBSETS:
        keys = [f"{prefix}{'failing' if n in failing else 'good'}-{n}.json" for n in range(size)]
        at.world.buckets.objects |= {("drop", key): OBJECTS[channel] for key in keys}
        assert failures(at, f"channels.{channel}", [notice(key) for key in keys]) == failing, (size, failing)


def alerted(id_):
    entry = received(id_, text="Terrible, it broke").to_document()
    alert = {
        "state": "DUE",
        "severity": "low",
        "team": "care",
        "rule": "negative",
        "scope": "product#P-1",
        "deliveries": {},
    }
    decision = prediction_of({"id": id_, "text": "Terrible"})
    del decision["id"]
    moment = "2026-03-01T10:00:00.000Z"
    return entry | decision | {"state": "CLASSIFIED", "decided_at": moment, "alert": alert | {"at": moment}}


def alert_message(id_):
    return json.dumps({"version": 1, "kind": "feedback", "id": id_, "destination": "everyone", "step": FIRST})


def notice(key):
    described = {"key": key, "versionId": "v1", "size": 10}
    record = {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "drop"}, "object": described}}
    return json.dumps({"Records": [record]})


OBJECTS = {
    "email": b"From: jane@example.com\r\nSubject: Zip\r\nMessage-ID: <1@example.com>\r\n\r\nThe zip broke.\r\n",
    "calls": json.dumps({"jobName": "c", "status": "COMPLETED", "results": {"transcripts": [], "items": []}}).encode(),
}
