"""Postal addresses, where their form shows them: number and street, a town behind it, post boxes, British postcodes.

Streets are written with capitals; "a 5 star place" and "10 minutes from Oxford Street" are no addresses. An address
that is described ("the red house behind the church") is not found, nor one in a script without capitals.
"""

import re
from collections.abc import Iterator
from typing import Final

from feedback.redaction.finding import HAS_DIGIT, Finding, in_order, whole

_UPPER: Final = "A-Z\u00c0-\u00d6\u00d8-\u00de"
_NAME: Final = rf"[{_UPPER}][\w'.-]{{0,30}}"
_ENGLISH_KIND: Final = (
    "Street|St|Avenue|Ave|Av|Road|Rd|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Way|Place|Pl|Square|Sq|Terrace|Ter|Close|"
    "Crescent|Cres|Gardens|Gdns|Grove|Parkway|Pkwy|Highway|Hwy|Circle|Cir|Trail|Trl|Row|Mews|Hill|Broadway|Walk|Loop|"
    "Alley|Rise|Byway|Circuit|Path|Pass|Expressway|Turnpike|Crossing|Ridge|Cove|Hollow|Landing|Quay|Wharf|Wynd|Parade|"
    "Esplanade|Promenade|Green|Heath|Nagar|Marg|Rue"
)
_UNIT: Final = r"(?:,?[ ](?:(?:Apt|Apartment|Unit|Suite|Ste|Flat|Floor|Room|Rm|No)\.?[ ]?#?|#[ ]?)[\w-]{1,8})?"
_UK_CODE: Final = (
    r"(?:[A-PR-UWYZ](?:\d{1,2}|[A-HK-Y]\d{1,2}|\d[A-HJKPSTUW]|[A-HK-Y]\d[ABEHMNPRV-Y])[ ]\d[ABD-HJLNP-UW-Z]{2})"
)
_TOWN: Final = rf"[{_UPPER}][\w'.-]{{1,30}}(?:[ -][{_UPPER}][\w'.-]{{1,30}}){{0,3}}"
_US_TAIL: Final = rf"(?:,?[ \n](?:{_TOWN},?[ ])?[A-Z]{{2}}\.?,?[ ]\d{{5}}(?:-\d{{4}})?)"
_UK_TAIL: Final = rf"(?:,?[ \n](?:{_TOWN},?[ \n]{{1,2}}){{0,2}}{_UK_CODE})"
_EURO_TAIL: Final = rf"(?:,?[ \n]{{1,2}}(?:[A-Z]{{1,2}}-)?\d{{4,5}}(?:[ ][A-Z]{{2}})?[ ]{_TOWN})"

