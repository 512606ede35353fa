"""Telephone numbers: international ones, the forms in which countries write theirs, and digits that are said to be one.

Prices, dates, order numbers and sizes are digits too, so a form that they could have counts only behind a word such as
"call" or "Tel." Sources: ITU-T E.164 and E.123, the numbering plans' own ways of writing. It does not know extensions
that stand apart from their number.
"""

import re
from collections.abc import Iterator
from typing import Final

from feedback.redaction.finding import HAS_DIGIT, Finding, ends_with, in_order

_GAP: Final = r"[ \t./()-]{0,3}"
_BEFORE: Final = r"(?<![\w+])(?<![.,:/\u20ac$\u00a3#-])(?<![\u20ac$\u00a3#][ ])"
_AFTER: Final = r"(?!\w)(?![.,/:-]\d)(?![ ]?[%\u20ac$\u00a3])"
_EXTENSION: Final = r"(?:[ ,;]{0,2}(?:x|ext\.?|extension|durchwahl|poste)[ .:]{0,2}\d{1,6})?"

# With a plus (7 to 15 digits) or two zeros before the country; a trunk zero may stand in brackets.
_INTERNATIONAL: Final = re.compile(
    rf"(?<![\w+])(?:\+[ ]?\(?|\(\+)[1-9]\d{{0,3}}(?:{_GAP}\d){{5,14}}(?!\d){_EXTENSION}"
    rf"|{_BEFORE}00[ ]?[1-9]\d{{0,2}}(?:{_GAP}\d){{7,12}}{_EXTENSION}{_AFTER}",
    re.IGNORECASE,
)
_NATIONAL: Final = re.compile(
    rf"{_BEFORE}(?:"
    # North America: (212) 555-0123, 1-212-555-0123, 212.555.0123
    r"(?:1[ .-]{1,3})?(?:\([2-9]\d\d\)[ .-]{0,3}[2-9]\d\d[ .-]{0,3}\d{4}|[2-9]\d\d(?P<dot>[ .-]|[ ]-[ ])"
    r"[2-9]\d\d(?P=dot)\d{4}"
    r"|[2-9]\d\d[ ./-]{1,2}[2-9]\d\d-\d{4})"
    # A trunk zero, as in most of Europe, Asia, Africa and Australia: 020 7946 0958, 0171/1234567, 01 23 45 67 89
    rf"|\(?0[1-9]\d{{0,4}}(?:{_GAP}\d){{5,10}}"
    # Sweden 08-12 34 56
    r"|0[1-9]\d?-\d\d \d\d \d\d"
    # Russia 8 (912) 345-67-89, Brazil (11) 91234-5678, China 138 1234 5678, India 98765 43210, Spain 612 34 56 78
    r"|8[ -]?\(?9\d\d\)?[ -]\d{3}[ -]?\d\d[ -]?\d\d|\(\d\d\)[ ]?9?\d{4}[ -]?\d{4}|1[3-9]\d[ -]\d{4}[ -]\d{4}"
    r"|[6-9]\d{4}[ -]\d{5}|[6-9]\d\d(?P<gap>[ .-])\d\d(?P=gap)\d\d(?P=gap)\d\d"
    rf"){_EXTENSION}{_AFTER}",
    re.IGNORECASE,
)
_SHORT: Final = re.compile(r"0[1-9]\d?-\d\d \d\d \d\d")
_SAID: Final = re.compile(rf"(?<![\w+])\+?\(?\d(?:{_GAP}\d){{6,14}}{_EXTENSION}{_AFTER}", re.IGNORECASE)
_SAYS: Final = re.compile(
    r"\b(?:call(?:ed|ing)?|phone(?:d)?|telephone|tel|telefon|telefono|tel\u00e9fono|t\u00e9l(?:\u00e9phone)?|telefoon|"
    r"mobile|mobil|"
    r"cell|cellphone|handy|m\u00f3vil|portable|movil|whats ?app|signal|telegram|text|sms|ring|fax|dial|reach|contact|"
    r"hotline|"
    r"landline|my number|numero|n\u00famero|nummer|tfno|ph|mob)\b"
    r"(?:[^\w\n]{1,3}(?:number|no|nr|num|is|are|at|on|me|us|back|under|home|work|office|my|the|via|through|this|ist|"
    r"unter|"
    r"mir|mich|auf|au|al|est|es|or|please|anytime|him|her|new|private|direct|line|phone|mobile|cell)"
    r"\b){0,6}[^\w\n]{0,4}\Z",
    re.IGNORECASE,
)

_ORDER: Final = re.compile(
    r"(?:#|\u2116|\b(?:orders?|ordernumber|invoice|ref|reference|ticket|case|tracking|parcel|shipment|article|item|sku|"
    r"serial|"
    r"model|part|rma|booking|reservation|confirmation|isbn|ean|upc|gtin|asin|barcode|batch|lot|bestell\w{0,12}|"
    r"rechnungs?\w{0,8}|auftrags?\w{0,8}|"
    r"artikel\w{0,8}|sendungs?\w{0,8}|commande|facture|colis|pedido|factura|ordine|fattura|bestelling|factuur)\b)"
    r"(?:[^\w\n]{0,3}(?:number|no|nr|num|id|code|is|was|ist|n\u00b0)\b){0,3}[^\w\n]{0,4}\Z",
    re.IGNORECASE,
)
_DATE: Final = re.compile(
    r"\(?(?:[0-3]?\d([./ -])[0-3]?\d\1(?:19|20)\d\d(?!\d)|(?:19|20)\d\d([./ -])[01]?\d\2[0-3]?\d(?!\d)|(?:19|20)"
    r"\d{6}(?!\d))"
)
_DECIMAL: Final = re.compile(r"\d{1,3}(?:[.,]\d{3})*[.,]\d\d|\d+\.\d+")
_NOT_DIGIT: Final = re.compile(r"\D")
_EXTENDED: Final = re.compile(r"[a-z].*", re.IGNORECASE | re.DOTALL)


def find_phones(text: str) -> Iterator[Finding]:
    """Numbers in the order in which they stand."""
    if HAS_DIGIT.search(text) is None:
        return
    found = [Finding("phone", *match.span()) for match in _INTERNATIONAL.finditer(text) if _digits(match[0]) >= 7]
    found += [Finding("phone", *match.span()) for match in _NATIONAL.finditer(text) if _is_phone(text, match)]
    for match in _SAID.finditer(text):
        if not _is_other(match[0]) and ends_with(_SAYS, text, match.start(), window=64):
            found.append(Finding("phone", *match.span()))
    yield from in_order(found)


def _is_phone(text: str, match: re.Match[str]) -> bool:
    return (
        9 - (_SHORT.fullmatch(match[0]) is not None) <= _digits(match[0]) <= 13
        and not _is_other(match[0])
        and not ends_with(_ORDER, text, match.start(), window=64)
    )


def _is_other(number: str) -> bool:
    return _DATE.match(number) is not None or _DECIMAL.fullmatch(number) is not None


def _digits(number: str) -> int:
    return len(_NOT_DIGIT.sub("", _EXTENDED.sub("", number)))
