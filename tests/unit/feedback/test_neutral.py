"""A stranger's text, read back as each program would read it: nothing of it acts."""

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback.neutral import (
    WORD_JOINER,
    csv_cell,
    one_line,
    plain,
    slack_text,
    teams_text,
)

NASTY = st.text(
    alphabet=st.one_of(
        st.sampled_from("<>&\"'@#!|=+-*_~`[]()\\/:.,;\t\n\r\x0b\x0c\x1b\x00\x85\u2028\u2029\u202e\u2066\u200b\ufeff"),
        st.sampled_from("abchtpsw1 "),
        st.characters(),
    ),
    max_size=80,
)
ATTACKS = [
    "=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\u200b=1", "\uff1d1+1", "=HYPERLINK(\"http://x\")",
    "<!channel> <@U123> <#C1|x> <http://evil.example|click> <mailto:a@b.co|m>", "@here @everyone", "www.evil.example",
    "<script>alert(1)</script>", "<at>all</at>", "[x](http://evil.example)", "![x](http://e.example/p.png)", "# head",
    "x\r\nBcc: a@b.co", "x\n.\nx", "x\u2028y", "\u202etxt.exe", "\x1b[31mred", "a\x00b", "\x1b]8;;http://x\x07y\x1b]8;;\x07",
]  # fmt: skip


def with_attacks(test):
    return pytest.mark.parametrize("text", ATTACKS)(test)


def check_cell(text):
    file = io.StringIO()
    csv.writer(file).writerow([csv_cell(text), "next"])
    ((cell, following),) = csv.reader(io.StringIO(file.getvalue(), newline=""))
    assert following == "next"
    assert cell.lstrip()[:1] not in tuple("=+-@|%\uff1d\uff0b\uff0d\uff20") or re.fullmatch(r"[+-]?[0-9.eE+-]+", cell)
    assert cell.removeprefix("'") == plain(text).removeprefix("'")


def check_slack(text):
    sent = slack_text(text)
    assert not re.search(r"<[^>]*>", sent)
    assert not re.search(r"&(?!amp;|lt;|gt;)", sent)
    assert not re.search(r"@\w|://|\w\.\w", sent)
    assert not re.search(r"(?<!\u2060)[*_~`]|[*_~`](?!\u2060)", sent)
    read = sent.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").replace(WORD_JOINER, "")
    assert read == plain(text)


def check_teams(text):
    sent = teams_text(text)
    assert "<" not in sent
    assert not re.search(r"(?<!\\)(?:\\\\)*[*_\[\]()#`!~|]", re.sub(r"\\[^\w\s]", "", sent))
    assert not re.search(r"@\w|://|\w\.\w", sent)


def check_lines(text):
    shown = one_line(text)
    assert len(shown.splitlines()) <= 1
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029\u200e\u200f]", shown)


CHECKS = [check_cell, check_slack, check_teams, check_lines]


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("text", ATTACKS)
def test_an_attack_comes_out_as_its_own_words(check, text):
    check(text)


@pytest.mark.parametrize("check", CHECKS)
def test_nothing_acts_whatever_is_written(check):
    @given(NASTY)
    def every(text):
        check(text)

    every()


@pytest.mark.parametrize("number", ["-1", "+5", "-0.25", "1e-5"])
def test_a_plain_number_stays_one_in_a_cell(number):
    assert csv_cell(number) == number


def test_emoji_and_joined_scripts_stay():
    text = "\U0001f468\u200d\U0001f469\u200d\U0001f467 \u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
    assert plain(text) == text
