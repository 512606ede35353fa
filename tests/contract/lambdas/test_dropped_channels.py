"""What is dropped, with S3, DynamoDB, SQS and Transcribe as moto has them: the handlers from event to ledger."""

import json
from pathlib import Path

import boto3
import pytest

from feedback.ledger import Entry, State
from lambdas.aws.attributes import from_item
from lambdas.channels.calls import handler as calls
from lambdas.channels.email import handler as email
from lambdas.channels.files import handler as files
from tests.unit.lambdas.dropped import message, notice
from tests.unit.lambdas.fakes import FakeContext

GOLDEN = Path(__file__).parents[2] / "golden"
BUCKET = "drop-bucket"
CONTEXT = FakeContext(remaining_seconds=600.0)
HANDLERS = {"email": email, "calls": calls, "files": files}


@pytest.fixture
def s3(table, queue_url, runtime, monkeypatch):
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    own = boto3.client("sqs").create_queue(QueueName="files")["QueueUrl"]
    variables = {
        "DROP_BUCKET": BUCKET,
        "DROP_KEY_ID": "arn:aws:kms:us-east-1:000000000000:key/drop",
        "EMAIL_UNVERIFIED": "mark",
        "TRANSCRIBE_LANGUAGES": "en-US",
        "CUSTOMER_SPEAKER": "spk_1",
        "CHANNEL_QUEUE_URL": own,
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    forget()
    yield client
    forget()


def forget():
    for module in HANDLERS.values():
        for value in vars(module).values():
            if hasattr(value, "cache_clear"):
                value.cache_clear()


def drop(s3, key, content):
    version = s3.put_object(Bucket=BUCKET, Key=key, Body=content)["VersionId"]
    return notice(key, bucket=BUCKET, version=version, size=len(content))


def handle(channel, *bodies):
    event = {"Records": [message(body, f"m-{place}") for place, body in enumerate(bodies)]}
    return [each["itemIdentifier"] for each in HANDLERS[channel].handle(event, CONTEXT)["batchItemFailures"]]


def ledger():
    return [Entry.from_document(from_item(item)) for item in boto3.client("dynamodb").scan(TableName="ledger")["Items"]]


def test_mails_become_feedback_that_is_queued_and_the_same_again_does_nothing(s3, queue_url):
    good = drop(s3, "email/a 1+2", (GOLDEN / "email/gmail_en.eml").read_bytes())
    bounce = drop(s3, "email/b", (GOLDEN / "email/bounce.eml").read_bytes())
    broken = drop(s3, "email/c", b"\x00")
    assert handle("email", good, bounce, broken) == ["m-2"]
    assert handle("email", good) == []
    (entry,) = ledger()
    assert entry.event.channel == "email"
    assert entry.state is State.RECEIVED
    assert entry.event.metadata["source"] == "email/a 1+2"
    sent = boto3.client("sqs").receive_message(QueueUrl=queue_url)
    assert json.loads(sent["Messages"][0]["Body"])["feedback_id"] == entry.event.id


def test_a_text_in_another_language_waits_for_the_router_which_knows_the_languages(s3):
    handle("email", drop(s3, "email/a", (GOLDEN / "email/gmx_de.eml").read_bytes()))
    assert ledger()[0].state is State.RECEIVED


def test_a_recording_starts_a_job_and_its_transcript_becomes_feedback(s3):
    recording = drop(s3, "calls/audio/P-1/call.mp3", b"mp3")
    assert handle("calls", recording) == []
    assert handle("calls", recording) == []
    (job,) = boto3.client("transcribe").list_transcription_jobs()["TranscriptionJobSummaries"]
    assert job["TranscriptionJobName"].startswith("earshot-")
    transcript = drop(s3, "calls/transcripts/P-1/job.json", (GOLDEN / "calls/transcribe_speakers.json").read_bytes())
    assert handle("calls", transcript) == []
    (entry,) = ledger()
    assert entry.event.product_id == "P-1"


def test_a_file_becomes_feedback_row_by_row_and_a_result(s3):
    assert handle("files", drop(s3, "files/reviews.csv.gz", (GOLDEN / "files/reviews.csv.gz").read_bytes())) == []
    result = json.loads(s3.get_object(Bucket=BUCKET, Key="results/files/reviews.csv.gz.json")["Body"].read())
    assert (result["accepted"], result["refused"], result["stopped"]) == (4, 2, None)
    assert len(ledger()) == 4


def test_a_long_file_goes_on_through_its_own_queue(s3, monkeypatch):
    body = drop(s3, "files/a.csv", b"text\n" + b"".join(b"row %d\n" % n for n in range(401)))
    left = iter([600, 600, 1, 600, 600, 600, 600, 600, 600])
    monkeypatch.setattr(CONTEXT, "get_remaining_time_in_millis", lambda: next(left) * 1000)
    assert handle("files", body) == []
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName="files")["QueueUrl"]
    (again,) = sqs.receive_message(QueueUrl=url)["Messages"]
    assert handle("files", again["Body"]) == []
    result = json.loads(s3.get_object(Bucket=BUCKET, Key="results/files/a.csv.json")["Body"].read())
    assert (result["rows"], result["accepted"]) == (401, 401)


def test_what_was_deleted_meanwhile_is_done(s3, capsys):
    body = drop(s3, "email/a", b"x")
    version = s3.list_object_versions(Bucket=BUCKET)["Versions"][0]["VersionId"]
    s3.delete_object(Bucket=BUCKET, Key="email/a", VersionId=version)
    assert handle("email", body) == []
    assert '"Gone": 1' in capsys.readouterr().out


def test_when_the_ledger_is_away_mails_come_again(s3, monkeypatch):
    monkeypatch.setenv("LEDGER_TABLE", "another")
    assert handle("email", drop(s3, "email/a", (GOLDEN / "email/gmail_en.eml").read_bytes())) == ["m-0"]
