"""Decides what becomes of a pushed event: signed or refused, read by its source's mapping, delivered exactly once.

The ids of its feedback follow from the message's own id, so that a sender may repeat itself until it hears of success.
It does not know HTTP, Secrets Manager or how feedback is accepted.
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from feedback.problem import Problem
from feedback.schema import BATCH_LIMIT
from feedback.strict_json import BrokenJsonError, parse
from lambdas.channels.mapping import UnusableEventError, dig
from lambdas.channels.webhooks.kinds import CHANNELS, MAPPERS
from lambdas.channels.webhooks.signature import Claim, Scheme, UnsignedError, read_claim
from lambdas.channels.webhooks.sources import Source
from lambdas.intake.acceptance import Answer

BODY_LIMIT_BYTES: Final = 1024 * 1024

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_CHALLENGE_LIMIT: Final = 256


class RefusedEventError(Exception):
    """A known source's event that no feedback can be taken from; sending it again changes nothing."""

    def __init__(self, source: str, problem: Problem) -> None:
        super().__init__(problem.kind)
        self.source = source
        self.problem = problem


class SourceBook(Protocol):
    """The sources by name."""

    def find(self, name: str, *, afresh: bool = False) -> Source | None:
        """The source, None where there is no such one."""


class UnreadableEventError(Exception):
    """An event that no feedback can be read from, with the problem that says why."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.problem = Problem(kind=kind, detail=detail)


@dataclass(frozen=True)
class Challenge:
    """The word that a sender wants to hear back before it sends anything."""

    challenge: str


@dataclass(frozen=True, kw_only=True)
class Receiver:
    """The use case with its collaborators; ``now`` is in seconds since 1970."""

    sources: SourceBook
    deliver: Callable[[Sequence[Mapping[str, Any]]], Sequence[Answer]]
    now: Callable[[], float]

    def receive(self, name: str, headers: Mapping[str, object], body: bytes) -> list[Answer] | Challenge:
        """Take in one event: an answer for each feedback in it, or the challenge that it poses.

        UnsignedError for a stranger's, RefusedEventError for one that says nothing.
        """
        claim = read_claim(headers)
        claim.check_time(self.now())
        source = self._signer(name, claim, body)
        try:
            event = _read(body)
            if source.kind == "chat" and dig(event, "type") == "url_verification":
                return Challenge(_challenge(event))
            documents = _documents(name, source, event, message_id=_message_id(claim, event))
        except UnreadableEventError as error:
            raise RefusedEventError(name, error.problem) from error
        return list(self.deliver(documents)) if documents else []

    def _signer(self, name: str, claim: Claim, body: bytes) -> Source:
        if not _NAME.fullmatch(name):
            raise UnsignedError
        source = self.sources.find(name)
        try:
            return _checked(source, claim, body)
        except UnsignedError:
            renewed = self.sources.find(name, afresh=True)
            if renewed is source:
                raise
            return _checked(renewed, claim, body)


def _checked(source: Source | None, claim: Claim, body: bytes) -> Source:
    """The source, if it signed this. An unknown source answers as a wrong signature does."""
    if source is None:
        raise UnsignedError
    claim.check(body, source.keys(claim.scheme))
    return source


def _read(body: bytes) -> object:
    if len(body) > BODY_LIMIT_BYTES:
        raise UnreadableEventError("too-large", f"The event is larger than {BODY_LIMIT_BYTES // 1024} KiB.")
    try:
        return parse(body.decode("utf-8"))
    except (UnicodeDecodeError, BrokenJsonError) as error:
        raise UnreadableEventError("malformed", "The event is not JSON in UTF-8.") from error


def _challenge(event: object) -> str:
    challenge = dig(event, "challenge")
    if not isinstance(challenge, str) or not 0 < len(challenge) <= _CHALLENGE_LIMIT:
        raise UnreadableEventError("malformed", "The challenge is missing or too long.")
    return challenge


def _message_id(claim: Claim, event: object) -> str:
    message_id = dig(event, "event_id") if claim.scheme is Scheme.SLACK else claim.message_id
    if not isinstance(message_id, str) or not message_id:
        raise UnreadableEventError("malformed", "The event has no event_id.")
    return message_id


def _documents(name: str, source: Source, event: object, *, message_id: str) -> list[dict[str, Any]]:
    try:
        documents = MAPPERS[source.kind](event, source.fields)
    except UnusableEventError as error:
        raise UnreadableEventError("unusable", str(error)) from error
    if len(documents) > BATCH_LIMIT:
        raise UnreadableEventError("too-large", f"An event has at most {BATCH_LIMIT} feedbacks.")
    id_ = "wh-" + hashlib.sha256(f"{name}\n{message_id}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return [
        {
            "channel": CHANNELS[source.kind],
            **source.defaults,
            **document,
            "id": f"{id_}-{number}" if number else id_,
            "metadata": _with_source(document.get("metadata", {}), name),
        }
        for number, document in enumerate(documents)
    ]


def _with_source(metadata: object, name: str) -> object:
    """Metadata of the wrong shape is left as it is: the schema says so better."""
    return {**metadata, "source": name} if isinstance(metadata, Mapping) else metadata
