"""What is computed of a text, on whole columns at once: the cleaned text, what equal texts share, its language.

The functions are those that serving calls (`feedback.text.compose`, `feedback.language.language_of`). Most texts need
little of them, which is done by Arrow's kernels, with equal results; the others go through Python one by one. Both
engines call these, so that neither's own idea of lower case or of a letter decides. Knows no tables.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from feedback import language as detector
from feedback.text import compose

LONGEST_TEXT = 10_000
"""Characters of a cleaned text; what is beyond is cut. The model reads a fraction of it."""

# Printable ASCII and white space, without "&" and "<": nothing to clean but white space.
_PLAIN = "^[\t-\r -%'-;=-~]*$"
_LOOSE_SPACE = "[\t-\r]|  |^ | $"
_SPACES = "[\t-\r ]+"
_ASCII = "^[\x01-\x7f]*$"
_ADDRESS = "@|://|www\\."

Column: TypeAlias = pa.Array | pa.ChunkedArray


def composed(title: Column, text: Column) -> pa.Array:
    """`feedback.text.compose` of each row, cut to `LONGEST_TEXT`."""
    titles, texts = _whole(title), _whole(text)
    plain = pc.and_(_matches(titles, _PLAIN), _matches(texts, _PLAIN))
    rest = pc.invert(plain)
    quick_titles, quick_texts = (
        _with_single_spaces(pc.if_else(plain, column, "").cast(pa.string())) for column in (titles, texts)
    )
    both = pc.and_(pc.not_equal(quick_titles, ""), pc.not_equal(quick_texts, ""))
    separator = pc.if_else(both, pa.scalar(". "), pa.scalar(""))
    joined = pc.binary_join_element_wise(quick_titles, separator, quick_texts, "")

    def slowly() -> list[str | None]:
        pairs = zip(titles.filter(rest).to_pylist(), texts.filter(rest).to_pylist(), strict=True)
        return [compose(first, second) for first, second in pairs]

    joined = _with_rest(joined, rest, slowly)
    too_long = pc.greater(pc.utf8_length(joined), LONGEST_TEXT)
    if pc.any(too_long).as_py():
        joined = pc.if_else(
            too_long, pc.utf8_rtrim_whitespace(pc.utf8_slice_codeunits(joined, 0, LONGEST_TEXT)), joined
        )
    return joined


def normalised(text: Column) -> pa.Array:
    """What two texts that say the same share: letters and digits, in lower case. Emoji stay if there is no more."""
    texts = _whole(text)
    words = pc.replace_substring_regex(pc.utf8_lower(texts), pattern=r"[^\p{L}\p{N}]+", replacement=" ")
    words = pc.ascii_trim(words, characters=" ")
    return pc.if_else(pc.equal(words, ""), texts, words)


def languages(text: Column) -> pa.Array:
    """`feedback.language.language_of` of each row: a tag where it is beyond doubt, else null."""
    texts = _whole(text)
    quick = pc.and_not(_matches(texts, _ASCII), _matches(texts, _ADDRESS, ignore_case=True))
    rest = pc.invert(quick)
    found = _of_ascii(pc.if_else(quick, texts, "").cast(pa.string()))

    def slowly() -> list[str | None]:
        return [detector.language_of(each, given=None) for each in texts.filter(rest).to_pylist()]

    return _with_rest(found, rest, slowly)


def _of_ascii(texts: pa.Array) -> pa.Array:
    """As the detector counts: the hits of each language's small words. Without letters beyond a to z nothing else
    speaks for a language."""
    tags, vocabulary, table, read, english_hits, least_hits, least_share, lead = _small_words()
    beginning = pc.ascii_lower(pc.utf8_slice_codeunits(texts, 0, read))
    letters = pc.ascii_trim(pc.replace_substring_regex(beginning, pattern="[^a-z]+", replacement=" "), characters=" ")
    lists = pc.split_pattern(letters, " ")
    starts = lists.offsets.to_numpy()
    words = np.diff(starts)
    words[pc.equal(letters, "").to_numpy(zero_copy_only=False)] = 0
    places = pc.index_in(lists.values, value_set=vocabulary)
    known = pc.is_valid(places).to_numpy(zero_copy_only=False)
    rows = np.repeat(np.arange(len(texts)), np.diff(starts))[known]
    hits = np.zeros((len(texts), len(tags)), dtype=np.int64)
    word_of_hit = pc.drop_null(places).to_numpy()
    for column in range(len(tags)):
        chosen = rows[table[word_of_hit, column]]
        hits[:, column] = np.bincount(chosen, minlength=len(texts))
    english_column = tags.index("en")
    english = hits[:, english_column].copy()
    hits[:, english_column] = -1
    best = hits.argmax(axis=1)
    foreign = hits.max(axis=1)
    is_english = (english >= foreign) & (english >= max(english_hits, 1))
    is_foreign = (english < foreign) & (foreign >= least_hits) & (foreign >= least_share * words)
    is_foreign &= foreign >= lead * english
    answer = np.where(is_english, english_column, np.where(is_foreign, best, -1))
    return pa.array(tags, pa.string()).take(pa.array(answer, mask=answer < 0))


@cache
def _small_words() -> tuple[list[str], pa.Array, npt.NDArray[np.bool_], int, int, int, float, int]:
    """The detector's own tables and limits, for columns."""
    by_word, _ = detector._index()
    tags = list(detector._tables())
    vocabulary = sorted(by_word)
    table = np.array([[tag in by_word[word] for tag in tags] for word in vocabulary])
    return (
        tags,
        pa.array(vocabulary, pa.string()),
        table,
        detector._READ_CHARACTERS,
        detector._ENGLISH_HITS,
        detector._LEAST_HITS,
        detector._LEAST_SHARE,
        detector._LEAD_OVER_ENGLISH,
    )


def _with_single_spaces(texts: pa.Array) -> pa.Array:
    loose = _matches(texts, _LOOSE_SPACE)
    if not pc.any(loose).as_py():
        return texts
    cleaned = pc.replace_substring_regex(texts.filter(loose), pattern=_SPACES, replacement=" ")
    return pc.replace_with_mask(texts, loose, pc.ascii_trim(cleaned, characters=" "))


def _with_rest(quick: pa.Array, rest: pa.Array, slowly: Callable[[], list[str | None]]) -> pa.Array:
    if not pc.any(rest).as_py():
        return quick
    return pc.replace_with_mask(quick, rest, pa.array(slowly(), pa.string()))


def _matches(texts: pa.Array, pattern: str, *, ignore_case: bool = False) -> pa.Array:
    return pc.match_substring_regex(texts, pattern=pattern, ignore_case=ignore_case)


def _whole(column: Column) -> pa.Array:
    """One array of strings without nulls, whatever the engine passes."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return pc.fill_null(array.cast(pa.string()), "")
