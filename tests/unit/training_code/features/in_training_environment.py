"""Runs in the training environment, started by `test_texts`: the columns' functions against those of one text."""

from __future__ import annotations

import random

import pyarrow as pa

from feedback.language import language_of
from feedback.text import compose
from training_code.features import shingles, texts

# What cleaning and detection turn on: markup, entities, white space of all kinds, marks without width, small words of
# several languages, addresses, letters whose lower case is of another length.
PIECES = (
    *("a", "The", "and", "of", "is", "der", "und", "nicht", "das", "la", "les", "el", "que", "not", "4ever", "x_y"),
    *(" ", "  ", "\n", "\t", "\x1c", "\x0b", "\x85", "\xa0", "\x00", "\x1b[0m", "\u200b", "\ufeff"),
    *("<br>", "<3", "<script>", "</script>", "<!--", "-->", "&amp;", "&#39;", "&nbsp;", "& ", "&amp;lt;"),
    *("é", "e\u0301", "ß", "İ", "Σ", "日本", "привет", "😀", "'", ".", "@", "://", "www.", "12"),
)


def made(count: int) -> list[str]:
    draw = random.Random(5)
    return [
        "".join(draw.choice(PIECES) + draw.choice(("", " ")) for _ in range(draw.randint(0, 25))) for _ in range(count)
    ]


def main() -> None:
    first, second = made(4000), made(4000)[::-1]
    composed = texts.composed(pa.chunked_array([first[:100], first[100:]]), pa.array(second)).to_pylist()
    assert composed == [compose(title, text) for title, text in zip(first, second, strict=True)]
    found = texts.languages(pa.array(composed)).to_pylist()
    assert found == [language_of(text, given=None) for text in composed]
    assert {"en", "de", None} <= set(found)

    long = "so it goes " * 9_091
    assert texts.composed(pa.array([None, ""]), pa.array([long, None])).to_pylist() == [
        long[: texts.LONGEST_TEXT].rstrip(),
        "",
    ]
    assert texts.normalised(pa.array(["  GREAT!!! dress ", "😀!", "Ünïcode"])).to_pylist() == [
        "great dress",
        "😀!",
        "ünïcode",
    ]

    words = [f"word{number}" for number in range(60)]
    base, one_more, other = " ".join(words), " ".join([*words, "more"]), " ".join(reversed(words))
    signed = shingles.signatures(pa.array([base, one_more, other, "too short", base.upper()])).to_pylist()
    assert signed[0] == signed[4]
    assert set(signed[0]) & set(signed[1])
    assert not set(signed[0]) & set(signed[2])
    assert signed[3] == []
    assert shingles.signatures(pa.array(["no", ""])).to_pylist() == [[], []]
    one_by_one = [shingles.signatures(pa.array([text])).to_pylist()[0] for text in (base, one_more, other)]
    assert one_by_one == signed[:3], "a signature is of its text alone, not of its batch"
    assert shingles.likeness(pa.array([base, base, "a b"]), pa.array([one_more, other, "a b"])).to_pylist() == [
        58 / 59,
        0.0,
        0.0,
    ]


if __name__ == "__main__":
    main()
