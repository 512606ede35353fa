"""Says which language a text is in, where that is beyond doubt: by its script, or by the small words that every
sentence of a language needs.

Made for one question, whether the model can read a text, and weighted for it: to call an English review foreign is
worse than to miss a foreign one, so short, mixed and ambiguous texts are never confident. The small words and letters
are in ``function_words.json``; closely related languages that are not there are taken for their neighbour (Catalan for
Spanish), which answers the question all the same. Figures beside the libraries': ``benchmarks.language``. It does not
know which languages the model reads, nor what becomes of a text in another.
"""

import json
import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

_FILE: Final = Path(__file__).with_name("function_words.json")

_READ_CHARACTERS: Final = 2_000
_ENGLISH: Final = "en"
_ENGLISH_HITS: Final = 2
_LEAST_HITS: Final = 3
_LEAST_SHARE: Final = 0.2  # of the words of a text that are in another language by their looks
_LEAD_OVER_ENGLISH: Final = 2
_LEAST_SCRIPT_SHARE: Final = 0.6
_LEAST_SCRIPT_LETTERS: Final = 4
_LEAST_IDEOGRAPHS: Final = 2

_WORD: Final = re.compile(r"[^\W\d_]+")
# Ranges by number, so that every Python version counts alike. The order matters where a text uses several: kana make
# ideographs Japanese, Ukrainian and Persian letters tell these from their larger neighbours.
_SCRIPTS: Final = {
    "he": "\u0590-\u05ff",
    "ar": "\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufeff",
    "el": "\u0370-\u03ff\u1f00-\u1fff",
    "ru": "\u0400-\u052f",
    "hy": "\u0530-\u058f",
    "ka": "\u10a0-\u10ff",
    "hi": "\u0900-\u097f",
    "bn": "\u0980-\u09ff",
    "pa": "\u0a00-\u0a7f",
    "gu": "\u0a80-\u0aff",
    "or": "\u0b00-\u0b7f",
    "ta": "\u0b80-\u0bff",
    "te": "\u0c00-\u0c7f",
    "kn": "\u0c80-\u0cff",
    "ml": "\u0d00-\u0d7f",
    "si": "\u0d80-\u0dff",
    "th": "\u0e00-\u0e7f",
    "lo": "\u0e80-\u0eff",
    "my": "\u1000-\u109f",
    "km": "\u1780-\u17ff",
    "am": "\u1200-\u137f",
    "ko": "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af",
    "ja": "\u3040-\u30ff",
    "zh": "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f",
}
_NEIGHBOURS: Final = {"ru": ("uk", frozenset("іїєґ")), "ar": ("fa", frozenset("پچژگ"))}
_IDEOGRAPHIC: Final = ("zh", "ja", "ko")


@dataclass(frozen=True)
class Detection:
    """A language as a BCP 47 tag, None where nothing speaks for any. Only a confident one may have consequences."""

    tag: str | None
    confident: bool


def detect(text: str) -> Detection:
    """The language of a text. Nothing is raised, whatever the text; only its first 2,000 characters are read."""
    beginning = unicodedata.normalize("NFC", text[:_READ_CHARACTERS]).lower()
    words = _WORD.findall(" ".join(part for part in beginning.split() if not _is_address(part)))
    return _by_script(words) or _by_words(words)


def language_of(text: str, *, given: str | None) -> str | None:
    """The language without its region: as the sender gave it, else as detected beyond doubt, else None."""
    if given:
        return _primary(given)
    detection = detect(text)
    return detection.tag if detection.confident else None


def is_unknown(text: str, *, given: str | None, known: Collection[str]) -> bool:
    """Whether the text is in a language that is none of ``known``. A language in doubt is not unknown."""
    language = language_of(text, given=given)
    return language is not None and language not in {_primary(tag) for tag in known}


def _by_script(words: list[str]) -> Detection | None:
    """The language of a text that is mostly not in Latin letters; None for all others."""
    letters = "".join(words)
    counts = dict.fromkeys(_SCRIPTS, 0)
    for match in _scripts().finditer(letters):
        counts[match.lastgroup or ""] += 1
    if counts["ja"]:
        counts["ja"] += counts.pop("zh")
    tag = max(counts, key=lambda name: counts[name])
    count = counts[tag]
    if count == 0 or count < _LEAST_SCRIPT_SHARE * len(letters):
        return None
    if tag in _NEIGHBOURS:
        neighbour, telling = _NEIGHBOURS[tag]
        tag = tag if telling.isdisjoint(letters) else neighbour
    return Detection(tag, count >= (_LEAST_IDEOGRAPHS if tag in _IDEOGRAPHIC else _LEAST_SCRIPT_LETTERS))


def _by_words(words: list[str]) -> Detection:
    languages_of_word, languages_of_letter = _index()
    hits = dict.fromkeys(_tables(), 0)
    for word in words:
        languages = languages_of_word.get(word, frozenset())
        telling = [languages_of_letter[letter] for letter in word if letter in languages_of_letter]
        if telling:
            languages |= frozenset.intersection(*telling)
        for tag in languages:
            hits[tag] += 1
    english = hits.pop(_ENGLISH)
    tag = max(hits, key=lambda name: hits[name])
    foreign = hits[tag]
    if english == foreign == 0:
        return Detection(None, confident=False)
    if english >= foreign:
        return Detection(_ENGLISH, english >= _ENGLISH_HITS)
    is_enough = foreign >= _LEAST_HITS and foreign >= _LEAST_SHARE * len(words)
    return Detection(tag, is_enough and foreign >= _LEAD_OVER_ENGLISH * english)


@cache
def _scripts() -> re.Pattern[str]:
    return re.compile("|".join(f"(?P<{tag}>[{characters}])" for tag, characters in _SCRIPTS.items()))


@cache
def _index() -> tuple[dict[str, frozenset[str]], dict[str, frozenset[str]]]:
    """The languages that each small word, and each letter beyond a to z, speaks for."""
    by_word: dict[str, set[str]] = {}
    by_letter: dict[str, set[str]] = {}
    for tag, table in _tables().items():
        for word in table["words"].split():
            by_word.setdefault(word, set()).add(tag)
        for letter in table["letters"]:
            by_letter.setdefault(letter, set()).add(tag)
    return _frozen(by_word), _frozen(by_letter)


@cache
def _tables() -> dict[str, dict[str, str]]:
    tables: dict[str, dict[str, str]] = json.loads(_FILE.read_text(encoding="utf-8"))
    return tables


def _frozen(sets: dict[str, set[str]]) -> dict[str, frozenset[str]]:
    return {key: frozenset(tags) for key, tags in sets.items()}


def _is_address(part: str) -> bool:
    return "://" in part or "@" in part or part.startswith("www.")


def _primary(tag: str) -> str:
    return tag.partition("-")[0].lower()
