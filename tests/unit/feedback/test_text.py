import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedback.text import clean, compose

MARKUP = st.lists(
    st.sampled_from(
        [
            "<b>",
            "</b>",
            "<script>",
            "</script>",
            "<!--",
            "-->",
            "<",
            ">",
            "&",
            "amp;",
            "&lt;",
            "&#60;",
            "a",
            " ",
            "\u200b",
            "\x1b[1m",
        ]
    ),
    max_size=12,
).map("".join)


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("  two \t words\r\n", "two words"),
        ("<p>Good<br/>shoes</p>", "Good shoes"),
        ("Tom &amp; Jerry &lt;3", "Tom & Jerry <3"),
        ("I <3 it, 2 < 3, a <very bad> seam", "I <3 it, 2 < 3, a <very bad> seam"),
        ("before<script>alert('x')</script>after", "before after"),
        ("a <script> that never ends", "a that never ends"),
        ("see<!-- a <b>secret</b> --> this", "see this"),
        ("Word <o:p>text</o:p>", "Word text"),
        ("zero\u200bwidth\ufeff \u202ebidi", "zerowidth bidi"),
        ("cafe\u0301", "café"),
        ("\x1b[31mred\x1b[0m\x00\x07", "red"),
        ("half \ud83d emoji", "half emoji"),
        ("&amp;amp;amp;", "&"),
        ("Q&A&copy=2", "Q&A&copy=2"),
        ("\u200b\u200d \ufeff", ""),
    ],
)
def test_text_is_cleaned(raw, cleaned):
    assert clean(raw) == cleaned


@settings(max_examples=150, deadline=None)
@given(st.one_of(MARKUP, st.text(max_size=60)))
def test_cleaning_is_done_once_and_leaves_storable_single_spaced_nfc(text):
    cleaned = clean(text)
    assert clean(cleaned) == cleaned
    cleaned.encode("utf-8")
    assert cleaned == unicodedata.normalize("NFC", " ".join(cleaned.split()))


@pytest.mark.parametrize(
    "part", ["<script>", "<a ", "<!--", "&amp;", "\x1b[", "<!--<script>-->", "&#9;", "&#" + "9" * 5000 + ";"]
)
def test_hostile_repetition_costs_linear_time(part):
    text = part * (200_000 // len(part))
    started = time.perf_counter()
    clean(text)
    assert time.perf_counter() - started < 2.0


def test_title_and_text_are_composed_and_an_empty_one_leaves_no_trace():
    assert compose("Runs <b>small</b>", " Too tight ") == "Runs small. Too tight"
    assert compose(None, "Too tight") == compose("", "Too tight") == compose("\u200b", "Too tight") == "Too tight"
    assert compose("Only a title", "") == "Only a title"


def test_composing_what_was_composed_changes_nothing():
    composed = compose("A &amp; B", "<i>fine</i>")
    assert compose(None, composed) == composed
