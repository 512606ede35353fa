"""The parsers of everything that brings feedback in: requests, signatures, mails, transcripts, files, feeds, messages.

Each answers or refuses with its own error; whatever else it raises is a crash. Knows no service.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import json
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.fuzz.target import Outcome, Target, promise
from feedback.alerting.messages import UnreadableAlertError
from feedback.alerting.messages import read_message as read_alert
from feedback.alerting.policy import Policy, default_policy
from feedback.alerting.reading import PolicyError
from feedback.strict_json import BrokenJsonError, parse
from lambdas.aws.queue import UnreadableMessageError, read_message
from lambdas.channels.calls.transcript import UnknownTranscriptError, read_call
from lambdas.channels.drop import UnreadableNoticeError, read_notice
from lambdas.channels.email.mail import UnreadableMailError, read_mail
from lambdas.channels.files.content import BrokenFileError, Content
from lambdas.channels.files.tables import text_table
from lambdas.channels.mapping import UnusableEventError
from lambdas.channels.puller.feeds import BrokenFeedError, read_json_feed, read_xml_feed
from lambdas.channels.webhooks.kinds import MAPPERS
from lambdas.channels.webhooks.signature import UnsignedError, read_claim
from lambdas.channels.webhooks.sources import WrongSourceError, read_source
from lambdas.intake.request import BODY_LIMIT_BYTES, RefusedError, read_batch, read_document, read_feedback, read_key

_FEEDBACK = b'{"id": "order-1", "channel": "web", "text": "The zip broke.", "rating": 1, "metadata": {"till": "4"}}'
_KEY = b"a key of sixteen bytes and more"
_SIGNATURE = base64.b64encode(hmac.new(_KEY, b"msg-1.1772360000.{}", hashlib.sha256).digest()).decode()
_HEADERS = json.dumps(
    {"webhook-id": "msg-1", "webhook-timestamp": "1772360000", "webhook-signature": f"v1,{_SIGNATURE}"}
).encode()
_SLACK = b'{"X-Slack-Signature": "v0=' + b"0" * 64 + b'", "X-Slack-Request-Timestamp": "1772360000"}'
_MAIL = (
    b'From: "Jane" <jane@example.com>\r\nSubject: =?utf-8?B?WmlwIGJyb2tl?=\r\nMIME-Version: 1.0\r\n'
    b'Content-Type: multipart/alternative; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n'
    b"The zip broke.\r\n> You wrote\r\n--b\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable"
    b"\r\n\r\n<p>The zip=20broke.</p>\r\n--b--\r\n"
)
_TRANSCRIPT = json.dumps(
    {
        "jobName": "call",
        "results": {
            "items": [
                {
                    "type": "pronunciation",
                    "start_time": "0.1",
                    "speaker_label": "spk_1",
                    "alternatives": [{"content": "a"}],
                }
            ],
            "speaker_labels": {"segments": [{"speaker_label": "spk_1", "items": [{"start_time": "0.1"}]}]},
        },
    }
).encode()
_ANALYSED = json.dumps(
    {
        "Version": "1.1.0",
        "Participants": [{"ParticipantId": "A", "ParticipantRole": "CUSTOMER"}],
        "Transcript": [{"ParticipantId": "A", "Content": "The zip broke.", "BeginOffsetMillis": 1}],
    }
).encode()
_RSS = (
    b'<?xml version="1.0"?><rss version="2.0"><channel><item><guid>1</guid><title>Zip</title>'
    b"<description>It broke.</description></item></channel></rss>"
)
_ATOM = b'<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>1</id><content type="html">bad</content></entry></feed>'
_JSON_FEED = b'{"version": "https://jsonfeed.org/version/1.1", "items": [{"id": "1", "content_text": "It broke."}]}'
_NOTICE = (
    b'{"Records": [{"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "drop"}, '
    b'"object": {"key": "files/a+b.csv", "size": 1, "versionId": "v1"}}}]}'
)


def feedback_targets() -> list[Target]:
    """All of them; cheap, so that each has a large share."""
    targets = {
        "feedback request": (_request, (_FEEDBACK,), RefusedError),
        "batch request": (_batch, (b'{"items": [' + _FEEDBACK + b"]}",), RefusedError),
        "Idempotency-Key": (_key, (b'"order-1001"', b'"a";b=1', b"order"), RefusedError),
        "webhook signature": (_claim, (_HEADERS, _SLACK), UnsignedError),
        "webhook source": (_text(read_source), (b'{"kind": "feedback", "secrets": ["whsec_AAAA"]}',), WrongSourceError),
        "webhook event": (_event, (_FEEDBACK, b'{"event": {"type": "message", "text": "a"}}'), UnusableEventError),
        "mail": (lambda data: read_mail(data), (_MAIL,), UnreadableMailError),
        "transcript": (lambda data: read_call(_json(data)), (_TRANSCRIPT, _ANALYSED), UnknownTranscriptError),
        "rows of a file": (_rows, (b'id,text,stars\n1,"It, broke",1\n', _FEEDBACK + b"\n"), BrokenFileError),
        "XML feed": (lambda data: read_xml_feed(data, {}), (_RSS, _ATOM), BrokenFeedError),
        "JSON feed": (lambda data: read_json_feed(data, {}), (_JSON_FEED,), BrokenFeedError),
        "alert policy": (_text(Policy.parse), (default_policy().encode(),), PolicyError),
        "alert message": (_text(read_alert), (b'{"version": 1, "kind": "feedback", "id": "a"}',), UnreadableAlertError),
        "queue message": (_text(read_message), (b'{"version": 1, "feedback_id": "a"}',), UnreadableMessageError),
        "notice of S3": (_notice, (_NOTICE,), UnreadableNoticeError),
    }
    return [Target(name=name, seeds=seeds, run=_run(read, refusal)) for name, (read, seeds, refusal) in targets.items()]


def _run(read: Callable[[bytes], object], refusal: type[Exception]) -> Callable[[bytes], Outcome]:
    def run(data: bytes) -> Outcome:
        try:
            read(data)
        except refusal as error:
            promise("\n" not in str(error), "a refusal is more than one line")
            return Outcome.REFUSED
        except BrokenJsonError:
            return Outcome.REFUSED
        return Outcome.ANSWERED

    return run


def _text(read: Callable[[str], object]) -> Callable[[bytes], object]:
    return lambda data: read(data.decode("utf-8", "surrogateescape"))


def _json(data: bytes) -> object:
    return parse(data.decode("utf-8", "replace"))


def _api_event(data: bytes) -> dict[str, Any]:
    return {"body": data.decode("utf-8", "surrogateescape"), "headers": {}, "isBase64Encoded": False}


def _request(data: bytes) -> object:
    return read_feedback(read_document(_api_event(data), limit_bytes=BODY_LIMIT_BYTES))


def _batch(data: bytes) -> object:
    return read_batch(read_document(_api_event(data), limit_bytes=BODY_LIMIT_BYTES))


def _key(data: bytes) -> object:
    return read_key({"headers": {"Idempotency-Key": data.decode("latin-1")}})


def _claim(data: bytes) -> None:
    headers = _json(data)
    claim = read_claim(headers if isinstance(headers, Mapping) else {"webhook-signature": data.decode("latin-1")})
    claim.check_time(1_772_360_000.0)
    claim.check(b"{}", [_KEY])


def _event(data: bytes) -> None:
    event = _json(data)
    refused = 0
    for read in MAPPERS.values():
        try:
            read(event, {})
        except UnusableEventError:
            refused += 1
    if refused == len(MAPPERS):
        raise UnusableEventError("No kind of source sends such an event.")


def _rows(data: bytes) -> None:
    for _ in text_table(Content(io.BytesIO(data))).rows():
        pass


def _notice(data: bytes) -> object:
    return read_notice(data.decode("utf-8", "surrogateescape"), bucket="drop", prefix="files/")
