"""What the sender of a mail wrote, out of what the mail holds: without old mails, signatures and what programs add.

Rules over lines, each linear: the libraries for this either stood still for minutes at 20,000 hostile characters or
need a native HTML parser. Old mail is recognised by what programs put above it: the line that says who wrote, the block
of headers, the dashes; and by ``>`` in front of it. When in doubt a line stays: too much is better than a lost word.
It does not know MIME or HTML.
"""

import re
from collections.abc import Sequence
from typing import Final

from lambdas.channels.email.phrases import (
    CLOSINGS,
    FORWARDS,
    FROM,
    OLD_MESSAGE,
    OTHER_HEADERS,
    REPLIES,
    SENT_FROM,
    WROTE,
)

_INTRODUCTION_LINES: Final = 4
_INTRODUCTION_LIMIT: Final = 400
_SIGNATURE_LINES: Final = 12
_NAME_WORDS: Final = 8
_LINE_LIMIT: Final = 1_000  # a longer line is prose, whatever it holds


def _any(phrases: Sequence[str]) -> str:
    """A pattern for any of the phrases."""
    return "|".join(re.escape(phrase) for phrase in sorted(phrases, key=len, reverse=True))


_ADDRESS: Final = re.compile(r"[^\s<>@]{1,80}@[^\s<>@]{1,120}\.[^\s<>@]{2,40}")
_DATED: Final = re.compile(r"(?:19|20)[0-9]{2}|[0-9]{1,2}[./-][0-9]{1,2}[./-][0-9]{2}")
_TIMED: Final = re.compile(r"[0-9]{1,2}[:.h][0-9]{2}")
_WROTE: Final = re.compile(_any(WROTE))
_DASHES: Final = re.compile(rf"^[-_=*>\s]*(?:{_any(OLD_MESSAGE)})[-_=*:\s]*$", re.IGNORECASE)
_RULE: Final = re.compile(r"^[_\u2014-]{10,}$")
_LABEL: Final = re.compile(r"^[*_\s]{0,4}([^\s:\uff1a*][^:\uff1a*]{0,24}?)[\s*]{0,3}[:\uff1a]")
_SENT_FROM: Final = re.compile(rf"^[\s*_]*(?:{_any(SENT_FROM)})", re.IGNORECASE)
_PREFIX: Final = re.compile(r"^\s*([^\s:\uff1a\[\]]{1,8})(?:\[[0-9]{1,3}\])?\s?[:\uff1a]")


def own_words(text: str) -> str:
    """The lines that the sender wrote; empty where there are none."""
    own: list[str] = []
    lines = [line.rstrip() for line in text.splitlines()]
    place = 0
    while place < len(lines):
        line = lines[place].strip()
        length = _introduction_length(lines, place)
        if length:
            place += length
            if not _next_is_quoted(lines, place):
                break
        elif _begins_old_mail(lines, place):
            break
        elif line.startswith(">"):
            place += 1
        elif lines[place] in ("--", "--\u00a0", "\u2014") and own:
            place = _behind_signature(lines, place)
        else:
            if not _is_added(line):
                own.append(lines[place])
            place += 1
    return "\n".join(_without_closing(own)).strip()


def forwarded_words(text: str) -> str:
    """What is in a forwarded mail: everything below its headers, quoted or not."""
    lines = [line.lstrip("> ").rstrip() for line in text.splitlines()]
    kept = [line for line in lines if not (_DASHES.match(line) or _is_header(line))]
    return own_words("\n".join(kept))


def bare_subject(subject: str) -> tuple[str, bool, bool]:
    """The subject without what programs put before it, and whether the mail is a reply, and a forwarded one."""
    is_reply = is_forward = False
    subject = subject.strip()
    while (prefix := _PREFIX.match(subject)) and (word := prefix[1].lower()) in REPLIES | FORWARDS:
        is_forward = is_forward or word in FORWARDS
        is_reply = is_reply or word in REPLIES
        subject = subject[prefix.end() :].strip()
    return subject, is_reply, is_forward


def _introduction_length(lines: Sequence[str], place: int) -> int:
    """How many lines say who wrote what comes next; 0 where none do. Programs break that line where they like."""
    taken = ""
    for length in range(1, _INTRODUCTION_LINES + 1):
        if place + length > len(lines):
            return 0
        line = lines[place + length - 1].strip()
        if not line or len(line) > _INTRODUCTION_LIMIT or line.startswith(">"):
            return 0
        taken = f"{taken} {line}".strip()
        if len(taken) > _INTRODUCTION_LIMIT:
            return 0
        if line.endswith((":", "\uff1a")):
            return length if _introduces(taken) else 0
        if line.endswith((".", "!", "?")):  # a sentence was over
            return 0
    return 0


def _introduces(line: str) -> bool:
    is_addressed, is_dated = bool(_ADDRESS.search(line)), bool(_DATED.search(line))
    if _WROTE.search(line.lower()):
        return is_addressed or (is_dated and bool(_TIMED.search(line)))
    return is_addressed and is_dated and bool(_TIMED.search(line)) and _label(line) not in FROM


def _begins_old_mail(lines: Sequence[str], place: int) -> bool:
    line = lines[place].strip()
    if len(line) > _LINE_LIMIT or not line:
        return False
    if _DASHES.match(line):
        return True
    start = place + 1 if _RULE.match(line) else place
    following = [text for text in (each.strip() for each in lines[start : start + 8]) if text]
    if not following or _label(following[0]) not in FROM | OTHER_HEADERS:
        return False
    labels = [_label(text) for text in following[:6]]
    return any(label in FROM for label in labels) and sum(label in OTHER_HEADERS for label in labels) >= 2


def _is_header(line: str) -> bool:
    return len(line) <= _INTRODUCTION_LIMIT and _label(line) in FROM | OTHER_HEADERS


def _label(line: str) -> str:
    """What stands before the line's colon, as one word in small letters: ``*From:*`` is from; empty without."""
    match = _LABEL.match(line[:80])
    if match is None:
        return ""
    words = match[1].lower().strip("*_ ").split()
    return "".join(words) if len(words) <= 2 else ""


def _next_is_quoted(lines: Sequence[str], place: int) -> bool:
    following = next((line for line in lines[place:] if line.strip()), "")
    return following.lstrip().startswith(">")


def _behind_signature(lines: Sequence[str], place: int) -> int:
    """The place of what ends a signature: a quote, or the end."""
    while place < len(lines) and not lines[place].startswith(">") and not _introduction_length(lines, place):
        place += 1
    return place


def _is_added(line: str) -> bool:
    return len(line) <= 120 and bool(_SENT_FROM.match(line))


def _without_closing(own: list[str]) -> list[str]:
    """The lines up to the closing words, where these stand near the end, have words before and no sentence behind."""
    for place in range(max(1, len(own) - _SIGNATURE_LINES), len(own)):
        is_closing = own[place].strip().strip(",.!").lower() in CLOSINGS
        if is_closing and any(line.strip() for line in own[:place]) and not any(map(_is_sentence, own[place + 1 :])):
            return own[:place]
    return own


def _is_sentence(line: str) -> bool:
    """Whether it says more than a name, a job, an address or a number does."""
    words = line.split()
    return len(words) > _NAME_WORDS or (len(words) > 2 and line.rstrip().endswith((".", "!", "?", "。")))
