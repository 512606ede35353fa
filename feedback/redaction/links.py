"""Addresses on the web that let somebody in: with a name and password, or with a token in path or query.

Ordinary links stay, since what they point to is often what the feedback is about. It does not know tokens outside URLs.
"""

import re
from collections.abc import Iterator
from typing import Final

from feedback.redaction.finding import Finding

_URL: Final = re.compile(r"(?<![A-Za-z0-9])(?:[A-Za-z][A-Za-z0-9+.-]{1,20})://[^\s<>\"\x00]{1,2048}")
_CREDENTIALS: Final = re.compile(r"[A-Za-z0-9+.-]{1,21}://[^/?#\s@]{1,256}@")
_TOKEN_FIELD: Final = re.compile(
    r"[?&#;](?:[\w.-]{0,24}(?:token|secret|signature|passw(?:or)?d|credential|api[_-]?key|apikey|jwt|session(?:[_-]?id)?|"
    r"sid)"
    r"|key|sig|pwd|pass|auth|authkey|code|otp|pin|magic|invite|ticket|hash|x-goog-signature)=[^&#\s]{4,}",
    re.IGNORECASE,
)
_RANDOM: Final = re.compile(r"[/=]([A-Za-z0-9_~-]{24,})(?![A-Za-z0-9_~-])")
_HOOK: Final = re.compile(
    r"://(?:hooks\.slack\.com/|[\w.-]{1,64}\.webhook\.office\.com/|discord(?:app)?\.com/api/webhooks/)"
)
_TURN: Final = re.compile(r"[a-z](?=[A-Z])|[A-Za-z](?=[0-9])|[0-9](?=[A-Za-z])")
_TRAILING: Final = ".,;:!?)]}'*_"


def find_links(text: str) -> Iterator[Finding]:
    """Links that hold credentials or tokens, whole."""
    if "://" not in text:
        return
    for match in _URL.finditer(text):
        url = match[0].rstrip(_TRAILING)
        if _CREDENTIALS.match(url) or _TOKEN_FIELD.search(url) or _HOOK.search(url) or _has_random_part(url):
            yield Finding("link", match.start(), match.start() + len(url))


def _has_random_part(url: str) -> bool:
    return any(looks_random(match[1]) for match in _RANDOM.finditer(url))


def looks_random(text: str) -> bool:
    """Whether a long word is more likely a machine's than a person's: capitals in the midst of it, or a hexadecimal
    number. Words joined by hyphens are titles of pages."""
    part: str = max(re.split(r"[-_~]", text), key=len)
    if len(part) < 12:
        return False
    digits = sum(character.isdigit() for character in part)
    if re.fullmatch(r"[0-9a-fA-F]+", part):
        return digits >= 6
    return len(_TURN.findall(part)) >= 3 or digits * 4 > len(part)
