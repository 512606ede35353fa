"""The redaction of one text: what it looks like afterwards, and how many findings of which kind it held.

Detectors run from the most certain to the least, and what one has found the next ones do not see, so findings never
overlap. It does not know the original afterwards: keeping it (or not) is the caller's decision.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from feedback.redaction.accounts import find_accounts
from feedback.redaction.addresses import find_addresses
from feedback.redaction.emails import find_emails
from feedback.redaction.finding import FOUND, Finding
from feedback.redaction.folding import fold
from feedback.redaction.identities import find_identities
from feedback.redaction.links import find_links
from feedback.redaction.names import find_names
from feedback.redaction.network import find_network_addresses
from feedback.redaction.phones import find_phones
from feedback.redaction.secrets import find_secrets

Detector = Callable[[str], Iterable[Finding]]

_DETECTORS: Final[tuple[Detector, ...]] = (
    find_links,
    find_secrets,
    find_emails,
    find_accounts,
    find_identities,
    find_network_addresses,
    find_phones,
    find_addresses,
    find_names,
)


@dataclass(frozen=True, kw_only=True)
class Redaction:
    """``text`` holds a placeholder such as `[email]` for each finding; ``found`` counts them by kind."""

    text: str
    found: Mapping[str, int]


def redact(text: str) -> Redaction:
    """The text with what is personal or secret replaced; the rest of it is untouched, character by character."""
    folded = fold(text)
    seen = folded.text.replace(FOUND, " ")
    findings: list[Finding] = []
    for detect in _DETECTORS:
        new = list(detect(seen))
        if new:
            findings += new
            seen = _covered(seen, new)
    if not findings:
        return Redaction(text=text, found={})
    parts: list[str] = []
    position = 0
    for finding in sorted(findings, key=lambda each: each.start):
        start, end = folded.original(finding.start, finding.end)
        parts += (text[position:start], f"[{finding.kind}]")
        position = end
    parts.append(text[position:])
    return Redaction(text="".join(parts), found=dict(Counter(finding.kind for finding in findings)))


def _covered(text: str, findings: Iterable[Finding]) -> str:
    parts: list[str] = []
    position = 0
    for finding in findings:
        parts += (text[position : finding.start], FOUND * (finding.end - finding.start))
        position = finding.end
    return "".join((*parts, text[position:]))
