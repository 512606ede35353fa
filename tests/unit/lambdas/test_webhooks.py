"""Pushed events, from their signature to the documents delivered. The golden events are in tests/golden/webhooks."""

import base64
import hashlib
import hmac
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback.problem import Problem
from lambdas.aws.secret import SecretUnavailableError
from lambdas.channels.mapping import UnusableEventError
from lambdas.channels.webhooks.kinds import CHANNELS, MAPPERS
from lambdas.channels.webhooks.receiving import BODY_LIMIT_BYTES, Receiver, RefusedEventError
from lambdas.channels.webhooks.signature import UnsignedError
from lambdas.channels.webhooks.sources import KEEP_SECONDS, Source, Sources, WrongSourceError, read_source
from lambdas.intake.request import read_feedback

GOLDEN = sorted((Path(__file__).resolve().parents[2] / "golden" / "webhooks").glob("*.json"))
KEY = b"k" * 24
OLD_KEY = b"o" * 24
NOW = 1_772_359_200


def secret(key):
    return "whsec_" + base64.b64encode(key).decode()


def sign(body, *, key=KEY, id_="msg_1", at=NOW):
    digest = hmac.new(key, f"{id_}.{at}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": id_,
        "webhook-timestamp": str(at),
        "webhook-signature": "v1," + base64.b64encode(digest).decode(),
    }


class FakeSources:
    def __init__(self, **sources):
        self.sources = sources
        self.renewed = {}

    def find(self, name, *, afresh=False):
        return self.renewed.get(name, self.sources.get(name)) if afresh else self.sources.get(name)


class Harness:
    """A receiver with one source, ``acme``, and what it delivered."""

    def __init__(self, source):
        self.delivered = []
        self.sources = FakeSources(acme=source)
        self.receiver = Receiver(sources=self.sources, deliver=self._deliver, now=lambda: NOW)

    def _deliver(self, documents):
        self.delivered += documents
        return [object() for _ in documents]

    def receive(self, event, *, name="acme", **signing):
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        return self.receiver.receive(name, sign(body, **signing), body)


def source(kind="feedback", **changes):
    return Source(**{"kind": kind, "secrets": (secret(KEY), secret(OLD_KEY)), **changes})


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_golden_event_becomes_the_documents_written_beside_it(path):
    golden = json.loads(path.read_text(encoding="utf-8"))
    harness = Harness(read_source(json.dumps({"secrets": [secret(KEY)], **golden["source"]})))
    harness.receive(golden["event"])
    ids = [document.pop("id") for document in harness.delivered]
    assert harness.delivered == golden["documents"]
    assert len(set(ids)) == len(ids)
    for document, id_ in zip(harness.delivered, ids, strict=True):
        assert read_feedback({**document, "id": id_})  # conforms to the schema


def test_a_partners_odd_fields_do_not_cost_what_a_customer_said():
    harness = Harness(source("review"))
    odd = {"sku": "x" * 129, "author": {"id": "jane@shop.example"}, "lang": "q" * 40, "rating": 9, "url": "u" * 600}
    harness.receive({"data": {"text": "y" * 10_001, **odd}})
    (document,) = harness.delivered
    assert read_feedback(document)
    assert set(document) == {"id", "channel", "text", "customer_ref", "metadata"}
    assert len(document["text"]) == 10_000
    assert "@" not in document["customer_ref"]
    assert document["metadata"]["shortened"] == "true"


def test_every_kind_has_a_channel_and_a_golden_event():
    assert set(CHANNELS) == set(MAPPERS)
    assert {json.loads(path.read_text(encoding="utf-8"))["source"]["kind"] for path in GOLDEN} == set(MAPPERS)


def test_the_same_message_has_the_same_ids_however_often_it_comes_and_another_has_others():
    harness = Harness(source())
    event = {"items": [{"text": "a"}, {"text": "b"}]}
    for id_ in ("msg_1", "msg_1", "msg_2"):
        harness.receive(event, id_=id_)
    first, again, other = ({document["id"] for document in harness.delivered[at : at + 2]} for at in (0, 2, 4))
    assert first == again
    assert not first & other


