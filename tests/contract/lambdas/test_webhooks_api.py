"""Pushed events from API Gateway's request to the ledger and the queue, with moto in AWS's place."""

import base64
import hashlib
import hmac
import json
import time
from pathlib import Path

import boto3
import pytest

from lambdas.channels import accepting
from lambdas.channels.webhooks import handler
from tests.unit.lambdas.fakes import FakeContext

GOLDEN = sorted((Path(__file__).resolve().parents[2] / "golden" / "webhooks").glob("*.json"))
PREFIX = "earshot/test/webhooks/"
KEY = b"k" * 24
SECRET = "whsec_" + base64.b64encode(KEY).decode()


@pytest.fixture
def webhooks(table, queue_url, monkeypatch):
    """The function's surroundings; a call adds a source."""
    boto3.client("dynamodb").create_table(
        TableName="originals",
        KeySchema=[{"AttributeName": "feedback_id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "feedback_id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    for name, value in {"ORIGINALS_TABLE": "originals", "ORIGINAL_DAYS": "30", "WEBHOOK_SECRET_PREFIX": PREFIX}.items():
        monkeypatch.setenv(name, value)
    _forget()
    secrets = boto3.client("secretsmanager")

    def add(name="acme", **source):
        text = json.dumps({"kind": "feedback", "secrets": [SECRET], **source})
        return secrets.create_secret(Name=PREFIX + name, SecretString=text)["ARN"]

    yield add
    _forget()


def _forget():
    for module in (handler, accepting):
        for value in vars(module).values():
            if hasattr(value, "cache_clear"):
                value.cache_clear()


def request(body, /, *, source="acme", key=KEY, id_="msg_1", at=None, **changes):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    at = str(int(time.time()) if at is None else at)
    digest = hmac.new(key, f"{id_}.{at}.".encode() + raw, hashlib.sha256).digest()
    signature = "v1," + base64.b64encode(digest).decode()
    return {
        "resource": "/v1/webhooks/{source}",
        "httpMethod": "POST",
        "pathParameters": {"source": source},
        "headers": {"Webhook-Id": id_, "Webhook-Timestamp": at, "Webhook-Signature": signature},
        "body": base64.b64encode(raw).decode(),
        "isBase64Encoded": True,
        **changes,
    }


def post(event):
    answer = handler.handle(event, FakeContext())
    return answer["statusCode"], json.loads(answer["body"])


def queued(queue_url):
    sqs = boto3.client("sqs")
    attributes = sqs.get_queue_attributes(
        QueueUrl=queue_url, AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed"]
    )["Attributes"]
    return sum(int(value) for value in attributes.values())


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_golden_event_is_in_the_ledger_and_the_queue_once_however_often_it_comes(path, webhooks, table, queue_url):
    golden = json.loads(path.read_text(encoding="utf-8"))
    webhooks(**golden["source"])
    expected = len(golden["documents"])
    for _ in range(2):
        assert post(request(golden["event"])) == (202, {"accepted": expected, "refused": 0})
    items = table.scan()["Items"]
    assert len(items) == expected
    assert {item["event"]["channel"] for item in items} == {document["channel"] for document in golden["documents"]}
    assert bool(queued(queue_url)) == bool(expected)


def test_a_body_is_signed_as_text_too(webhooks, table):
    webhooks()
    body = '{"text": "Größe fällt klein aus"}'
    assert post(request(body.encode(), body=body, isBase64Encoded=False))[0] == 202
    (item,) = table.scan()["Items"]
    assert item["event"]["text"] == "Größe fällt klein aus"


def test_where_something_of_an_event_is_refused_the_rest_is_accepted(webhooks, table):
    webhooks()
    event = {"items": [{"text": "fine"}, {"text": "", "channel": "web"}, {"text": "x", "rating": 9}]}
    assert post(request(event)) == (202, {"accepted": 1, "refused": 2})
    assert len(table.scan()["Items"]) == 1
    status, problem = post(request({"text": ""}, id_="msg_2"))
    assert status == 422
    assert problem["type"] == "urn:earshot:problem:unusable"


STRANGERS = {
    "another key": lambda: request({"text": "x"}, key=b"x" * 24),
    "no such source": lambda: request({"text": "x"}, source="nobody"),
    "no source": lambda: request({"text": "x"}, pathParameters=None),
    "a path for a source": lambda: request({"text": "x"}, source="../alerts/acme"),
    "old": lambda: request({"text": "x"}, at=int(time.time()) - 301),
    "from the future": lambda: request({"text": "x"}, at=int(time.time()) + 310),
    "no headers": lambda: request({"text": "x"}, headers=None),
    "no body": lambda: request({"text": "x"}, body=None),
    "another body": lambda: request({"text": "x"}, body=base64.b64encode(b"{}").decode()),
    "no base64": lambda: request({"text": "x"}, body="%%%"),
    "lone surrogates": lambda: request({"text": "x"}, body="\ud800", isBase64Encoded=False),
}


@pytest.mark.parametrize("stranger", STRANGERS.values(), ids=STRANGERS)
def test_a_stranger_is_told_401_and_nothing_more(stranger, webhooks, table):
    webhooks()
    status, problem = post(stranger())
    assert status == 401
    assert problem["type"] == "urn:earshot:problem:unauthorized"
    assert table.scan()["Items"] == []


def test_a_replayed_request_has_no_second_effect(webhooks, table, queue_url):
    webhooks()
    event = request({"text": "Too tight"})
    assert post(event)[0] == post(event)[0] == 202
    assert len(table.scan()["Items"]) == 1


def test_a_secret_that_is_rotated_works_at_once(webhooks, monkeypatch):
    arn = webhooks()
    assert post(request({"text": "a"}))[0] == 202
    new = b"n" * 24
    secrets = [f"whsec_{base64.b64encode(new).decode()}", SECRET]
    boto3.client("secretsmanager").put_secret_value(
        SecretId=arn, SecretString=json.dumps({"kind": "feedback", "secrets": secrets})
    )
    later = time.monotonic() + 60
    monkeypatch.setattr(handler._receiver().sources, "_clock", lambda: later)
    assert post(request({"text": "b"}, key=new, id_="msg_2"))[0] == 202
    assert post(request({"text": "c"}, key=KEY, id_="msg_3"))[0] == 202


def test_without_the_ledger_the_sender_is_told_to_send_again(webhooks, table):
    webhooks()
    assert post(request({"text": "a"}))[0] == 202
    table.delete()
    status, problem = post(request({"text": "b"}, id_="msg_2"))
    assert (status, problem["type"]) == (503, "urn:earshot:problem:unavailable")


HOSTILE = [
    b"",
    b"null",
    b"{",
    b'{"text": NaN}',
    b'{"a": ' + b"9" * 5_000 + b"}",
    b"[" * 100_000,
    b'{"text":' * 5_000,
    b'{"text": "a", "text": "b"}',
    b"\xff\xfe\x00",
    b'{"text": "\\ud800"}',
    b'{"text": "\\u0000"}',
    json.dumps({"text": "x" * 10_001}).encode(),
    json.dumps({"text": "x", "metadata": {str(number): "v" for number in range(30)}}).encode(),
    json.dumps({"text": "x", "metadata": []}).encode(),
    json.dumps({"text": "x", "metadata": {"k": 1}}).encode(),
    json.dumps({"text": "x", "__proto__": {}, "channel": "web"}).encode(),
    json.dumps({"text": "x", "rating": True}).encode(),
    json.dumps({"text": "x", "channel": ["web"]}).encode(),
    json.dumps({"items": []}).encode(),
    json.dumps({"items": [{"text": "x"}] * 101}).encode(),
    b'{"text": "' + b"x" * 1_100_000 + b'"}',
]


@pytest.mark.parametrize("kind", ["feedback", "chat", "review", "mention"])
def test_no_signed_body_is_answered_5xx_or_raises(kind, webhooks, capsys):
    webhooks(kind=kind)
    for number, body in enumerate(HOSTILE):
        status, answer = post(request(body, id_=f"msg_{number}"))
        assert status < 500, (number, answer)
        assert "Traceback" not in json.dumps(answer)
    assert "xxxx" not in capsys.readouterr().out


def test_wrong_settings_are_a_failure_of_ours_and_say_nothing(webhooks, monkeypatch):
    monkeypatch.delenv("LEDGER_TABLE")
    _forget()
    status, problem = post(request({"text": "a"}))
    assert (status, problem["type"]) == (500, "urn:earshot:problem:internal")
