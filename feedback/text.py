"""The one cleaning of text, used in training and in serving alike, so that the model never sees a second dialect.

Linear in the length of the text, deterministic across Python versions (it names its characters instead of asking
the interpreter's Unicode tables), and idempotent on anything but entities nested more than ``_PASSES`` deep. It does
not know tokens, languages or length limits.
"""

import html
import re
import unicodedata
from typing import Final

_PASSES: Final = 4

# Only real elements count as markup: "<3", "a < b" and "<very bad>" are what somebody wrote.
_ELEMENTS: Final = (
    "a|abbr|acronym|address|area|article|aside|audio|b|base|bdi|bdo|big|blockquote|body|br|button|canvas|caption|"
    "center|cite|code|col|colgroup|data|datalist|dd|del|details|dfn|dialog|div|dl|dt|em|embed|fieldset|figcaption|"
    "figure|font|footer|form|frame|frameset|h[1-6]|head|header|hr|html|i|iframe|img|input|ins|kbd|label|legend|li|"
    "link|main|map|mark|meta|meter|nav|noscript|object|ol|optgroup|option|output|p|param|picture|pre|progress|q|rp|"
    "rt|ruby|s|samp|script|section|select|small|source|span|strike|strong|style|sub|summary|sup|svg|table|tbody|td|"
    "template|textarea|tfoot|th|thead|time|title|tr|track|tt|u|ul|var|video|wbr|[a-z]{1,8}:[a-z]{1,16}"
)
_MARKUP: Final = re.compile(
    rf"<(?P<closing>/?)(?P<element>{_ELEMENTS})(?:[\s/][^<>]*)?>|(?P<comment><!--)|(?P<end>-->)|<[!?][a-z][^<>]*>",
    re.IGNORECASE,
)
# With its semicolon only, so that "Q&A&copy=2" stays; short only, since a number of 5,000 digits is no character.
_ENTITY: Final = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")
_TERMINAL_SEQUENCE: Final = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
# Controls that are no white space, soft hyphen, joiners and marks without width, bidirectional controls, surrogates,
# variation selectors, byte order mark, interlinear annotation, tags.
_INVISIBLE: Final = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb"
    "\U000e0000-\U000e01ef]"
)


def clean(text: str) -> str:
    """The text as the model reads it: no markup, entities or invisible characters, NFC, single spaces, trimmed."""
    for _ in range(_PASSES):
        cleaned = _clean_once(text)
        if cleaned == text:
            break
        text = cleaned
    return text


def compose(title: str | None, text: str) -> str:
    """Title and text as one cleaned string, ``title. text``; whichever is empty leaves no trace."""
    return ". ".join(part for part in (clean(title or ""), clean(text)) if part)


def _clean_once(text: str) -> str:
    text = _INVISIBLE.sub("", _TERMINAL_SEQUENCE.sub("", text))
    if "&" in text:
        text = _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)
    if "<" in text:
        text = _without_markup(text)
    return " ".join(unicodedata.normalize("NFC", text).split())


def _without_markup(text: str) -> str:
    """Every element becomes a space; what stands in a closed comment, script or style goes with it. One pass."""
    kept: list[str] = []
    opened: dict[str, int] = {}  # "script", "style" or "<!--": how many parts were kept when it opened
    position = 0
    for match in _MARKUP.finditer(text):
        is_end = match["end"] is not None
        if is_end and "<!--" not in opened:
            continue
        kept += (text[position : match.start()], " ")
        position = match.end()
        if match["comment"]:
            opened.setdefault("<!--", len(kept))
        elif is_end:
            _forget(kept, opened, "<!--")
        elif (element := (match["element"] or "").lower()) in ("script", "style"):
            if not match["closing"]:
                opened.setdefault(element, len(kept))
            elif element in opened:
                _forget(kept, opened, element)
    kept.append(text[position:])
    return "".join(kept)


def _forget(kept: list[str], opened: dict[str, int], what: str) -> None:
    """Drop all parts kept since ``what`` opened, and whatever opened inside it."""
    start = opened[what]
    del kept[start:]
    for name in [name for name, since in opened.items() if since >= start]:
        del opened[name]
