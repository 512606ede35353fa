"""Mails: what real programs write, what no customer wrote, and what strangers make up."""

from __future__ import annotations

import base64
import json
import re
import time
from contextlib import suppress
from pathlib import Path

import pytest

from feedback.schema import feedback_schema
from lambdas.channels import pseudonym
from lambdas.channels.batch import UnusableObjectError
from lambdas.channels.delivery import NotDeliveredError
from lambdas.channels.email.html_text import to_text
from lambdas.channels.email.mail import SIZE_LIMIT_BYTES, read_mail
from lambdas.channels.email.replies import bare_subject, own_words
from lambdas.channels.email.taking import EmailChannel
from tests.unit.lambdas.dropped import FakeAcceptance, FakeBucket, delivery, dropped

GOLDEN = Path(__file__).parents[2] / "golden" / "email"
EXPECTED = json.loads((GOLDEN / "expected.json").read_text(encoding="utf-8"))
FROM = b"From: Ann <ann@customer.example>\r\nTo: feedback@shop.example\r\nSubject: Hi\r\nMessage-ID: <1@x>\r\n"
KEY = "email/abc123"
ADDRESS_OR_NUMBER = re.compile(r"ann@|customer\.example|\+44")


def take(raw, acceptance=None, *, key=KEY, refuses_unverified=False):
    channel = EmailChannel(
        bucket=FakeBucket({key: raw}), delivery=delivery(acceptance), refuses_unverified=refuses_unverified
    )
    return dict(channel.take(dropped(key, raw)))


def golden(name):
    return (GOLDEN / f"{name}.eml").read_bytes()


@pytest.mark.parametrize("name", [name for name, what in EXPECTED.items() if "text" in what])
def test_of_a_mail_only_what_its_sender_wrote_is_taken(name):
    acceptance = FakeAcceptance()
    assert take(golden(name), acceptance)["Accepted"] == 1
    (event,) = acceptance.events
    assert event.text == EXPECTED[name]["text"]
    assert event.product_id == EXPECTED[name]["product_id"]
    assert event.channel == "email"
    assert event.metadata["sender"] == EXPECTED[name]["sender"]
    assert event.metadata.get("attachments") == EXPECTED[name].get("attachments")
    assert event.metadata["source"] == KEY


@pytest.mark.parametrize("name", [name for name, what in EXPECTED.items() if "metric" in what])
def test_a_mail_that_no_customer_wrote_is_counted_and_not_taken(name, capsys):
    acceptance = FakeAcceptance()
    assert take(golden(name), acceptance) == {EXPECTED[name]["metric"]: 1}
    assert not acceptance.entries
    assert not ADDRESS_OR_NUMBER.search(capsys.readouterr().out)


def test_the_customer_is_known_by_a_reference_that_is_no_address():
    acceptance = FakeAcceptance()
    take(golden("gmail_en"), acceptance)
    (event,) = acceptance.events
    assert event.customer_ref == pseudonym.of_address("ANN@customer.example")
    assert re.fullmatch("mail-[0-9a-f]{32}", event.customer_ref)


def test_what_a_false_sender_wrote_is_put_down_to_nobody():
    acceptance = FakeAcceptance()
    take(golden("spoofed_sender"), acceptance)
    assert acceptance.events[0].customer_ref is None


def test_a_false_sender_is_refused_where_the_setting_says_so():
    acceptance = FakeAcceptance()
    assert take(golden("spoofed_sender"), acceptance, refuses_unverified=True) == {"Refused": 1}
    assert take(golden("gmail_en"), acceptance, refuses_unverified=True)["Accepted"] == 1


def test_a_verdict_that_came_with_the_mail_is_not_believed():
    forged = golden("spoofed_sender").replace(
        b"From: Ann", b"Authentication-Results: amazonses.com; dmarc=pass\r\nX-SES-Virus-Verdict: PASS\r\nFrom: Ann", 1
    )
    acceptance = FakeAcceptance()
    take(forged, acceptance)
    assert acceptance.events[0].metadata["sender"] == "false"
    assert take(FROM + b"Authentication-Results: evil.example; dmarc=pass\r\n\r\nhello", acceptance)["Accepted"] == 1
    assert acceptance.events[1].metadata["sender"] == "unknown"


