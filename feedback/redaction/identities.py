"""Numbers that states give to people, recognised by their form and check digits, and dates of birth.

A form that an order number could have as well counts only behind a word that says what it is. One table; a further
country is a further line. It does not know phones or bank accounts.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from feedback.redaction import checks
from feedback.redaction.finding import HAS_DIGIT, HAS_NUMBER, Finding, ends_with, in_order, whole

_SEPARATORS: Final = re.compile(r"[ ./-]")


_BEFORE: Final = r"(?<![\w.,-])"
_AFTER: Final = r"(?!\w|[.,-]\d)"
_FLAGS: Final = re.IGNORECASE | re.ASCII


class _Form(NamedTuple):
    written: str
    is_valid: Callable[[str], bool] | None = None
    cue: str = ""

    def find(self, text: str) -> Iterator[Finding]:
        """The valid ones, where the form has a cue only those behind it."""
        cue = re.compile(rf"\b(?:{self.cue})\b[^\d\n]{{0,24}}\Z", re.IGNORECASE) if self.cue else None
        for match in re.compile(f"{_BEFORE}(?:{self.written}){_AFTER}", _FLAGS).finditer(text):
            if cue is not None and not ends_with(cue, text, match.start()):
                continue
            if self.is_valid is None or self.is_valid(_SEPARATORS.sub("", match[0]).replace("+", "").upper()):
                yield Finding("id", *match.span())


_FORMS: Final = (
    _Form(r"\d{3}-\d{2}-\d{4}", checks.is_ssn),  # US
    _Form(r"\d{3} ?\d{2} ?\d{4}", checks.is_ssn, cue="ssn|ssns|social security|social|itin|tax ?id"),
    _Form(r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?:[ -]?\d\d){3}[ -]?[A-D]"),  # UK national insurance
    _Form(r"\d{3}[ -]?\d{3}[ -]?\d{4}", checks.is_nhs, cue="nhs"),
    _Form(r"\d{8}[ -]?[A-HJ-NP-TV-Z]|[XYZ][ -]?\d{7}[ -]?[A-HJ-NP-TV-Z]", checks.is_spanish),
    _Form(r"[12] ?\d\d ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d\d|2[AB]) ?\d{3} ?\d{3} ?\d\d", checks.is_french),
    _Form(r"[A-Z]{6}\d\d[A-EHLMPR-T]\d\d[A-Z]\d{3}[A-Z]", checks.is_italian),
    _Form(r"\d{4}[ .]?\d\d[ .]?\d{3}|\d{9}", checks.is_dutch, cue="bsn|burgerservicenummer|sofinummer"),
    _Form(r"\d\d ?\d{3} ?\d{3} ?\d{3}", checks.is_german, cue=r"steuer-?id\w*|steueridentifikationsnummer|idnr|tin"),
    _Form(r"\d\d(?:0\d|1[0-2])[0-3]\d[-+]\d{4}", checks.passes_luhn),  # Sweden
    _Form(r"(?:19|20)\d\d(?:0\d|1[0-2])[0-3]\d-\d{4}", lambda digits: checks.passes_luhn(digits[2:])),
    _Form(r"[0-3]\d[01]\d{3}[-+A]\d{3}[0-9A-FHJ-NPR-Y]", lambda code: checks.is_finnish(_finnish(code))),
    _Form(r"[0-7]\d[0-5]\d{3} ?\d{5}", checks.is_norwegian),
    _Form(r"[1-9]\d{10}", checks.is_turkish, cue=r"t\.?c\.?|tckn|kimlik"),
    _Form(r"\d{3}\.\d{3}\.\d{3}-\d\d", checks.is_brazilian),
    _Form(r"\d{11}", checks.is_brazilian, cue="cpf"),
    _Form(r"\d{4}[ -]\d{4}[ -]\d{4}", checks.is_indian),
    _Form(r"\d{12}", checks.is_indian, cue="aadhaar|aadhar|uidai"),
    _Form(r"[A-Z]{3}[ABCFGHJLPT][A-Z]\d{4}[A-Z]", cue="pan"),
    _Form(r"756[ .]\d{4}[ .]\d{4}[ .]\d\d|756\d{10}", checks.is_swiss),
    _Form(r"\d\d\.\d\d\.\d\d[- ]\d{3}[. ]\d\d", checks.is_belgian),
    _Form(r"\d{11}", checks.is_belgian, cue=r"rijksregister\w*|registre national|insz|niss"),
    _Form(r"\d{11}", checks.is_polish, cue="pesel"),
    _Form(r"\d{3}[ -]?\d{3}[ -]?\d{3}", checks.passes_luhn, cue="sin|social insurance"),  # Canada
    _Form(r"\d{3} ?\d{3} ?\d{2,3}", cue="tfn|tax file"),  # Australia
    _Form(r"[A-Z]{4}\d{6}[HM][A-Z]{5}[0-9A-Z]\d"),  # Mexico
    _Form(
        r"(?=[A-Z]{0,3}\d)[A-Z0-9]{6,14}",
        cue=r"passport|reisepass|passeport|pasaporte|passaporto|driver'?s? licen[cs]e|driving licen[cs]e"
        r"|identity card|id card|personalausweis|f\u00fchrerschein",
    ),
)

# Each of these is looked for once, since most texts hold none of the forms.
_PROVED: Final = tuple(form for form in _FORMS if not form.cue)
_SAID: Final = tuple(form for form in _FORMS if form.cue)
_ANY_PROVED: Final = re.compile(f"{_BEFORE}(?:{'|'.join(form.written for form in _PROVED)}){_AFTER}", _FLAGS)
_ANY_CUE: Final = re.compile(rf"\b(?:{'|'.join(form.cue for form in _SAID)})\b", re.IGNORECASE)

_MONTH: Final = r"(?:jan|feb|mar|m\u00e4r|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|dez)[a-z\u00e4]{0,7}\.?"
_DATE: Final = (
    r"\d{1,2}[./ -]{1,2}\d{1,2}[./ -]{1,2}(?:19|20)?\d\d|(?:19|20)\d\d[./-]\d\d?[./-]\d\d?"
    rf"|\d{{1,2}}(?:st|nd|rd|th|\.)?[ ](?:of )?{_MONTH},?[ ](?:19|20)?\d\d"
    rf"|{_MONTH}[ ]\d{{1,2}}(?:st|nd|rd|th)?,?[ ](?:19|20)\d\d"
)
_BIRTH: Final = re.compile(
    r"\b(?:born(?: on)?|date of birth|birth ?date|birthday|d\.?o\.?b\.?|geboren(?: am)?|geburtsdatum|n\u00e9e? le|"
    r"nacid[oa] el|nat[oa] il|geboortedatum)[^\w\n]{0,3}(?:is |was |ist |on )?"
    rf"(?P<found>{_DATE})(?!\w)",
    re.IGNORECASE,
)
_BIRTH_WORDS: Final = ("born", "birth", "dob", "d.o.b", "gebor", "geburt", "n\u00e9", "nacid", "nat")


def find_identities(text: str) -> Iterator[Finding]:
    """Valid numbers of every form, then dates of birth; of two at one place, the first of the table."""
    if HAS_DIGIT.search(text) is None:
        return
    lowered = text.lower()
    has_number = HAS_NUMBER.search(text) is not None or "pan" in lowered
    forms = [
        *(_PROVED if has_number and _ANY_PROVED.search(text) else ()),
        *(_SAID if has_number and _ANY_CUE.search(text) else ()),
    ]
    found = [finding for form in forms for finding in form.find(text)]
    if any(word in lowered for word in _BIRTH_WORDS):
        found += whole("date", _BIRTH, text)
    yield from in_order(found)


def _finnish(code: str) -> str:
    """With one sign for the century, which the check does not count."""
    return code if len(code) == 11 else f"{code[:6]}-{code[6:]}"
