"""The vectors are those of the Standard Webhooks libraries and of Slack's documentation."""

import base64
import hashlib
import hmac
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.channels.webhooks.signature import TOLERANCE_SECONDS, Scheme, UnsignedError, read_claim, read_key

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
AT = "1614265330"
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
KEY = read_key(SECRET, Scheme.STANDARD)
OTHER = read_key("whsec_" + base64.b64encode(b"another key of 24 bytes!").decode(), Scheme.STANDARD)

SLACK_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
SLACK_AT = "1531420618"
SLACK_BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar"
    b"&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com"
    b"%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121."
    b"803a0bc887a14d10d2c447fce8b6703c"
)
SLACK_SIGNATURE = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"


def headers(signature=SIGNATURE, *, id_=ID, at=AT):
    return {"Webhook-Id": id_, "webhook-timestamp": at, "WEBHOOK-SIGNATURE": signature}


def sign(body, *, key=KEY, id_=ID, at=AT):
    digest = hmac.new(key, f"{id_}.{at}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def test_the_official_vector_is_right():
    read_claim(headers()).check(BODY, [KEY])


def test_slacks_own_example_is_right():
    claim = read_claim({"X-Slack-Signature": SLACK_SIGNATURE, "X-Slack-Request-Timestamp": SLACK_AT})
    assert claim.scheme is Scheme.SLACK
    claim.check(SLACK_BODY, [read_key(SLACK_SECRET, Scheme.SLACK)])


def test_a_secret_is_read_with_and_without_its_prefix_and_padding():
    padded = base64.b64encode(b"a key of twenty-five byte").decode()
    expected = b"a key of twenty-five byte"
    assert read_key(f"whsec_{padded}", Scheme.STANDARD) == expected
    assert read_key(padded.rstrip("="), Scheme.STANDARD) == expected


@pytest.mark.parametrize("secret", ["whsec_", "whsec_!!!", "whsec_c2hvcnQ=", "whsec_ключ", "x"])
def test_a_secret_that_is_weak_or_garbled_is_none(secret):
    with pytest.raises(ValueError):
        read_key(secret, Scheme.STANDARD)


@pytest.mark.parametrize(
    "signatures",
    [
        f"v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= {SIGNATURE}",
        f"{SIGNATURE} v2,something",
        f"v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg== {SIGNATURE}",
        f"garbled {SIGNATURE}",
        f"v1,???? {SIGNATURE}",
        f", {SIGNATURE}",
    ],
)
def test_one_right_signature_among_several_is_enough(signatures):
    read_claim(headers(signatures)).check(BODY, [KEY])


def test_both_keys_sign_while_they_are_rotated():
    read_claim(headers()).check(BODY, [OTHER, KEY])
    read_claim(headers(sign(BODY, key=OTHER))).check(BODY, [OTHER, KEY])


@pytest.mark.parametrize(
    ("claim", "body", "keys"),
    [
        (headers(), BODY + b" ", [KEY]),
        (headers(), BODY, [OTHER]),
        (headers(), BODY, []),
        (headers(id_="msg_other"), BODY, [KEY]),
        (headers(at="1614265331"), BODY, [KEY]),
    ],
)
def test_what_was_not_signed_so_is_refused(claim, body, keys):
    with pytest.raises(UnsignedError):
        read_claim(claim).check(body, keys)


GARBLED = [
    {},
    {"webhook-id": ID},
    {"webhook-id": ID, "webhook-timestamp": AT},
    headers(""),
    headers(" "),
    headers("v1"),
    headers("v1,"),
    headers("v1,not base64"),
    headers("v1,ÿ"),
    headers("v1," + base64.b64encode(b"short").decode()),
    headers("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1O"),
    headers("v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
    headers("v1," + "A" * 10_000),
    headers("v1,A " * 5_000),
    headers(",,,, ,,, v1"),
    headers(id_=""),
    headers(id_="a\nb"),
    headers(id_="é"),
    headers(id_="a" * 257),
    headers(at=""),
    headers(at="now"),
    headers(at="-1"),
    headers(at="1e9"),
    headers(at="1614265330.0"),
    headers(at="٣٤٥"),
    headers(at=" 1614265330"),
    headers(at="9" * 5_000),
    {"webhook-id": None, "webhook-timestamp": 3, "webhook-signature": ["v1"]},
    {"x-slack-signature": SLACK_SIGNATURE},
    {"x-slack-signature": "v0=", "x-slack-request-timestamp": SLACK_AT},
    {"x-slack-signature": "v0=" + "g" * 64, "x-slack-request-timestamp": SLACK_AT},
    {"x-slack-signature": SLACK_SIGNATURE.upper(), "x-slack-request-timestamp": SLACK_AT},
    {"x-slack-signature": SLACK_SIGNATURE + "\n", "x-slack-request-timestamp": SLACK_AT},
]


@pytest.mark.parametrize("garbled", GARBLED)
def test_garbled_headers_are_unsigned_and_nothing_else(garbled):
    with pytest.raises(UnsignedError):
        read_claim(garbled)


@given(st.dictionaries(st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature"]), st.text()), st.text())
def test_no_header_a_stranger_can_write_raises_anything_else(written, slack):
    for stranger in (written, {"x-slack-signature": slack, "x-slack-request-timestamp": slack}):
        try:
            read_claim(stranger).check(BODY, [KEY])
        except UnsignedError:
            continue


@pytest.mark.parametrize(
    ("late_seconds", "is_timely"), [(0, True), (300, True), (-300, True), (301, False), (-301, False)]
)
def test_a_message_is_timely_for_five_minutes_either_way(late_seconds, is_timely):
    claim = read_claim(headers())
    if is_timely:
        claim.check_time(int(AT) + late_seconds)
    else:
        with pytest.raises(UnsignedError):
            claim.check_time(int(AT) + late_seconds)
    assert TOLERANCE_SECONDS == 300


@given(st.binary(max_size=200), st.binary(min_size=16, max_size=64))
def test_the_reference_library_and_we_agree(body, key):
    reference = pytest.importorskip("standardwebhooks").Webhook(key)
    text = body.decode("utf-8", "replace")
    now = datetime.now(UTC)
    signature = reference.sign(msg_id=ID, timestamp=now, data=text)
    claim = read_claim(headers(signature, at=str(int(now.timestamp()))))
    claim.check_time(time.time())
    claim.check(text.encode(), [key])
    ours = {"webhook-id": ID, "webhook-timestamp": AT, "webhook-signature": sign(text.encode(), key=key)}
    ours["webhook-timestamp"] = str(int(time.time()))
    ours["webhook-signature"] = sign(text.encode(), key=key, at=ours["webhook-timestamp"])
    reference.verify(text, ours, json_parse=False)
