"""Who signed a webhook, and when: the headers of Standard Webhooks and of Slack, and the check against shared keys.

Standard Webhooks: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
Slack: https://docs.slack.dev/authentication/verifying-requests-from-slack

Headers are a stranger's: whatever is garbled is an UnsignedError and nothing else. It does not know keys, sources or
what a body says.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

TOLERANCE_SECONDS: Final = 300

_DIGEST_BYTES: Final = 32
_LEAST_KEY_BYTES: Final = 16
_SIGNATURES_LIMIT: Final = 10
_HEADER_LIMIT: Final = 2_000
_TIMESTAMP: Final = re.compile(r"[0-9]{1,12}", re.ASCII)
_MESSAGE_ID: Final = re.compile(r"[!-~]{1,256}")


class UnsignedError(Exception):
    """A request that nobody known has signed, or not lately. It quotes nothing of it."""


class Scheme(Enum):
    """How a sender signs."""

    STANDARD = "standard"
    SLACK = "slack"


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What the headers say of a message: unproven until :meth:`check`. Slack's headers name no message."""

    scheme: Scheme
    message_id: str | None
    timestamp: str
    signatures: tuple[bytes, ...]

    def check_time(self, now_seconds: float) -> None:
        """UnsignedError where the message is older or newer than clocks and retries explain."""
        if abs(now_seconds - int(self.timestamp)) > TOLERANCE_SECONDS:
            raise UnsignedError

    def check(self, body: bytes, keys: Iterable[bytes]) -> None:
        """UnsignedError unless one of the signatures was made with one of the keys. Compares all, in constant time."""
        content = self._prefix() + body
        matches = [
            hmac.compare_digest(hmac.new(key, content, hashlib.sha256).digest(), signature)
            for key in keys
            for signature in self.signatures
        ]
        if not any(matches):
            raise UnsignedError

    def _prefix(self) -> bytes:
        if self.scheme is Scheme.SLACK:
            return f"v0:{self.timestamp}:".encode("ascii")
        return f"{self.message_id}.{self.timestamp}.".encode("ascii")


def read_claim(headers: Mapping[str, object]) -> Claim:
    """The claim in the headers of a request; UnsignedError where there is none or it is garbled."""
    named = {name.lower(): value for name, value in headers.items() if isinstance(value, str)}
    if "x-slack-signature" in named:
        return Claim(
            scheme=Scheme.SLACK,
            message_id=None,
            timestamp=_timestamp(named.get("x-slack-request-timestamp")),
            signatures=_slack_signatures(named["x-slack-signature"]),
        )
    message_id = named.get("webhook-id", "")
    if not _MESSAGE_ID.fullmatch(message_id):
        raise UnsignedError
    return Claim(
        scheme=Scheme.STANDARD,
        message_id=message_id,
        timestamp=_timestamp(named.get("webhook-timestamp")),
        signatures=_standard_signatures(named.get("webhook-signature", "")),
    )


def read_key(secret: str, scheme: Scheme) -> bytes:
    """The bytes that a shared secret stands for; ValueError where it is too weak to be one.

    Standard Webhooks writes ``whsec_`` and base64; Slack's signing secret is its own bytes.
    """
    if scheme is Scheme.SLACK:
        key = secret.encode("utf-8")
    else:
        encoded = secret.removeprefix("whsec_").rstrip("=")
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    if len(key) < _LEAST_KEY_BYTES:
        raise ValueError("a secret is too short")
    return key


def _timestamp(value: str | None) -> str:
    if value is None or not _TIMESTAMP.fullmatch(value):
        raise UnsignedError
    return value


def _standard_signatures(value: str) -> tuple[bytes, ...]:
    """Those of version 1 in a list like ``v1,BASE64 v1,BASE64 v1a,BASE64``; entries that are none are passed over."""
    if len(value) > _HEADER_LIMIT:
        raise UnsignedError
    entries = [entry.partition(",") for entry in value.split(" ")[:_SIGNATURES_LIMIT]]
    return _at_least_one(_decode(signature) for version, _, signature in entries if version == "v1")


def _slack_signatures(value: str) -> tuple[bytes, ...]:
    version, _, digits = value.partition("=")
    if version != "v0" or not re.fullmatch(r"[0-9a-f]{64}", digits):
        raise UnsignedError
    return (bytes.fromhex(digits),)


def _at_least_one(signatures: Iterable[bytes | None]) -> tuple[bytes, ...]:
    found = tuple(signature for signature in signatures if signature is not None)
    if not found:
        raise UnsignedError
    return found


def _decode(signature: str) -> bytes | None:
    try:
        digest = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):  # not base64, or not even ASCII
        return None
    return digest if len(digest) == _DIGEST_BYTES else None