def test_both_secrets_of_a_source_sign():
    harness = Harness(source())
    harness.receive({"text": "a"}, key=KEY)
    harness.receive({"text": "a"}, key=OLD_KEY)
    assert len(harness.delivered) == 2


def test_a_new_key_works_at_once():
    harness = Harness(source(secrets=(secret(OLD_KEY),)))
    harness.sources.renewed["acme"] = source(secrets=(secret(KEY),))
    harness.receive({"text": "a"})
    assert len(harness.delivered) == 1


@pytest.mark.parametrize("late_seconds", [-301, 301])
def test_an_old_or_a_future_message_is_refused(late_seconds):
    with pytest.raises(UnsignedError):
        Harness(source()).receive({"text": "a"}, at=NOW + late_seconds)


@pytest.mark.parametrize("name", ["nobody", "", "ACME", "acme/../acme", "a" * 64, "\x00"])
def test_an_unknown_source_answers_as_a_wrong_signature_does(name):
    with pytest.raises(UnsignedError):
        Harness(source()).receive({"text": "a"}, name=name)


def test_a_strangers_event_is_not_even_read():
    harness = Harness(source())
    with pytest.raises(UnsignedError):
        harness.receive(b"[" * 100_000, key=b"x" * 24)


def test_slacks_address_check_is_answered_and_nothing_is_delivered():
    harness = Harness(source("chat"))
    received = harness.receive(
        {"type": "url_verification", "challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"}
    )
    assert received.challenge == "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"
    assert harness.delivered == []


def test_a_message_signed_by_slack_is_known_by_its_event_id():
    harness = Harness(source("chat", secrets=("8f742231b10e8888abcd99yyyzzz85a5",)))
    event = {"type": "event_callback", "event_id": "Ev1", "event": {"type": "message", "user": "U1", "text": "Help"}}

    def receive(event, at):
        body = json.dumps(event).encode()
        digest = hmac.new(b"8f742231b10e8888abcd99yyyzzz85a5", f"v0:{at}:".encode() + body, hashlib.sha256)
        headers = {"X-Slack-Signature": "v0=" + digest.hexdigest(), "X-Slack-Request-Timestamp": str(at)}
        harness.receiver.receive("acme", headers, body)

    receive(event, NOW)
    receive(event, NOW + 60)
    assert len({document["id"] for document in harness.delivered}) == 1
    with pytest.raises(RefusedEventError):
        receive({key: value for key, value in event.items() if key != "event_id"}, NOW)


def refusal(harness, body) -> Problem | None:
    try:
        harness.receive(body)
    except RefusedEventError as error:
        return error.problem
    return None


BAD_EVENTS = [
    b"",
    b"{",
    b'{"text": NaN}',
    b'{"text": 1e999}',
    b'{"text": "a", "text": "b"}',
    b'{"n": ' + b"9" * 5_000 + b"}",
    b"[" * 100_000,
    b'{"a":' * 5_000,
    b"\xff\xfe",
    b"\xef\xbb\xbf{}",
    '{"text": "a"}'.encode("utf-16"),
    b"null",
    b"3",
    b'"text"',
    b"[]",
    b"[1, 2]",
    b'{"items": [1]}',
    b'{"data": {"items": [{"text": "a"}, null]}}',
    b" " * (BODY_LIMIT_BYTES + 1),
    json.dumps({"items": [{"text": "a"}] * 101}).encode(),
    json.dumps({"event": {"type": "message", "text": 3}}).encode(),
    json.dumps({"data": {"text": ["a"]}}).encode(),
    json.dumps({"review": {"rating": 5}}).encode(),
    json.dumps({"mentions": [{"content": "   "}]}).encode(),
]


