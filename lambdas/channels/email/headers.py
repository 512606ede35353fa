"""What a mail's headers say: who sent it, whether that is proven, whether a person did, and what it is about.

The headers are a stranger's. Of a header that SES writes itself the first counts, since SES writes above whatever came
with the mail. It does not know the mail's text.
https://docs.aws.amazon.com/ses/latest/dg/receiving-email-action-s3.html
"""

import re
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Final

Headers = Mapping[str, Sequence[str]]
"""The values by the header's name in small letters, from the top."""

_PRODUCT: Final = r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}"
_PLUS: Final = re.compile(rf"[^@+\s]{{1,64}}\+({_PRODUCT})@")
_SUBJECT_TAG: Final = re.compile(rf"\[(?:product|item|sku|artikel|article)?[:\s#]{{0,3}}({_PRODUCT})\]", re.IGNORECASE)
_RECEIVED_FOR: Final = re.compile(r"\bfor\s+<?([^\s<>;]{3,254})>?\s*;")
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_ANGLED: Final = re.compile(r"<\s*([^\s<>]{1,254})\s*>")
_BARE: Final = re.compile(r"(?<![^\s(:;])([^\s<>()@:;]{1,64}@[^\s<>()@:;]{1,190})")
_METHOD: Final = re.compile(r"\b(spf|dkim|dmarc)=([a-z]{1,12})", re.IGNORECASE)
_MACHINES: Final = re.compile(r"(?:mailer-daemon|postmaster)@", re.IGNORECASE)
_BULK: Final = ("bulk", "junk", "list", "auto_reply", "auto-reply")


class Sender(Enum):
    """Whether the mail comes from where it says."""

    VERIFIED = "verified"
    UNKNOWN = "unknown"
    FALSE = "false"


class Machine(Enum):
    """Mail that no customer wrote, by the name of the metric that counts it."""

    BOUNCE = "Bounces"
    AUTOMATIC = "AutomaticReplies"
    BULK = "BulkMails"


def verdict(headers: Headers) -> Sender:
    """What SES found out about the sender: DMARC decides; without it SPF and DKIM do."""
    authentication = _first(headers, "authentication-results")
    if not authentication.lower().lstrip().startswith("amazonses.com"):
        return Sender.UNKNOWN
    results: dict[str, set[str]] = {}
    for method, result in _METHOD.findall(authentication):
        results.setdefault(method.lower(), set()).add(result.lower())
    dmarc, spf, dkim = (results.get(name, set()) for name in ("dmarc", "spf", "dkim"))
    if "fail" in dmarc:
        return Sender.FALSE
    if "pass" in dmarc or "pass" in dkim:
        return Sender.VERIFIED
    if spf & {"fail", "softfail"} or dkim & {"fail", "permerror"}:
        return Sender.FALSE
    return Sender.VERIFIED if "pass" in spf else Sender.UNKNOWN


def is_infected(headers: Headers) -> bool:
    """Whether SES's scanner found a virus."""
    return _first(headers, "x-ses-virus-verdict").strip().upper() == "FAIL"


def is_spam(headers: Headers) -> bool:
    """Whether SES's scanner took it for spam."""
    return _first(headers, "x-ses-spam-verdict").strip().upper() == "FAIL"


def machine(headers: Headers, *, report: str | None) -> Machine | None:
    """What kind of program wrote it; None for a person. RFC 3464, RFC 3834, and what programs do besides."""
    path = _first(headers, "return-path").strip()
    reply_of = _first(headers, "auto-submitted").split(";")[0].split("(")[0].strip().lower()
    if report is not None and report not in ("", "delivery-status"):  # somebody has read it, or called it spam
        return Machine.AUTOMATIC
    if report is not None or path == "<>" or "x-failed-recipients" in headers:
        return Machine.BOUNCE
    if _MACHINES.search(sender_address(headers)):
        return Machine.BOUNCE
    if reply_of not in ("", "no") or any(
        name in headers for name in ("x-autoreply", "x-autorespond", "x-auto-reply", "x-auto-response-suppress")
    ):
        return Machine.AUTOMATIC
    precedence = _first(headers, "precedence").strip().lower()
    if precedence in _BULK[3:]:
        return Machine.AUTOMATIC
    if precedence in _BULK or "list-id" in headers or "list-unsubscribe" in headers:
        return Machine.BULK
    return None


def sender_address(headers: Headers) -> str:
    """The address in From, the first of several; empty where there is none."""
    return next((address for address in _addresses(headers.get("from", ())) if "@" in address), "")


def product(headers: Headers, subject: str) -> tuple[str | None, str]:
    """The product that the mail is about, and the subject without its tag.

    The product follows a plus in the address that it was sent to, or stands in brackets in the subject and has a digit.
    """
    received = _RECEIVED_FOR.search(_first(headers, "received"))
    envelope = [received[1]] if received else []
    named = [value for name in ("delivered-to", "x-original-to", "to", "cc") for value in headers.get(name, ())]
    for address in (*envelope, *_addresses(named)):
        if plus := _PLUS.match(address):
            return plus[1], subject
    for tag in _SUBJECT_TAG.finditer(subject):
        if any(character.isdigit() for character in tag[1]):
            return tag[1], " ".join((subject[: tag.start()] + subject[tag.end() :]).split())
    return None, subject


def _first(headers: Headers, name: str) -> str:
    values = headers.get(name, ())
    return values[0] if values else ""


def _addresses(values: Sequence[str]) -> list[str]:
    """The addresses in headers, without the names. Linear, where the standard library's reader runs out of stack."""
    named = (part for value in values for part in _QUOTED.sub("", value).split(","))
    found = (_ANGLED.search(part) or _BARE.search(part) for part in named)
    return [match[1] for match in found if match]
