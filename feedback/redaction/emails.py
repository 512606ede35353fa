"""E-mail addresses, also where somebody wrote them so that machines should not find them.

"jane.doe@example.com", "jane.doe (at) example (dot) com", "jane.doe at gmail dot com". A bare " at " is read as an at
sign only where what stands around it says so: people buy things at amazon dot com.
"""

import re
from collections.abc import Iterator
from typing import Final

from feedback.redaction.finding import Finding, ends_with

_AT: Final = re.compile(
    r"(?P<plain>@|%40)|[ \t]?[(\[{<][ \t]?(?:at|@|\u00e4t|arroba|chiocciola)[ \t]?[)\]}>][ \t]?"
    r"|(?P<loose>[ \t]{1,2}(?:@|at|AT|arroba|chiocciola)[ \t]{1,2}|(?<=\w)[ \t]@(?=\w)|(?<=\w)@[ \t])",
    re.IGNORECASE,
)
# One of them is in each at sign: looked for first, since most texts hold none.
_SIGNS: Final = ("@", "%40", " at ", "\tat", "at)", "at]", "at}", "at>", "t )", "t ]", "arroba", "chiocciola")
_DOTS: Final = r"(?:dot|punkt|punto|point|ponto|\.)"
_DOT: Final = rf"(?:\.|[ \t]?[(\[{{<][ \t]?{_DOTS}[ \t]?[)\]}}>][ \t]?|[ \t](?:dot|punkt|punto)[ \t])"
_LABEL: Final = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_HOST: Final = re.compile(
    rf"{_LABEL}(?:{_DOT}{_LABEL}){{0,6}}{_DOT}(?:xn--[\w-]{{2,59}}|[^\W\d_]{{2,24}})", re.IGNORECASE
)
_SPELT: Final = re.compile(
    rf"(?:[ \t]?[(\[{{<][ \t]?(?:{_DOTS}|underscore|_)[ \t]?[)\]}}>]|[ \t](?:dot|punkt|punto|underscore)(?=[ \t]))"
    rf"[ \t]?\Z",
    re.IGNORECASE,
)
_LOCAL: Final = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]")
_LOCAL_LIMIT: Final = 128
_CUE: Final = re.compile(
    r"\b(?:e-?mails?|mail|contact|reach|write|address|correo|adresse|kontakt)\b[^@\n]{0,24}\Z", re.I
)
_MAIL_HOST: Final = re.compile(
    r"(?:gmail|googlemail|yahoo|hotmail|outlook|live|icloud|aol|gmx|web|proton(?:mail)?|mail|t-online|yandex|qq|163)\b",
    re.IGNORECASE,
)

# "write me at jane.doe@example.com": what looks like a host goes on as the name before the real at sign.
_NAME_OF_ANOTHER: Final = re.compile(r"[\w.+-]{0,64}(?:@|%40)")


def find_emails(text: str) -> Iterator[Finding]:
    """Addresses with an at sign in any of its forms, a name before it and a host with a dot after it."""
    lowered = text.lower()
    if not any(sign in lowered for sign in _SIGNS):
        return
    after = 0
    for at in _AT.finditer(text):
        host = _HOST.match(text, at.end())
        start = _local_start(text, at.start(), after)
        if host is None or start is None:
            continue
        if at["loose"] is not None and (
            _NAME_OF_ANOTHER.match(text, host.end()) or not _is_meant(text, start, at.start(), at.end())
        ):
            continue
        after = host.end()
        yield Finding("email", start, after)


def _local_start(text: str, end: int, after: int) -> int | None:
    """Where the name before the at sign begins, at most so far back as the last finding; None without one."""
    start = end
    lowest = max(after, end - _LOCAL_LIMIT)
    while start > lowest:
        if _LOCAL.match(text[start - 1]):
            start -= 1
            continue
        spelt = _SPELT.search(text, max(lowest, start - 14), start)
        if spelt is None or spelt.start() <= lowest or not text[spelt.start() - 1].strip():
            break
        start = spelt.start()
    while start < end and text[start] in ".'`/=&?*|{}":
        start += 1
    return start if start < end and any(character.isalnum() for character in text[start:end]) else None


def _is_meant(text: str, start: int, end: int, host: int) -> bool:
    name = text[start:end]
    return (
        any(character.isdigit() or character in "._+" for character in name.strip("."))
        or _MAIL_HOST.match(text, host) is not None
        or ends_with(_CUE, text, start)
    )