@pytest.mark.parametrize("kind", list(MAPPERS))
@pytest.mark.parametrize("body", BAD_EVENTS, ids=range(len(BAD_EVENTS)))
def test_a_signed_event_that_says_nothing_is_refused_with_a_problem_or_left_to_the_schema(kind, body):
    harness = Harness(source(kind))
    problem = refusal(harness, body)
    if problem is not None:
        assert 400 <= problem.status < 500
        assert harness.delivered == []


NAMES = [
    *("data", "items", "event", "type", "text", "body", "id", "rating", "rating_max", "metadata", "review", "mention"),
    *("user", "author", "lang", "title", "sku", "content", "url", "message", "event_id"),
]

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(NAMES),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)


@given(JSON_VALUES, st.sampled_from(list(MAPPERS)))
def test_no_event_raises_anything_but_that_it_is_unusable(event, kind):
    try:
        documents = MAPPERS[kind](event, {})
    except UnusableEventError:
        return
    json.dumps(documents)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        '{"kind": "nonsense", "secrets": ["x234567890123456"]}',
        '{"kind": "review"}',
        '{"kind": "review", "secrets": []}',
        '{"kind": "review", "secrets": "whsec_x"}',
        '{"kind": "review", "secrets": ["a", "b", "c", "d", "e"]}',
        '{"kind": "review", "secrets": [1]}',
        '{"kind": "review", "secrets": ["too short"]}',
        '{"kind": "review", "secrets": ["whsec_no base64 at all, whatever its length"]}',
        '{"kind": "review", "secrets": ["x234567890123456"], "defaults": {"id": "1"}}',
        '{"kind": "review", "secrets": ["x234567890123456"], "defaults": {"category": 3}}',
        '{"kind": "review", "secrets": ["x234567890123456"], "fields": ["text"]}',
        '{"kind": ["review"], "secrets": ["x234567890123456"]}',
    ],
)
def test_a_source_declared_wrongly_is_none_and_its_secret_is_not_quoted(text):
    with pytest.raises(WrongSourceError) as caught:
        read_source(text)
    assert "whsec_" not in str(caught.value)


def test_a_sources_secrets_show_in_no_representation():
    assert "whsec_" not in repr(source())


class FakeStore:
    def __init__(self, **texts):
        self.texts = texts
        self.asked = []
        self.is_down = False

    def find(self, name):
        self.asked.append(name)
        if self.is_down:
            raise SecretUnavailableError
        return self.texts.get(name)


class Clock:
    seconds = 0.0

    def __call__(self):
        return self.seconds


def test_sources_are_kept_for_minutes_and_outlive_an_outage():
    store, clock = FakeStore(acme=json.dumps({"kind": "review", "secrets": [secret(KEY)]})), Clock()
    sources = Sources(store=store, clock=clock)
    assert sources.find("acme") is sources.find("acme")
    assert sources.find("nobody") is None
    assert sources.find("nobody") is None
    assert store.asked == ["acme", "nobody"]
    clock.seconds = KEEP_SECONDS + 1
    store.is_down = True
    assert sources.find("acme") is not None
    assert store.asked == ["acme", "nobody", "acme"]


def test_guessing_keys_does_not_read_secrets_at_every_try():
    store, clock = FakeStore(acme=json.dumps({"kind": "review", "secrets": [secret(KEY)]})), Clock()
    sources = Sources(store=store, clock=clock)
    for _ in range(50):
        sources.find("acme", afresh=True)
    assert len(store.asked) == 1
    clock.seconds = 31
    sources.find("acme", afresh=True)
    assert len(store.asked) == 2


def test_a_flood_of_names_is_not_remembered_for_ever():
    sources = Sources(store=FakeStore(), clock=Clock())
    for number in range(1_000):
        sources.find(f"name-{number}")
    assert len(sources._kept) == 200


def test_a_source_declared_wrongly_is_reported_without_its_text(capsys):
    assert Sources(store=FakeStore(acme='{"kind": "x", "secrets": ["whsec_abc"]}'), clock=Clock()).find("acme") is None
    assert "whsec_" not in capsys.readouterr().out