def test_the_same_mail_delivered_twice_is_one_feedback():
    acceptance = FakeAcceptance()
    take(golden("gmail_en"), acceptance)
    assert take(golden("gmail_en"), acceptance) == {"Accepted": 0, "Replayed": 1}
    assert take(golden("gmail_en"), acceptance, key="email/other") == {"Accepted": 0, "Replayed": 1}
    assert len(acceptance.entries) == 1


def test_another_mail_with_a_borrowed_message_id_is_not_lost():
    acceptance = FakeAcceptance()
    take(FROM + b"\r\nThe first.", acceptance)
    take(FROM + b"\r\nThe second.", acceptance)
    assert [event.text for event in acceptance.events] == ["Hi\n\nThe first.", "Hi\n\nThe second."]


def test_when_the_ledger_is_away_the_mail_comes_again():
    acceptance = FakeAcceptance()
    acceptance.is_away = True
    with pytest.raises(NotDeliveredError):
        take(golden("gmail_en"), acceptance)


def test_the_note_that_ses_leaves_is_ignored():
    assert take(b"From: aws\r\n\r\nhello", key="email/AMAZON_SES_SETUP_NOTIFICATION") == {"Ignored": 1}


@pytest.mark.parametrize(
    ("recipients", "product"),
    [
        (b"feedback+P-1@shop.example", "P-1"),
        (b"Other <x@y.example>, Shop <feedback+SKU.9_a@shop.example>", "SKU.9_a"),
        (b"feedback+@shop.example", None),
        (b"feedback+a/b@shop.example", None),
        (b"feedback@shop.example", None),
        (b'"feedback+P-2@shop.example" <feedback@shop.example>', None),
    ],
)
def test_the_product_stands_behind_the_plus_of_the_address(recipients, product):
    acceptance = FakeAcceptance()
    raw = FROM.replace(b"feedback@shop.example", recipients)
    take(raw + b"\r\nSo so.", acceptance)
    assert acceptance.events[0].product_id == product


def test_a_very_long_mail_is_cut_and_says_so():
    acceptance = FakeAcceptance()
    take(FROM + b"\r\n" + b"Bad. " * 10_000, acceptance)
    (event,) = acceptance.events
    assert len(event.text) == feedback_schema()["properties"]["text"]["maxLength"]
    assert event.metadata["cut"] == "true"


def nested(depth):
    """A multipart within a multipart within ..."""
    levels = (
        b'--b%d\r\nContent-Type: multipart/mixed; boundary="b%d"\r\n\r\n' % (level, level + 1) for level in range(depth)
    )
    return FROM + b'Content-Type: multipart/mixed; boundary="b0"\r\n\r\n' + b"".join(levels)


def multipart(*parts, kind=b"mixed"):
    body = b"".join(b"--b\r\n" + part + b"\r\n" for part in parts)
    return FROM + b'Content-Type: multipart/%s; boundary="b"\r\n\r\n' % kind + body + b"--b--\r\n"


PLAIN = b"Content-Type: text/plain\r\n\r\nIt broke."

