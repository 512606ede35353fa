"""Names of people where their place gives them away: under a letter, and behind "my name is".

A name within a sentence looks like any other word with a capital, and the person named is as often the product; those
are not found. It does not know lists of names.
"""

import re
from collections.abc import Iterator
from typing import Final

from feedback.redaction.finding import Finding, in_order

_UPPER: Final = "A-Z\u00c0-\u00d6\u00d8-\u00de\u0100\u0106\u010c\u0141\u015a\u0160\u0179\u017b\u017d"
_WORD: Final = rf"[{_UPPER}][\w'\u00b7-]{{1,24}}"
_PARTICLE: Final = r"(?:van|von|de|der|den|da|di|la|le|el|bin|al|du|dos|ter|zu|af|O')"
_NAME: Final = rf"(?:{_WORD}|[{_UPPER}]\.)(?:[ ](?:{_PARTICLE}[ ]){{0,2}}(?:{_WORD}|[{_UPPER}]\.?(?!\w))){{0,3}}"

_CLOSINGS: Final = (
    r"(?:with )?(?:(?:best|kind|warm|kindest|warmest|many|friendly) )?(?:regards|wishes|greetings)",
    r"(?:yours )?(?:sincerely|faithfully|truly|respectfully)(?: yours)?|yours|signed|sent by|cheers",
    r"(?:(?:many|kind) )?thanks(?: (?:again|in advance|so much|a lot))?",
    r"thank you(?: (?:again|in advance|so much|very much))?",
    r"(?:mit )?(?:freundliche|beste|liebe|herzliche|viele|sch\u00f6ne)n? gr(?:\u00fc|ue)(?:\u00df|ss)en?|lg|mfg|vg",
    r"(?:bien )?cordialement|bien \u00e0 vous|salutations(?: distingu\u00e9es)?",
    r"(?:un )?(?:cordial )?saludos?(?: cordiales)?|atentamente|atenciosamente",
    r"(?:cordiali |distinti )?saluti|(?:met )?(?:vriendelijke |hartelijke )?groet(?:en)?|groetjes",
    r"med v\u00e4nlig h\u00e4lsning|pozdrawiam",
)
_CLOSING: Final = re.compile(
    rf"(?:^|(?<=[\n.!?,;]))[ \t]{{0,8}}(?:{'|'.join(_CLOSINGS)})"
    r"(?P<sign>[ \t]{0,3}[,.!]?[ \t]{0,3}(?:\n[ \t]{0,8}){1,3}[-\u2013\u2014~]?[ \t]?|[ \t]{0,2}[,:-][ \t]{1,3})"
    rf"(?P<found>(?-i:{_NAME}))[ \t]{{0,4}}(?:[\n,.(|/\x00-]|\Z)",
    re.IGNORECASE | re.MULTILINE,
)
_INTRODUCTIONS: Final = (
    r"my (?:full |first |last )?name(?: is|'s|s)|(?:i am|i'm) called|mein name ist|ich hei(?:\u00df|ss)e",
    r"je m'appelle|mon nom est|me llamo|mi nombre es|mi chiamo|il mio nome \u00e8|mijn naam is|ik heet",
    r"meu nome \u00e9|me chamo|jag heter|mitt namn \u00e4r",
)
# What follows a name that is written without capitals.
_NO_SURNAME: Final = (
    "and|but|i|from|on|or|with|the|a|an|of|in|at|my|to|because|not|who|is|was|here|for|so|"
    "und|aber|ich|aus|et|mais|je|y|pero|e|ma|en|maar"
)
_SMALL: Final = r"[^\W\d_][\w'-]{1,24}"
_INTRODUCTION: Final = re.compile(
    rf"\b(?:{'|'.join(_INTRODUCTIONS)})[ :]{{1,3}}"
    rf"(?P<found>(?-i:{_NAME})|{_SMALL}(?:[ ](?!(?:{_NO_SURNAME})\b){_SMALL})?)",
    re.IGNORECASE,
)
_SPEAKING: Final = re.compile(
    rf"\b(?:[Tt]his is|[Ii] am|I'm|[Hh]ier ist|[Ii]ci) (?P<found>{_NAME}),?(?= (?:here|speaking|calling|writing|"
    rf"from [{_UPPER}]|am Apparat))"
)
_LABEL: Final = re.compile(
    rf"(?:^|(?<=[\n;,.]))[ \t]{{0,4}}(?:(?:full |first |last |customer |contact |sur)?name|nom|nombre|nome|naam)"
    rf"[ \t]{{0,2}}:[ \t]{{0,3}}"
    rf"(?P<found>(?-i:{_NAME}))",
    re.IGNORECASE | re.MULTILINE,
)
# One of them is in each introduction and label: looked for first, since most texts hold none.
_WORDS: Final = ("nam", "nom", "called", "hei\u00df", "heiss", "appelle", "llamo", "chiamo", "heet", "chamo", "heter")
# What stands under letters and is nobody's name.
_NOBODY: Final = re.compile(
    r"(?:the|your|our|team|customer|support|service|sir|madam|all|everyone|guys|again|amazon|a|an|i|it|but|and|very|so|"
    r"will|for|to|not|great|good|love|best|sent|dear|hello|hi|regards|thanks|thank|please|no|yes|anonymous|you|we|my|"
    r"this|that|these|they|there|if|would|just|can|overall|what|when|recommended|highly|order|ps|p\.s\.|"
    r"das|die|der|ich|wir|le|la|les)\b",
    re.IGNORECASE,
)


def find_names(text: str) -> Iterator[Finding]:
    """Names under closings, in introductions and behind labels, in the order in which they stand."""
    lowered = text.lower()
    patterns = [_CLOSING, _SPEAKING]
    if any(word in lowered for word in _WORDS):
        patterns += [_INTRODUCTION, _LABEL]
    found = [
        Finding("name", *match.span("found"))
        for pattern in patterns
        for match in pattern.finditer(text)
        if not _NOBODY.match(match["found"]) and _is_closing(match)
    ]
    yield from in_order(found)


def _is_closing(match: re.Match[str]) -> bool:
    """Without a line of its own a name counts at the end of the text only: "Thanks, Nike." goes on in a review."""
    groups = match.re.groupindex
    if "sign" not in groups or "\n" in match["sign"]:
        return True
    return not match.string[match.end() :].strip() and len(match["found"].split()) <= 3
