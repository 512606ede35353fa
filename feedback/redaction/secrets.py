"""Keys, tokens and passwords: by the form that their makers gave them, or by the word that stands before them.

Sources of the forms: the makers' documentation of their prefixes, RFC 7519 (JWT), RFC 7468 (PEM). It does not know
URLs; a secret within one is left to `links`.
"""

import re
from collections.abc import Iterator
from typing import Final

from feedback.redaction.finding import HAS_DIGIT, Finding, in_order, whole
from feedback.redaction.links import looks_random

_KEY_BLOCK: Final = re.compile(
    r"-----BEGIN (?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:[^-]|-(?!----END)){0,12000}(?:-----END [A-Z0-9 ]{0,48}-----)?"
)
_FORMS: Final = (
    r"(?:AKIA|ASIA|ABIA|ACCA|AROA|AIDA)[A-Z0-9]{16}",  # AWS
    r"gh[pousr]_[A-Za-z0-9]{30,255}|github_pat_[A-Za-z0-9_]{22,255}|glpat-[\w-]{20,255}",  # GitHub, GitLab
    r"xox[abeoprs]-[\w-]{10,255}|xapp-[\w-]{10,255}",  # Slack
    r"(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{10,255}|whsec_[A-Za-z0-9+/=]{20,255}",  # Stripe
    r"AIza[\w-]{35}|ya29\.[\w-]{20,512}|GOCSPX-[\w-]{20,64}",  # Google
    r"sk-(?:proj-|ant-|live-|test-)?[A-Za-z0-9_-]{20,255}|hf_[A-Za-z0-9]{30,64}",  # OpenAI, Anthropic, Hugging Face
    r"SG\.[\w-]{16,32}\.[\w-]{30,64}|key-[0-9a-f]{32}|(?:SK|AC)[0-9a-f]{32}",  # SendGrid, Mailgun, Twilio
    r"npm_[A-Za-z0-9]{36}|pypi-[\w-]{16,255}|dop_v1_[0-9a-f]{64}|shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}",
    r"\d{8,10}:AA[\w-]{33}",  # Telegram
    r"eyJ[\w-]{8,4096}\.[\w-]{4,8192}(?:\.[\w-]{0,2048})?",  # JWT
)
_FORM: Final = re.compile(rf"(?<![A-Za-z0-9_])(?:{'|'.join(_FORMS)})(?![A-Za-z0-9])", re.ASCII)
_HEADER: Final = re.compile(
    r"\b(?:Bearer|Basic)[ \t]{1,3}(?=[A-Za-z._~+/-]{0,64}[\d=])(?P<found>[A-Za-z0-9._~+/-]{12,4096}={0,2})",
    re.IGNORECASE,
)
_PASSWORD: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:pass ?word|passwd|pwd|pass ?phrase|pass ?code|passwort|kennwort|mot de passe|contrase\u00f1a|"
    r"senha|wachtwoord|parola|login)"
    r"(?:[ \t](?:for|to)[ \t](?:my |the |your )?[\w.-]{1,24}){0,2}"
    r"(?P<sign>[ \t]{0,2}(?:[:=]{1,2}|->|=>)[ \t]{0,2}|[ \t]{1,2}(?:is|was|ist|est|es|\u00e8)[ \t]{0,2}:?[ \t]{1,2}"
    r"|[ \t]{1,2}(?=[\"'`\u201c]))[\"'`\u201c]?"
    r"(?P<found>[^\s\"'`,;\[\x00\u201c\u201d][^\s\"'`\x00\u201c\u201d]{2,127})",
    re.IGNORECASE,
)
_LABELLED: Final = re.compile(
    r"(?:token|secret|api[ _-]?key|access[ _-]?key|secret[ _-]?key|private[ _-]?key|account[ _-]?key|"
    r"auth[ _-]?key|client[ _-]?id|credential|signature)s?[\"']?"
    r"[ \t]{0,2}(?:[:=]{1,2}|=>|->|[ \t]is|[ \t]was)[ \t]{0,2}[\"'`]?(?P<found>[A-Za-z0-9_.~+/=!@#$%^&*-]{6,512})",
    re.IGNORECASE,
)
_PIN: Final = re.compile(
    r"\b(?:pin|tan|otp|one[ -]time (?:code|password)|verification code|security pin|puk)(?:[ -]?(?:code|number|no))?"
    r"[ \t]{0,2}(?:[:=#]|is|was|ist)[ \t]{0,2}(?P<found>\d{4,8})(?!\w|[.,]\d)",
    re.IGNORECASE,
)
# One of them is in each match: looked for first, since most texts hold none.
_PASSWORD_WORDS: Final = ("pass", "pwd", "kennwort", "contrase", "senha", "wachtwoord", "parola", "login")
_LABEL_WORDS: Final = ("token", "secret", "key", "client", "credential", "signature")
_TRAILING: Final = ".,;:!?)]}"


def find_secrets(text: str) -> Iterator[Finding]:
    """Key blocks, tokens of known makers, and what stands behind a word such as password."""
    lowered = text.lower()
    found = list(whole("secret", _FORM, text))
    if "-----" in text:
        found += whole("secret", _KEY_BLOCK, text)
    if HAS_DIGIT.search(text) is not None:
        found += whole("secret", _PIN, text)
    if "bearer" in lowered or "basic" in lowered:
        found += whole("secret", _HEADER, text)
    if any(word in lowered for word in _PASSWORD_WORDS):
        found += _passwords(text)
    if any(word in lowered for word in _LABEL_WORDS):
        found += _labelled(text)
    yield from in_order(found)


def _passwords(text: str) -> Iterator[Finding]:
    for match in _PASSWORD.finditer(text):
        start, end = _trimmed(text, *match.span("found"))
        is_assigned = "=" in match["sign"]
        if end - start >= 3 and (is_assigned or _is_no_word(text[start:end])) and "://" not in text[start:end]:
            yield Finding("secret", start, end)


def _labelled(text: str) -> Iterator[Finding]:
    for match in _LABELLED.finditer(text):
        start, end = _trimmed(text, *match.span("found"))
        if end - start >= 6 and (HAS_DIGIT.search(text, start, end) is not None or looks_random(text[start:end])):
            yield Finding("secret", start, end)


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while end > start and text[end - 1] in _TRAILING:
        end -= 1
    return start, end


def _is_no_word(text: str) -> bool:
    """People also write "password: forgotten". A digit, a sign or a capital within says that it is one."""
    inner = text[1:]
    has_sign = any(not character.isalpha() and character not in "-'/" for character in text)
    return has_sign or (inner.lower() != inner and text.upper() != text)