NESTED = {
    "multiparts 1,000 deep": nested(1_000),
    "multiparts 100,000 deep": nested(100_000)[:SIZE_LIMIT_BYTES],
    "100,000 parts": multipart(*[b"\r\n"] * 100_000),
    "mails 1,000 deep": FROM + b"Content-Type: message/rfc822\r\n\r\n" * 1_000,
    "folded types 1,000 deep": nested(1_000).replace(b"Content-Type: ", b"Content-Type:\r\n "),
    "alternatives 500 deep": nested(500).replace(b"mixed", b"alternative"),
    "digests 500 deep": nested(500).replace(b"mixed", b"digest"),
    "20,000 empty parts": multipart(*[b"Content-Type: text/plain\r\n"] * 20_000),
    "one boundary for all": (FROM + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n') * 300,
    "partial mails 300 deep": FROM + b"Content-Type: message/partial\r\n\r\n" * 300,
}
UNPARSABLE = {
    "nothing": b"",
    "blank": b"\r\n \r\n",
    "no mail": b"\x00\x01\x02" * 100,
    "a JSON document": b'{"text": "It broke."}',
    "a zip": b"PK\x03\x04" + bytes(range(256)),
    "a body only": b"\r\nIt broke.",
    "a header that tells nothing": b"X-Foo: 1\r\n\r\nIt broke.",
    "zeros": bytes(10_000),
    "HTML": b"<html>It broke.</html>",
    "a boundary with a huge number": FROM
    + b"Content-Type: multipart/mixed; boundary*"
    + b"9" * 5_000
    + b"=b\r\n\r\nIt broke.",
    "gzip": b"\x1f\x8b\x08" + b"x" * 100,
}
READABLE = {
    "no charset": FROM + b"Content-Type: text/plain\r\n\r\nGr\xc3\xb6\xc3\x9fe broke.",
    "unknown charset": FROM + b"Content-Type: text/plain; charset=x-klingon\r\n\r\nIt broke.",
    "charset that is a codec": FROM + b"Content-Type: text/plain; charset=zlib\r\n\r\nIt broke.",
    "charset that is slow": FROM + b"Content-Type: text/plain; charset=punycode\r\n\r\nIt broke." + b"-a9" * 60_000,
    "wrong charset": FROM + b"Content-Type: text/plain; charset=utf-8\r\n\r\nIt broke. \xff\xfe\xe9",
    "charset without a name": FROM + b"Content-Type: text/plain; charset=\r\n\r\nIt broke.",
    "charset of many letters": FROM + b"Content-Type: text/plain; charset=" + b"a" * 9_000 + b"\r\n\r\nIt broke.",
    "broken base64": FROM + b"Content-Transfer-Encoding: base64\r\n\r\nIt broke, not base64!",
    "broken quoted-printable": FROM + b"Content-Transfer-Encoding: quoted-printable\r\n\r\nIt broke =XX =",
    "unknown transfer encoding": FROM + b"Content-Transfer-Encoding: zip\r\n\r\nIt broke.",
    "boundary that is missing": FROM + b"Content-Type: multipart/mixed\r\n\r\nIt broke.",
    "boundary that is never closed": multipart(PLAIN).replace(b"--b--", b""),
    "headers without an end": FROM + b"X: It broke.\r\n" * 10_000,
    "subject of encoded words": FROM.replace(b"Hi", b"=?utf-8?q?" + b"=41" * 20_000 + b"?=") + b"\r\nIt broke.",
    "subject with a broken word": FROM.replace(b"Hi", b"=?utf-8?b?!!!?= =?x?y?z") + b"\r\nIt broke.",
    "sender of brackets": FROM.replace(b"Ann", b"(" * 20_000) + b"\r\nIt broke.",
    "sender without an address": FROM.replace(b"Ann <ann@customer.example>", b"undisclosed") + b"\r\nIt broke.",
    "many recipients": FROM.replace(b"To: ", b"To: " + b"a@b.example," * 20_000) + b"\r\nIt broke.",
    "NUL": FROM + b"\r\nIt \x00broke.",
    "bare carriage returns": FROM + b"\r\nIt\rbroke.\r",
    "nested types": FROM + b'Content-Type: text/plain; name="a;b=\\"c"; charset="utf-8\r\n\r\nIt broke.',
    "a mail within": multipart(PLAIN, b"Content-Type: message/rfc822\r\n\r\n" + FROM + b"\r\nNot mine."),
    "a file named so": multipart(PLAIN, b'Content-Type: text/plain; name="../../etc/passwd"\r\n\r\nNot mine.'),
    "a broken name": multipart(PLAIN, b"Content-Disposition: attachment; filename*=utf-8''%ff%fe\r\n\r\nNot mine."),
    "HTML where plain says so": multipart(
        b"Content-Type: text/plain\r\n\r\nThis message requires an HTML capable program.",
        b"Content-Type: text/html\r\n\r\n<p>It broke.</p>",
        kind=b"alternative",
    ),
}


@pytest.mark.parametrize("raw", NESTED.values(), ids=NESTED)
def test_a_bomb_of_parts_ends_quickly(raw):
    began = time.perf_counter()
    with suppress(UnusableObjectError):
        take(raw)
    assert time.perf_counter() - began < 2.0


@pytest.mark.parametrize("raw", UNPARSABLE.values(), ids=UNPARSABLE)
def test_what_is_no_mail_goes_to_the_dead_letters_with_its_reason(raw):
    with pytest.raises(UnusableObjectError) as raised:
        take(raw)
    assert raised.value.reason


@pytest.mark.parametrize("raw", READABLE.values(), ids=READABLE)
def test_a_broken_mail_still_says_what_it_can(raw):
    acceptance = FakeAcceptance()
    began = time.perf_counter()
    take(raw, acceptance)
    assert time.perf_counter() - began < 2.0
    for event in acceptance.events:
        assert "Not mine" not in event.text
        assert "\x00" not in event.text


def test_most_broken_mails_are_taken_all_the_same():
    for name in set(READABLE) - {"broken base64", "headers without an end", "nested types"}:
        acceptance = FakeAcceptance()
        take(READABLE[name], acceptance)
        assert [event.text for event in acceptance.events if "broke" in event.text], name


def test_every_mail_cut_off_anywhere_is_taken_or_refused():
    for name in EXPECTED:
        raw = golden(name)
        for end in range(0, len(raw), 37):
            try:
                take(raw[:end])
            except UnusableObjectError:
                continue


def test_a_large_attachment_is_not_read():
    attachment = base64.encodebytes(bytes(3 * SIZE_LIMIT_BYTES // 4)) * 2
    raw = multipart(PLAIN, b"Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n" + attachment)
    acceptance = FakeAcceptance()
    take(raw, acceptance)
    assert acceptance.events[0].text == "Hi\n\nIt broke."


HOSTILE_LINES = {
    "introductions": "On x\n" * 40_000,
    "labels": "From: a\n" * 25_000,
    "rules": "__________\n" * 18_000,
    "signatures": "a\n" + "-- \n" * 50_000,
    "line ends": "\n" * 200_000,
    "dashes": "-" * 200_000,
    "quotes": ">" * 200_000,
    "stars": "*" * 200_000,
    "addresses": "a@" * 100_000,
    "words of writing": "On a wrote" * 20_000,
    "colons": "On 2026 a@b.c:\n" * 13_000,
    "old messages": "original message " * 11_000,
}


@pytest.mark.parametrize("text", HOSTILE_LINES.values(), ids=HOSTILE_LINES)
def test_cutting_is_linear_whatever_the_lines(text):
    began = time.perf_counter()
    own_words(text)
    to_text("<" + text.replace("O", "<"))
    assert time.perf_counter() - began < 4.0


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>a<p>b<br>c", "a\nb\nc"),
        ("a < b and <3", "a < b and <3"),
        ("<blockquote>old<blockquote>older</blockquote></blockquote>new", "> old\n> older\nnew"),
        ("<style>p{}</style><script>x()</script>a<!-- no -->b", "ab"),
        ("<p>&lt;b&gt; &amp; &euro;", "<b> & €"),
        ("</blockquote></blockquote>a", "a"),
        ("<p\n>a</p\n>", "a"),
        ("<a href='javascript:x()'>link</a>", "link"),
        ("<b", "<b"),
        ("", ""),
        ("<script>never closed", ""),
    ],
)
def test_html_becomes_lines(markup, text):
    assert to_text(markup) == text


PROSE = [
    "From the start: bad.\nSubject to change: no.\nOn Monday the seller wrote: nothing.",
    "I ordered on 2 Mar 2026 at 10:00 and you said:\nit would come.",
    "The shoes are great.\nThanks\nBut the box was completely broken when it arrived.",
    "Sent with the wrong colour, and late.",
    "Von meinem Kauf bin ich enttäuscht.",
    "Best regards to the driver, he was kind.",
    "A -- B -- C",
    "Envoyé de Paris le 3 mars, le colis est cassé.",
    "5 > 3, so why is it smaller?",
    "On the plus side:\nnothing.",
]


@pytest.mark.parametrize("text", PROSE)
def test_prose_that_looks_like_a_quote_stays(text):
    assert own_words(text) == text


@pytest.mark.parametrize(
    ("subject", "bare", "is_reply", "is_forward"),
    [
        ("Re: Order", "Order", True, False),
        ("AW: WG: Order", "Order", True, True),
        ("Fwd: Order", "Order", False, True),
        ("RE[2]: Order", "Order", True, False),
        ("回复\uff1aOrder", "Order", True, False),
        ("Terrible: never again", "Terrible: never again", False, False),
        ("", "", False, False),
        (":", ":", False, False),
    ],
)
def test_a_subject_without_its_prefixes(subject, bare, is_reply, is_forward):
    assert bare_subject(subject) == (bare, is_reply, is_forward)


def test_headers_are_read_from_the_top_and_bounded():
    mail = read_mail(FROM + b"X: 1\r\nX: 2\r\n" + b"Y: z\r\n" * 1_000 + b"\r\nIt broke.")
    assert mail.headers["x"] == ("1", "2")
    assert len(mail.headers["y"]) < 200