_ENGLISH: Final = re.compile(
    rf"(?:\b(?:Flat|Apt|Apartment|Unit|Suite)[ ][\w-]{{1,6}},?[ ])?(?<![\w.,$\u20ac\u00a3-])\d{{1,5}}(?:[A-Za-z]|"
    rf"[-/]\d{{1,4}})?,?[ ]"
    rf"(?:[NSEW]{{1,2}}\.?[ ])?(?!Stars?\b)(?:(?:{_NAME}|\d{{1,3}}(?:st|nd|rd|th))[ ]){{1,4}}(?:{_ENGLISH_KIND})"
    rf"\b\.?(?:[ ][NSEW]{{1,2}}\b\.?)?"
    rf"{_UNIT}(?:{_US_TAIL}|{_UK_TAIL})?"
)
_LIVES: Final = re.compile(
    r"\b(?:live|lives|living|reside|home|address|ship(?:ped)?|deliver(?:ed)?|send|sent)\b(?:[ ](?:is|it|this|them|that|"
    r"to|at|on|in|me|my|us|"
    r"home|house|new|address)){0,5}[ :]{1,3}(?P<found>\d{1,5}[a-z]?[ ](?:[a-z][\w'.-]{1,24}[ ]){1,3}"
    rf"(?:{_ENGLISH_KIND.lower()})\b\.?{_UNIT})",
    re.IGNORECASE,
)
_SUFFIXES: Final = (
    "stra\u00dfe|strasse|str|weg|platz|allee|gasse|ring|damm|ufer|chaussee|markt|straat|laan|plein|gracht|kade|dijk|"
    "singel|steeg|hof|baan|gatan|v\u00e4gen|torget|stigen|gade|vej|str\u00e6de|veien|gata|katu|tie|polku|kuja"
)
_SUFFIXED: Final = re.compile(
    rf"(?<![\w'.-])(?:{_NAME}[ ]){{0,2}}(?:[{_UPPER}][\w'-]{{1,40}}?(?i:{_SUFFIXES})\.?"
    r"|(?:Stra\u00dfe|Strasse|Str\.|Weg|Platz|Allee|Gasse|All\u00e9))"
    rf"[ ]\d{{1,4}}[ ]?(?:[a-zA-Z](?!\w))?(?:[-/][ ]?\d{{1,4}})?(?!\w|[.,]\d){_EURO_TAIL}?"
)
_FRENCH_KINDS: Final = "rue|avenue|boulevard|bd|place|chemin|all\u00e9e|impasse|quai|route|cours|square"
_FRENCH: Final = re.compile(
    rf"(?<![\w.,-])\d{{1,4}}(?:[ ]?(?:bis|ter|quater))?,?[ ]"
    rf"(?i:{_FRENCH_KINDS})[ ]"
    rf"(?:(?:de|du|des|la|le|les|d'|l'|de l')[ ]?){{0,3}}{_NAME}(?:[ -](?:(?:de|du|des|la)[ ])?{_NAME}){{0,3}}"
    rf"{_EURO_TAIL}?"
)
_SOUTHERN_KINDS: Final = (
    r"Calle|C/|Avenida|Avda\.?|Av\.?|Plaza|Paseo|Pasaje|Rambla|Ronda|Camino|Glorieta|Alameda|Carrer|Via|Viale|Vicolo|"
    r"Piazza|Corso|Strada|Contrada|Borgo|Rua|Travessa|Largo|Pra\u00e7a|Estrada|ul\.|[Uu]lica|[Aa]leja|al\.|pl\."
    r"|\u0443\u043b\.|\u0443\u043b\u0438\u0446\u0430|\u043f\u0440\.|\u043f\u0440\u043e\u0441\u043f\u0435\u043a\u0442"
)
_SOUTHERN: Final = re.compile(
    rf"(?<!\w)(?:{_SOUTHERN_KINDS})[ ](?:(?:de la|del|de|della|dei|delle|da|do|dos)[ ])?[^\W\d_a-z][\w'.-]{{0,30}}"
    rf"(?:[ ](?:(?:de|del|la|di|da)[ ])?[^\W\d_a-z][\w'.-]{{0,30}}){{0,3}}"
    rf",?[ ](?:n\u00ba[ ]?|n[.\u00b0][ ]?|\u0434\.[ ]?)?\d{{1,4}}(?!\w){_EURO_TAIL}?"
)
_BOX: Final = re.compile(
    r"\b(?:P\.?[ ]?O\.?[ ]?Box|Postfach|Bo\u00eete postale|Apartado(?: de correos)?|Postbus)[ ]#?\d{1,6}\b",
    re.IGNORECASE,
)
_POSTCODE: Final = re.compile(rf"(?<![\w-]){_UK_CODE}(?!\w)")

# With what one of them stands in each match: looked for first, since most texts hold none.
_FORMS: Final = (
    (_ENGLISH, (" ",)),
    (_POSTCODE, (" ",)),
    (_LIVES, ("live", "living", "reside", "home", "address", "ship", "send", "sent")),
    (_SUFFIXED, tuple(_SUFFIXES.split("|"))),
    (_FRENCH, tuple(_FRENCH_KINDS.split("|"))),
    (_SOUTHERN, (" ",)),
    (_BOX, ("box", "postfach", "postale", "apartado", "postbus")),
)


def find_addresses(text: str) -> Iterator[Finding]:
    """Addresses in the order in which they stand; of two that overlap, the first and longest."""
    if HAS_DIGIT.search(text) is None:
        return
    lowered = text.lower()
    forms = [form for form, words in _FORMS if any(word in lowered for word in words)]
    yield from in_order(finding for form in forms for finding in whole("address", form, text))
