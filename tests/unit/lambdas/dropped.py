"""What the tests of the dropped channels share: a bucket in memory, an acceptance, notices as S3 writes them."""

from __future__ import annotations

import io
import json
from urllib.parse import quote_plus

from feedback.event import UnusableFeedbackError, body_digest, receive
from feedback.ledger import Entry, State
from feedback.problem import FieldError, Problem
from lambdas.channels.bucket import ObjectGoneError, ObjectTooLargeError
from lambdas.channels.delivery import Delivery
from lambdas.channels.drop import Dropped
from lambdas.intake.acceptance import Accepted
from tests.unit.lambdas.fakes import NOW

BUCKET = "drop"


class FakeAcceptance:
    """Accepts by id and digest as intake does; ``is_away`` says that the ledger is."""

    def __init__(self):
        self.entries = {}
        self.is_away = False

    def take_in(self, documents, *, ask_model=True):
        assert not ask_model
        return [document if isinstance(document, Problem) else self._accept(document) for document in documents]

    def _accept(self, document):
        if self.is_away:
            return Problem(kind="unavailable", detail="Later.")
        try:
            event = receive(document, received_at=NOW)
        except UnusableFeedbackError as error:
            return Problem(
                kind="unusable", detail="No.", errors=(FieldError(pointer=error.pointer, detail=error.reason),)
            )
        entry = Entry(event=event, body_digest=body_digest(document), state=State.RECEIVED)
        stored = self.entries.setdefault(event.id, entry)
        if stored.body_digest != entry.body_digest:
            return Problem(kind="id-reused", detail="No.")
        return Accepted(entry=stored, is_new=stored is entry)

    @property
    def events(self):
        return [entry.event for entry in self.entries.values()]


class FakeBucket:
    """Objects by key and version."""

    def __init__(self, objects=None):
        self.objects = dict(objects or {})
        self.written = {}
        self.opened = 0

    def open(self, dropped):
        self.opened += 1
        if dropped.key not in self.objects:
            raise ObjectGoneError("gone")
        return io.BytesIO(self.objects[dropped.key])

    def read(self, dropped, *, limit_bytes):
        content = self.open(dropped).read()
        if len(content) > limit_bytes:
            raise ObjectTooLargeError("too large")
        return content

    def write(self, dropped, key, body, *, content_type):
        self.written[key] = json.loads(body)


def delivery(acceptance=None):
    return Delivery(accepting=acceptance or FakeAcceptance())


def dropped(key, content=b"x", **more):
    return Dropped(**{"bucket": BUCKET, "key": key, "version_id": "v1", "size": len(content)} | more)


def notice(*keys, bucket=BUCKET, event="ObjectCreated:Put", version="v1", size=10):
    """The body of a message in which S3 tells of objects."""
    return json.dumps(
        {
            "Records": [
                {
                    "eventVersion": "2.1",
                    "eventSource": "aws:s3",
                    "awsRegion": "eu-central-1",
                    "eventTime": "2026-03-02T09:02:11.000Z",
                    "eventName": event,
                    "s3": {
                        "s3SchemaVersion": "1.0",
                        "bucket": {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"},
                        "object": {
                            "key": quote_plus(key, safe="/"),
                            "size": size,
                            "eTag": "d41d8cd98f00b204e9800998ecf8427e",
                            "versionId": version,
                            "sequencer": "0055AED6DCD90281E5",
                        },
                    },
                }
                for key in keys
            ]
        }
    )


def message(body, id_="m-1"):
    return {"messageId": id_, "body": body, "receiptHandle": "r", "attributes": {}, "eventSource": "aws:sqs"}
