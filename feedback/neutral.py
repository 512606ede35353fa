"""Makes a stranger's text harmless where a person or a program will read it: it shows, and does nothing.

A customer's words travel into spreadsheets, chats and mails. Each of those gives some characters a power: a formula, a
mention, a link, a tag, another line. Every function here takes that power away for one place and
leaves the words readable. It does not know what the text says (personal data is taken out by `feedback.redaction`).
"""

import html
import re
from typing import Final

# Controls but tab and line feed; what turns the writing direction; zero-width and tag characters; half surrogates.
# Joiners stay: scripts and emoji are written with them.
_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
_LINE_BREAK: Final = re.compile("\r\n|[\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_SPACE: Final = re.compile(r"\s+")

_FORMULA: Final = re.compile(r"\s*[=+\-@|%\uff1d\uff0b\uff0d\uff20\u2212]")
_NUMBER: Final = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?")

WORD_JOINER: Final = "\u2060"
"""Has no width and is part of no address, so that what looks like a link or a mention stays what it looks like."""

# What chats turn into a link or a mention by themselves: a scheme, a dot between words, an at sign before a word.
_LINKED: Final = re.compile(r"(?<=:)(?=//)|(?<=\w\.)(?=\w)|(?<=@)(?=\w)|(?<=\bmailto:)|(?<=\btel:)", re.IGNORECASE)
_SLACK_STYLE: Final = re.compile(r"[*_~`]")
_MARKDOWN: Final = re.compile(r"([\\`*_{}\[\]()#+\-!|~])")


def plain(text: str) -> str:
    """The text without characters that act unseen; every kind of line break is a line feed."""
    return _UNSEEN.sub("", _LINE_BREAK.sub("\n", text))


def one_line(text: str) -> str:
    """The text on one line, for a mail's subject or a sentence: no line can be added to what stands around it."""
    return _SPACE.sub(" ", plain(text)).strip()


def csv_cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula; the CSV writer quotes. A plain number stays a number.

    See https://owasp.org/www-community/attacks/CSV_Injection: such a cell gets an apostrophe before it.
    """
    cell = plain(text)
    if _FORMULA.match(cell) and not _NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell


def slack_text(text: str) -> str:
    """Text within Slack's mrkdwn: no mention, link, channel, date or style comes out of it.

    See https://docs.slack.dev/messaging/formatting-message-text: three characters are escaped. What Slack would link
    or style by itself is parted by a character without width.
    """
    parted = _SLACK_STYLE.sub(lambda sign: f"{WORD_JOINER}{sign[0]}{WORD_JOINER}", _unlinked(plain(text)))
    escaped = html.escape(parted, quote=False)
    return re.sub(r"(?m)^(\s*)(?=&gt;)", rf"\1{WORD_JOINER}", escaped)


def teams_text(text: str) -> str:
    """Text within a card of Microsoft Teams, which reads Markdown and some HTML: it comes out as it was written."""
    escaped = html.escape(_unlinked(plain(text)), quote=False)
    return _MARKDOWN.sub(r"\\\1", escaped)


def _unlinked(text: str) -> str:
    return _LINKED.sub(WORD_JOINER, text)
