"""What redaction takes out of a text, what it leaves, and how long it may take."""

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.redaction.measuring import measure_clean, measure_found, measure_leaks
from feedback.redaction import redact

PERSONAL = [
    ("Write to jane.doe+shop@mail.example.co.uk.", "Write to [email]."),
    ("jane dot doe at gmail dot com", "[email]"),
    ("it is j_doe (at) example (dot) com!", "it is [email]!"),
    ("mail jane @ example.org please", "mail [email] please"),
    ("<a href='mailto:jane%40example.com'>", "<a href='mailto:[email]'>"),
    ("Call 07911 123456 or +44 (0)20 7946 0958.", "Call [phone] or [phone]."),
    ("(212) 555-0123 ext. 42, anytime", "[phone], anytime"),
    ("Handy: 0171/1234567", "Handy: [phone]"),
    ("01.23.45.67.89 merci", "[phone] merci"),
    ("text me at 5550123", "text me at [phone]"),
    ("4111-1111-1111-1111 exp 12/27, CVV: 123", "[card] exp 12/27, CVV: [card]"),
    ("Amex 3782 822463 10005", "Amex [card]"),
    ("DE89 3704 0044 0532 0130 00", "[iban]"),
    ("gb82west12345698765432", "[iban]"),
    ("from 192.168.10.7 and 2001:db8::8a2e:370:7334", "from [ip] and [ip]"),
    ("00:1A:2b:3C:4d:5E", "[mac]"),
    ("https://bob:s3cret@files.example/a.txt.", "[link]."),  # pragma: allowlist secret
    ("see https://shop.example/reset?token=abcd1234", "see [link]"),
    ("Write me at jane.doe@example.com", "Write me at [email]"),
    ("AKIAIOSFODNN7EXAMPLE", "[secret]"),  # pragma: allowlist secret
    ("my password is Hunter2!", "my password is [secret]!"),
    ("Authorization: Bearer abcdef0123456789abcd", "Authorization: Bearer [secret]"),
    ("SSN 219-09-9999", "SSN [id]"),
    ("DNI 12345678Z", "DNI [id]"),
    ("CPF 529.982.247-25", "CPF [id]"),
    ("born on 12/03/1980 in Rome", "born on [date] in Rome"),
    ("I live at 12 Baker Street, London NW1 6XE.", "I live at [address]."),
    ("Friedrichstraße 12, 10117 Berlin", "[address]"),
    ("12 bis rue de la Paix, 75002 Paris", "[address]"),
    ("Too small.\n\nBest regards,\nJane van der Doe", "Too small.\n\nBest regards,\n[name]"),
    ("Mit freundlichen Grüßen\nJürgen Müller\n", "Mit freundlichen Grüßen\n[name]\n"),
    ("My name is Jane Doe and it broke", "My name is [name] and it broke"),
]
DISGUISED = [
    ("\uff14\uff11\uff11\uff11 1111 1111 1111", "[card]"),
    ("4111\u200b1111\u20601111\u00ad1111", "[card]"),
    ("4111\u00a01111\u00a01111\u00a01111", "[card]"),
    ("0\u200d7911\u200b123456", "[phone]"),
    ("212\u2011555\u20130123", "[phone]"),
    ("jane\uff20example\uff0ecom", "[email]"),
    ("jane&#64;example&#46;com", "[email]"),
    ("\U0001d7d0\U0001d7cf\U0001d7d0-555-0123", "[phone]"),
    ("\u0664\u0661\u0661\u0661111111111111", "[card]"),
]
HARMLESS = [
    "Order 4012345678 of 2024-01-15, invoice #0712345678, came on 01/02/2024.",
    "Sizes 8 10 12 14 16; 34-28-36; 5'8\" and 135 lbs; 30x40x50 cm.",
    "$1,299.99 + 49.95 = 1.349,94 EUR, 20 % off, 100.000.000 likes",
    "EAN 4006381333931, ISBN 978-3-16-148410-0, tracking 1Z999AA10123456784",
    "Version 10.0.19041.1, firmware 1.2.3.4, at 12:30:45, section 1.2.3.4.5",
    "I bought it at amazon dot com, met @brand and paid with a card.",
    "https://www.shop.example/blue-wool-coat-2024?size=12&color=navy",
    "The login page is slow and password: forgotten again. The token gesture was nice.",
    "Thanks, Nike. You made my day! Best regards to the team.",
    "10 minutes from Oxford Street, a 5 Star Place, 3 Way call",
    "Very basic accommodation; this is Really Good Stuff; my name tag fell off",
    "4111 1111 1111 1112 is no card, since its last digit is wrong",
]


