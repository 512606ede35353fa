"""The sources that may push: each one secret, a JSON object that says what it sends and which keys sign for it.

    {"kind": "review", "secrets": ["whsec_NEW", "whsec_OLD"], "defaults": {"product_id": "P-7"}, "fields": {...}}

Read when first needed and kept for minutes; during a rotation both keys are listed, and a source whose signature fails
is read once more, so that a new key works at once. It does not know requests or documents.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from feedback.strict_json import BrokenJsonError, parse
from lambdas.aws.secret import SecretUnavailableError
from lambdas.channels.webhooks.kinds import MAPPERS
from lambdas.channels.webhooks.signature import Scheme, read_key
from lambdas.telemetry import log

KEEP_SECONDS: Final = 300.0
_FRESH_SECONDS: Final = 30.0
_SOURCES_LIMIT: Final = 200
_KEYS_LIMIT: Final = 4
_DEFAULTS: Final = ("channel", "product_id", "category", "language")


class WrongSourceError(ValueError):
    """A source's secret that is none; the message is one sentence and quotes nothing of it."""


class SecretStore(Protocol):
    """Where secrets are kept."""

    def find(self, name: str) -> str | None:
        """The secret's text, None where there is none; SecretUnavailableError where nobody knows."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """One source, with the fields that all its feedback has and the places where its own fields are."""

    kind: str
    secrets: tuple[str, ...] = field(repr=False)
    defaults: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def keys(self, scheme: Scheme) -> list[bytes]:
        """The keys that sign by this scheme; a secret that is none of it signs nothing."""
        keys = []
        for secret in self.secrets:
            try:
                keys.append(read_key(secret, scheme))
            except ValueError:
                continue
        return keys


def read_source(text: str) -> Source:
    """The source that a secret describes; WrongSourceError where it describes none."""
    try:
        document = parse(text)
    except BrokenJsonError as error:
        raise WrongSourceError("The secret is not JSON.") from error
    if not isinstance(document, dict) or document.get("kind") not in list(MAPPERS):
        raise WrongSourceError(f"The kind of a source is one of {', '.join(MAPPERS)}.")
    secrets = document.get("secrets")
    if not isinstance(secrets, list) or not 1 <= len(secrets) <= _KEYS_LIMIT or not all(map(_is_text, secrets)):
        raise WrongSourceError(f"A source has one to {_KEYS_LIMIT} secrets.")
    if not all(map(_is_key, secrets)):
        raise WrongSourceError("A secret is shorter than 16 bytes, or not base64 behind its prefix.")
    defaults, fields = document.get("defaults", {}), document.get("fields", {})
    if (
        not isinstance(defaults, dict)
        or not set(defaults) <= set(_DEFAULTS)
        or not all(map(_is_text, defaults.values()))
    ):
        raise WrongSourceError(f"The defaults of a source are texts among {', '.join(_DEFAULTS)}.")
    if not isinstance(fields, dict) or not all(map(_is_text, fields.values())):
        raise WrongSourceError("The fields of a source are dotted paths.")
    return Source(
        kind=document["kind"],
        secrets=tuple(secrets),
        defaults=defaults,
        fields={name: (path,) for name, path in fields.items()},
    )


@dataclass(frozen=True)
class _Kept:
    source: Source | None
    read_at: float


class Sources:
    """The sources by name, kept for some minutes. Names are a stranger's: only so many are remembered."""

    def __init__(self, *, store: SecretStore, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def find(self, name: str, *, afresh: bool = False) -> Source | None:
        """The source, None where there is no such one; SecretUnavailableError where nobody knows.

        ``afresh``: what was read half a minute ago or more is read again.
        """
        kept = self._kept.get(name)
        limit = _FRESH_SECONDS if afresh else KEEP_SECONDS
        if kept is not None and self._clock() - kept.read_at < limit:
            return kept.source
        try:
            text = self._store.find(name)
        except SecretUnavailableError:
            if kept is None:
                raise
            return kept.source  # an outage of Secrets Manager stops nobody who was known before
        return self._keep(name, _read_or_report(name, text))

    def _keep(self, name: str, source: Source | None) -> Source | None:
        self._kept[name] = _Kept(source, self._clock())
        self._kept.move_to_end(name)
        if len(self._kept) > _SOURCES_LIMIT:
            self._kept.popitem(last=False)
        return source


def _read_or_report(name: str, text: str | None) -> Source | None:
    if text is None:
        return None
    try:
        return read_source(text)
    except WrongSourceError as error:
        log("ERROR", "A webhook source is declared wrongly.", source=name, reason=str(error))
        return None


def _is_key(secret: str) -> bool:
    try:
        read_key(secret, Scheme.STANDARD if secret.startswith("whsec_") else Scheme.SLACK)
    except ValueError:
        return False
    return True


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)
