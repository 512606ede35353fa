"""What is dropped: S3's notices, the objects they tell of, batches of them, and the way into acceptance."""

from __future__ import annotations

import json

import boto3
import pytest
from moto import mock_aws

from feedback.problem import Problem
from lambdas.channels import pseudonym
from lambdas.channels.batch import DropBatch, UnusableObjectError
from lambdas.channels.bucket import DropBucket, ObjectGoneError, ObjectTooLargeError
from lambdas.channels.delivery import NotDeliveredError, settle
from lambdas.channels.drop import Dropped, UnreadableNoticeError, has_plain_key, read_notice
from tests.unit.lambdas.dropped import BUCKET, FakeAcceptance, delivery, dropped, message, notice
from tests.unit.lambdas.fakes import FakeContext


def read(body, prefix="email/"):
    return read_notice(body, bucket=BUCKET, prefix=prefix)


KEYS = [
    "email/plain",
    "email/with space",
    "email/with+plus",
    "email/100%25",
    "email/%2e%2e",
    "email/gr\u00fc\u00dfe \u4f60\u597d \U0001f600",
    "email/a&b=c?d#e",
    "email/" + "k" * 1018,
    "email/'; DROP TABLE",
    'email/"quoted"',
    "email/$(touch x)",
    "email/=1+1",
]


@pytest.mark.parametrize("key", KEYS)
def test_a_key_is_read_as_s3_writes_it(key):
    (found,) = read(notice(key))
    assert found == Dropped(bucket=BUCKET, key=key, version_id="v1", etag="d41d8cd98f00b204e9800998ecf8427e", size=10)
    assert has_plain_key(found)


@pytest.mark.parametrize(
    "key",
    [
        "email/../calls/a",
        "email/a/..",
        "email/./a",
        "email/..",
        "email/a\\..\\b",
        "email/a\nb",
        "email/\x00",
        "email/\x1b[2J",
        "email/a\x7f",
        "email/a\x85",
    ],
)
def test_a_key_that_tries_a_trick_is_not_used(key):
    (found,) = read(notice(key))
    assert not has_plain_key(found)


def test_the_test_message_and_removals_tell_of_no_object():
    test = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "2026-03-02T00:00:00Z", "Bucket": BUCKET}
    assert read(json.dumps(test)) == []
    assert read(notice("email/a", event="ObjectRemoved:Delete")) == []
    assert read(notice("email/a", event="ObjectCreated:CompleteMultipartUpload"))
    assert read('{"Records": []}') == []


