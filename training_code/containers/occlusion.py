"""Which words carried a decision: the text is classified again without each of them, and the change is its weight.

The cost is bounded: a text has at most MOST_VARIANTS variants, however long it is, and a request at most MOST_LINES
explained lines. Function words are never left out; where more words remain than variants are allowed, neighbours go
together. Knows nothing of models; the variants are rows like any other.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

MOST_VARIANTS = 24
MOST_LINES = 32
MOST_WORDS = 5
LEAST_WEIGHT = 0.005
DECIMALS = 6

# Negations stay in: they carry decisions.
_LISTED = """
a about after all also am an and any are as at be because been before being but by can could did do does for
from get got had has have he her him his how i if in into is it its just me my of on or our out she so some than
that the their them then there these they this those to up us very was we were what when where which who will
with would you your
"""
FUNCTION_WORDS = frozenset(_LISTED.split())


@dataclass(frozen=True)
class Variant:
    """A text without some of its words: what they are, and the ids that are left."""

    words: str
    ids: list[int]


def variants(
    text: str, ids: Sequence[int], offsets: Sequence[tuple[int, int]], is_special: Sequence[int]
) -> list[Variant]:
    """One variant per word that may matter, in the order of the text; every occurrence of a word goes at once.

    `offsets` are where each token lies in `text`; special tokens always stay, and so does at least one other.
    """
    word_of_token = _word_of_each_token(text, offsets, is_special)
    tokens_of_word: dict[str, list[int]] = {}
    for token, word in enumerate(word_of_token):
        if word is not None and word.casefold() not in FUNCTION_WORDS:
            tokens_of_word.setdefault(word.casefold(), []).append(token)
    spelled = {word.casefold(): word for word in reversed([word for word in word_of_token if word])}
    size = -(-len(tokens_of_word) // MOST_VARIANTS) or 1
    candidates = list(tokens_of_word)
    plain = sum(not special for special in is_special)
    found = []
    for start in range(0, len(candidates), size):
        group = candidates[start : start + size]
        left_out = {token for word in group for token in tokens_of_word[word]}
        if len(left_out) < plain:
            kept = [id_ for token, id_ in enumerate(ids) if token not in left_out]
            found.append(Variant(words=" ".join(spelled[word] for word in group), ids=kept))
    return found


def _word_of_each_token(text: str, offsets: Sequence[tuple[int, int]], is_special: Sequence[int]) -> list[str | None]:
    """The word between spaces that a token is part of, without the marks around it; None where no letter is left."""
    words: list[str | None] = []
    start = end = 0
    word: str | None = None
    for (begin, _), special in zip(offsets, is_special, strict=True):
        if special:
            words.append(None)
            continue
        if not start <= begin < end:
            start = text.rfind(" ", 0, begin + 1) + 1
            end = text.find(" ", begin)
            end = len(text) if end < 0 else end
            word = _bare(text[start:end])
        words.append(word)
    return words


def _bare(word: str) -> str | None:
    """The word from its first to its last letter, digit or emoji; None without any."""
    places = [place for place, sign in enumerate(word) if sign.isalnum() or unicodedata.category(sign) == "So"]
    return word[places[0] : places[-1] + 1] if places else None


def explain(words: Sequence[str], decided: float, without: Sequence[float]) -> list[dict[str, object]]:
    """The words that speak for the decision, heaviest first.

    `decided` is the probability of the decided class for the whole text, `without` the same without each of the words.
    """
    weights = [(round(decided - probability, DECIMALS), word) for word, probability in zip(words, without, strict=True)]
    heaviest = sorted((entry for entry in weights if entry[0] >= LEAST_WEIGHT), key=lambda entry: -entry[0])
    return [{"word": word, "weight": weight} for weight, word in heaviest[:MOST_WORDS]]
