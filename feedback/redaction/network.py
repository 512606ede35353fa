"""Addresses of machines: IPv4, IPv6 and MAC. A person's router and phone have them. It does not know URLs."""

import re
from collections.abc import Iterator
from typing import Final

from feedback.redaction.finding import HAS_DIGIT, Finding, ends_with, in_order

_OCTET: Final = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_IPV4: Final = re.compile(rf"(?<![\w.])(?:{_OCTET}(?:\.|\[\.\])){{3}}{_OCTET}(?!\w|\.\d)", re.ASCII)
_VERSION: Final = re.compile(
    r"(?:\bv|version|firmware|release|build|update|app|ios|android|driver|software)[^\w\n]{0,3}\Z", re.I
)
_COLONS: Final = re.compile(r"(?<![\w:.])[0-9A-Fa-f:]{2,39}(?:%\w{1,16})?(?![\w:])", re.ASCII)
_GROUP: Final = re.compile(r"[0-9A-Fa-f]{1,4}")
_MAC: Final = re.compile(
    r"(?<![\w:.-])(?:[0-9A-Fa-f]{2}(?:(?::[0-9A-Fa-f]{2}){5}|(?:-[0-9A-Fa-f]{2}){5})|"
    r"[0-9A-Fa-f]{4}(?:\.[0-9A-Fa-f]{4}){2})"
    r"(?![\w:-])",
    re.ASCII,
)
_SAYS_MAC: Final = re.compile(r"[A-Fa-f]|:", re.ASCII)


def find_network_addresses(text: str) -> Iterator[Finding]:
    """The addresses in the order in which they stand."""
    if HAS_DIGIT.search(text) is None:
        return iter(())
    macs = (match for match in _MAC.finditer(text) if _SAYS_MAC.search(match[0]))
    longer = (match for match in _COLONS.finditer(text) if _is_ipv6(match[0].partition("%")[0]))
    shorter = (match for match in _IPV4.finditer(text) if not ends_with(_VERSION, text, match.start(), window=24))
    found = [Finding("mac", *match.span()) for match in macs]
    found += [Finding("ip", *match.span()) for match in (*longer, *shorter)]
    return in_order(found)


def _is_ipv6(text: str) -> bool:
    """RFC 4291: eight groups, or fewer around one `::`. Two groups at least, so that no emoticon is an address."""
    halves = text.split("::")
    groups = [group for half in halves for group in half.split(":") if half]
    if len(halves) > 2 or not all(_GROUP.fullmatch(group) for group in groups):
        return False
    if len(halves) == 1:
        return len(groups) == 8
    return 2 <= len(groups) <= 7 and any(len(group) >= 3 for group in groups)