@pytest.mark.parametrize(("text", "redacted"), PERSONAL + DISGUISED)
def test_what_is_personal_becomes_a_word_for_its_kind(text, redacted):
    assert redact(text).text == redacted


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_looks_like_it_stays(text):
    assert redact(text).text == text
    assert redact(text).found == {}


def test_a_key_block_goes_as_a_whole_also_without_its_end():
    kind = "RSA PRIVATE KEY"
    block = f"-----BEGIN {kind}-----\nMIIEpAIBAAKCAQEA7\nabcdef\n"
    assert redact(f"see {block}-----END {kind}----- ok").text == "see [secret] ok"
    assert "MIIEp" not in redact(f"see {block}").text


def test_findings_are_counted_by_kind():
    assert redact("a@b.co, c@d.co and 212-555-0123").found == {"email": 2, "phone": 1}


def test_what_is_around_a_finding_is_untouched_to_the_character():
    before, after = "Caf\u0065\u0301\u200b \uff11\u00a0x ", " \u2028\u202e tail&amp;\u00ad"
    assert redact(f"{before}jane@example.com{after}").text == f"{before}[email]{after}"


@pytest.mark.parametrize("text", [text for text, _ in PERSONAL + DISGUISED])
def test_redacting_again_finds_nothing_more(text):
    once = redact(text).text
    assert redact(once) == type(redact(once))(text=once, found={})


@given(st.text(max_size=400))
def test_any_text_can_be_redacted(text):
    redaction = redact(text)
    assert redaction.found or redaction.text == text


@given(st.text(alphabet="0123456789 -.()/+@abAB\n:=\u200b\uff11", max_size=300))
@settings(max_examples=200)
def test_texts_of_digits_and_signs_can_be_redacted(text):
    redact(text)


HOSTILE = {
    "digits": "1" * 10_000,
    "groups": "1 " * 5_000,
    "at signs": "a@" * 5_000,
    "dots": "a." * 5_000,
    "hyphens": "Ab-" * 3_333,
    "streets": "12 Ab Cd " * 1_111,
    "colons": "a1:" * 3_333,
    "schemes": "a://" * 2_500,
    "key blocks": "-----BEGIN PRIVATE KEY-----" * 370,  # pragma: allowlist secret
    "cues": "call me on " * 909,
    "closings": "regards,\n" * 1_111,
    "entities": "&#49;" * 2_000,
    "zero width": "\u200b1" * 5_000,
    "spelt": "a dot " * 1_600 + "at b dot ",
    "ibans": "DE12 " * 2_000,
    "names": "my name is " * 900,
    "noise": "".join(random.Random(1).choices("aB1@ .-:/+\n,", k=10_000)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_takes_time_in_proportion_to_its_length(name):
    text = HOSTILE[name]
    started = time.process_time()
    redact(text)
    assert time.process_time() - started < 0.5  # linear ones take about 0.03 s; a quadratic one takes seconds


def test_made_up_personal_data_is_found_and_clean_texts_stay():
    """A small run of `python -m benchmarks.redaction`."""
    found = measure_found(1_500, seed=7)
    assert found.recall >= 0.995, [kind.missed for kind in found.kinds]
    clean = measure_clean("clean", 300)
    assert clean.share <= 0.01, clean.examples


def test_nothing_personal_can_be_read_outside_the_originals():
    """Acceptance, answers, refusals, archive rows, alerts, log lines and metrics of a hundred feedbacks."""
    places = {place.name: place for place in measure_leaks(110, seed=3)}
    assert {name for name, place in places.items() if place.canaries} == {"originals"}
    assert all(place.seen for place in places.values())
