"""Payment cards and bank accounts: numbers that prove themselves by their check digits, and labelled ones.

A card is a number of an issuer's length and first digits that passes Luhn; an IBAN one of its country's length that
leaves 1 modulo 97. Sources: ISO/IEC 7812, ISO 13616 (the SWIFT registry of IBAN formats).
"""

import re
from collections.abc import Iterator
from typing import Final

from feedback.redaction.checks import is_iban, passes_luhn
from feedback.redaction.finding import HAS_DIGIT, HAS_NUMBER, Finding, ends_with, in_order, whole

_RUN: Final = re.compile(r"(?<![\d])\d(?:[ \t./_-]{0,3}\d){11,39}")
_GROUP: Final = re.compile(r"\d+")
_ISSUER: Final = re.compile(
    r"(?:4\d{15}(?:\d{3})?|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}"
    r"|6(?:011|5\d\d|4[4-9]\d)\d{12}(?:\d{3})?|62\d{14,17}|3(?:0[0-5]|[689]\d)\d{11}|35(?:2[89]|[3-8]\d)\d{12}|(?:2131|1800)\d{11}"
    r"|(?:50|5[6-9]|6[0137])\d{14,17}|220[0-4]\d{12})"
)

# So short that an article number (EAN-13) could be one: only where a card is spoken of.
_SHORT: Final = re.compile(r"4\d{12}|(?:50|5[6-9]|6\d)\d{10,11}")
_SAYS_CARD: Final = re.compile(
    r"\b(?:card|visa|maestro|debit|credit|karte|carte|tarjeta|carta)\b[^\d\n]{0,24}\Z", re.IGNORECASE
)

_IBAN_START: Final = re.compile(r"(?<![^\W_])[A-Za-z]{2}[ \t]?\d[ \t]?\d(?=[ \t._-]{0,2}[A-Za-z\d])")
_IBAN_REST: Final = re.compile(r"(?:[ \t._-]{0,2}[A-Za-z\d]){11,32}")
_SEPARATORS: Final = re.compile(r"[ \t._-]")
_IBAN_LENGTHS: Final = {
    country: length
    for length, countries in {
        15: "NO",
        16: "BE",
        18: "DK FI FK FO GL NL SD",
        19: "MK SI",
        20: "AT BA EE KZ LT LU MN XK",
        21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS",
        23: "AE GI IL IQ OM SO TL",
        24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST",
        26: "IS TR",
        27: "BI DJ FR GR IT MC MR SM",
        28: "AL AZ BY CY DO GT HN HU LB NI PL SV",
        29: "BR EG PS QA UA",
        30: "JO KW MU YE",
        31: "MT SC",
        32: "LC",
        33: "RU",
    }.items()
    for country in countries.split()
}

_CODE: Final = re.compile(
    r"\b(?:cvv2?|cvc2?|card (?:security|verification) (?:code|number)|security code)[^\w\n]{0,3}(?:is|was|no|number)?"
    r"[^\w\n]{0,3}(?P<found>\d{3,4})(?!\w)",
    re.IGNORECASE,
)
_ACCOUNT: Final = re.compile(
    r"\b(?:(?:bank )?(?:account|acct|a/c)[ \t]?(?:no|nr|num|number|#)|sort[ -]?code|routing(?:[ \t]?(?:no|number))?"
    r"|konto(?:nummer|nr)?|blz|bankleitzahl|rekeningnummer|num[e\u00e9]ro de compte|n[u\u00fa]mero de cuenta)\b"
    r"[^\w\n]{0,4}(?:(?:is|ist|est|es)[^\w\n]{1,3})?(?P<found>\d(?:[ \t./-]?\d){5,19})(?!\w)",
    re.IGNORECASE,
)


def find_accounts(text: str) -> Iterator[Finding]:
    """Cards, IBANs, card codes and labelled accounts, in the order in which they stand."""
    if HAS_DIGIT.search(text) is None:
        return
    found = list(whole("card", _CODE, text))
    if HAS_NUMBER.search(text) is not None:
        found += [*_ibans(text), *_cards(text), *whole("account", _ACCOUNT, text)]
    yield from in_order(found)


def _cards(text: str) -> Iterator[Finding]:
    """A run of digit groups may hold more than the card (its expiry, its code): each group may be the first or last."""
    for run in _RUN.finditer(text):
        groups = [group.span() for group in _GROUP.finditer(text, run.start(), run.end())]
        first = 0
        while first < len(groups):
            last = _card_end(text, groups, first)
            if last is None:
                first += 1
                continue
            yield Finding("card", groups[first][0], groups[last][1])
            first = last + 1


def _card_end(text: str, groups: list[tuple[int, int]], first: int) -> int | None:
    digits = ""
    for last in range(first, len(groups)):
        digits += text[slice(*groups[last])]
        if len(digits) > 19:
            return None
        if len(digits) >= 12 and _is_card(text, groups[first][0], digits):
            return last
    return None


def _is_card(text: str, start: int, digits: str) -> bool:
    is_form = _ISSUER.fullmatch(digits) or (_SHORT.fullmatch(digits) and ends_with(_SAYS_CARD, text, start))
    return bool(is_form) and passes_luhn(digits)


def _ibans(text: str) -> Iterator[Finding]:
    for start in _IBAN_START.finditer(text):
        length = _IBAN_LENGTHS.get(start[0][:2].upper())
        rest = _IBAN_REST.match(text, start.end()) if length else None
        if length is None or rest is None:
            continue
        compact, position = _SEPARATORS.sub("", start[0]), start.end()
        while len(compact) < length and position < rest.end():
            if text[position].isalnum():
                compact += text[position]
            position += 1
        if len(compact) == length and not text[position : position + 1].isalnum() and is_iban(compact.upper()):
            yield Finding("iban", start.start(), position)
