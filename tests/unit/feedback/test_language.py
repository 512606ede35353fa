# ruff: noqa: RUF001  (letters that look like others are the subject here)
import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback.language import Detection, detect, is_unknown, language_of

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "reviews_by_language.json"
REVIEWS = json.loads(GOLDEN.read_text(encoding="utf-8"))

IN_DOUBT = [
    "",
    " ",
    "ok",
    "Super",
    "A.d.o.r.a.b.l.e!!!",
    "👍👍👍",
    "12345",
    "\x00\ud800",
    "Bravo",
    "perfetto",
    "Sehr gut",
    "Die Hard 4",
    "XXL",
    "très chic",
    "lol omg wtf",
    "https://example.com/de/der-die-das",
]


@pytest.mark.parametrize(("tag", "text"), [(tag, text) for tag, texts in REVIEWS.items() for text in texts])
def test_a_reviews_language_is_recognised_with_foreign_names_in_it_too(tag, text):
    assert detect(text) == Detection(tag, confident=True)


@pytest.mark.parametrize("text", IN_DOUBT)
def test_short_or_ambiguous_texts_are_never_confident(text):
    assert not detect(text).confident


def test_a_text_half_in_english_is_not_called_foreign():
    text = "The quality is not good and it was late. Die Qualität ist nicht gut und es war zu spät."
    detection = detect(text)
    assert detection.tag == "en" or not detection.confident


def test_one_foreign_word_in_another_script_is_not_enough():
    assert not is_unknown("I love my new kimono (着物) and wear it every day", given=None, known=["en"])


def test_what_the_sender_says_of_the_language_wins():
    german = REVIEWS["de"][0]
    assert is_unknown(german, given=None, known=["en"])
    assert not is_unknown(german, given="en-GB", known=["en"])
    assert is_unknown("Great", given="pt-BR", known=["en"])
    assert not is_unknown("Great", given="PT-br", known=["en", "pt"])
    assert language_of(german, given=None) == "de"
    assert language_of("Great", given="pt-BR") == "pt"


def test_a_language_in_doubt_is_not_unknown():
    assert not is_unknown("Super", given=None, known=["en"])
    assert language_of("Super", given=None) is None


@given(st.text(max_size=300))
def test_nothing_is_raised_for_any_text(text):
    assert isinstance(detect(text), Detection)


@pytest.mark.parametrize("text", ["é" * 100_000, "the " * 50_000, "ا" * 100_000, "\u0301" * 100_000, "的 " * 50_000])
def test_a_very_long_text_costs_no_more_than_its_beginning(text):
    taken = []
    for _ in range(3):
        started = time.perf_counter()
        detect(text)
        taken.append(time.perf_counter() - started)
    assert min(taken) < 0.1