BROKEN = {
    "nothing": "",
    "no JSON": "hello",
    "a list": "[]",
    "null": "null",
    "no records": '{"a": 1}',
    "records that are none": '{"Records": {}}',
    "a record that is none": '{"Records": [5]}',
    "no object": '{"Records": [{"eventName": "ObjectCreated:Put"}]}',
    "no key": '{"Records": [{"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "drop"}, "object": {}}}]}',
    "an s3 that is a list": '{"Records": [{"eventName": "ObjectCreated:Put", "s3": []}]}',
    "an object that is text": '{"Records": [{"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "drop"}, '
    '"object": "key"}}]}',
    "a key that is a number": notice("email/a").replace('"email/a"', "5"),
    "an empty key": notice("email/a").replace('"email/a"', '""'),
    "a key that is not UTF-8": notice("email/a").replace("email/a", "email/%ff"),
    "a key too long": notice("email/" + "k" * 1019),
    "another bucket": notice("email/a", bucket="another"),
    "another prefix": notice("files/a"),
    "nested 100,000 deep": '{"Records": ' + "[" * 100_000,
    "a number of 5,000 digits": notice("email/a").replace('"size": 10', '"size": ' + "9" * 5_000),
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_what_is_no_notice_is_refused(body):
    with pytest.raises(UnreadableNoticeError):
        read(body)


@pytest.mark.parametrize("size", [-1, None, True, "10", [], 1.5])
def test_a_size_that_is_none_is_not_believed(size):
    body = notice("email/a").replace('"size": 10', f'"size": {json.dumps(size)}')
    assert read(body)[0].size is None


def test_the_version_null_is_no_version_and_versions_are_told_apart():
    assert read(notice("email/a", version="null"))[0].version_id is None
    assert dropped("a").identity == dropped("a", etag="other").identity
    assert dropped("a").identity != dropped("a", version_id="v2").identity
    assert dropped("a", version_id=None, etag="1").identity != dropped("a", version_id=None, etag="2").identity


class Channel:
    """Takes objects, or does what the key says."""

    def __init__(self):
        self.taken = []

    def take(self, dropped):
        self.taken.append(dropped.key)
        failure = {
            "email/gone": ObjectGoneError("gone"),
            "email/unusable": UnusableObjectError("It is broken."),
            "email/large": ObjectTooLargeError("too large"),
            "email/away": NotDeliveredError("away"),
            "email/bug": KeyError("canary"),
        }.get(dropped.key)
        if failure:
            raise failure
        return {"Accepted": 1}


def process(*bodies, remaining_seconds=30.0):
    channel = Channel()
    batch = DropBatch(read=read, take=channel.take, needed_seconds=5.0)
    event = {"Records": [message(body, f"m-{place}") for place, body in enumerate(bodies)]}
    answer = batch.process(event, FakeContext(remaining_seconds=remaining_seconds))
    return [int(each["itemIdentifier"][2:]) for each in answer["batchItemFailures"]], channel.taken


def test_each_object_of_a_batch_is_taken_by_itself():
    names = ["a", "gone", "unusable", "large", "away", "bug", "b", "../x", "folder/"]
    again, taken = process(*[notice(f"email/{name}") for name in names], "broken")
    assert again == [2, 3, 4, 5, 7, 9]
    assert taken == ["email/a", "email/gone", "email/unusable", "email/large", "email/away", "email/bug", "email/b"]


def test_of_one_message_every_object_is_tried():
    again, taken = process(notice("email/bug", "email/a"))
    assert again == [0]
    assert taken == ["email/bug", "email/a"]


def test_without_time_the_rest_comes_again():
    assert process(notice("email/a"), notice("email/b"), remaining_seconds=4.0) == ([0, 1], [])


def test_the_log_says_reasons_and_counts_but_no_keys_and_no_words(capsys):
    process(notice("email/unusable"), notice("email/bug"), notice("email/a"), "canary")
    printed = capsys.readouterr().out
    assert "canary" not in printed
    assert "email/" not in printed
    lines = [json.loads(line) for line in printed.splitlines()]
    assert {"Unreadable": 2, "Failed": 1, "Accepted": 1, "Retried": 3}.items() <= lines[-1].items()
    assert lines[0]["reason"] == "It is broken."


def test_delivery_refuses_by_the_schema_and_stops_no_other():
    good = {"channel": "file", "text": "Good.", "id": "a"}
    acceptance = FakeAcceptance()
    answers = delivery(acceptance).deliver([good, {"channel": "file"}, "nothing", good | {"text": "x" * 10_001}, good])
    receipt = settle(answers)
    assert (receipt.accepted, receipt.repeated) == (1, 1)
    assert receipt.refused == {
        1: "lacks text",
        2: "must be of type object",
        3: "text must have at most 10000 characters",
    }


def test_the_same_id_with_another_content_is_the_same_thing_again():
    assert settle([Problem(kind="id-reused", detail="No.")]).repeated == 1
    with pytest.raises(NotDeliveredError):
        settle([Problem(kind="unusable", detail="No."), Problem(kind="unavailable", detail="Later.")])


@pytest.fixture
def s3():
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
        client.create_bucket(Bucket=BUCKET)
        client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        yield client


def put(s3, body, key="email/a b+c"):
    return Dropped(bucket=BUCKET, key=key, version_id=s3.put_object(Bucket=BUCKET, Key=key, Body=body)["VersionId"])


def test_the_version_that_was_told_of_is_read_also_after_it_was_overwritten(s3):
    first, second = put(s3, b"first"), put(s3, b"second")
    bucket = DropBucket(s3=s3)
    assert bucket.read(first, limit_bytes=10) == b"first"
    assert bucket.open(second).read(100) == b"second"
    with pytest.raises(ObjectTooLargeError):
        bucket.read(first, limit_bytes=4)


def test_what_was_deleted_is_gone(s3):
    found = put(s3, b"first")
    bucket = DropBucket(s3=s3)
    marker = s3.delete_object(Bucket=BUCKET, Key=found.key)["VersionId"]
    assert bucket.read(found, limit_bytes=10) == b"first"
    s3.delete_object(Bucket=BUCKET, Key=found.key, VersionId=found.version_id)
    for gone in (found, Dropped(bucket=BUCKET, key=found.key, version_id=marker), dropped("email/never")):
        with pytest.raises((ObjectGoneError, s3.exceptions.ClientError)):
            bucket.open(gone)
    with pytest.raises(ObjectGoneError):
        bucket.open(found)


def test_a_result_is_written_beside(s3):
    found = put(s3, b"first")
    DropBucket(s3=s3).write(found, "results/a.json", b"{}", content_type="application/json")
    assert s3.get_object(Bucket=BUCKET, Key="results/a.json")["Body"].read() == b"{}"


def test_a_pseudonym_is_the_same_for_every_way_of_writing():
    assert pseudonym.of_address(" Ann@Customer.example ") == pseudonym.of_address("ann@customer.EXAMPLE")
    assert pseudonym.of_number("+49 (30) 123-456") == pseudonym.of_number("+4930123456")
    assert pseudonym.of_reference("c-17") == "c-17"
    assert pseudonym.of_reference("ann@customer.example") == pseudonym.of_address("ann@customer.example")
    assert pseudonym.of_address("a@b.example") != pseudonym.of_address("b@a.example")
