"""What the API says when it refuses: problem documents (RFC 9457), each kind with its status and title.

It does not know HTTP servers; a problem quotes nothing of a feedback's text.
"""

from dataclasses import dataclass
from typing import Any, Final

CONTENT_TYPE: Final = "application/problem+json"

_KINDS: Final = {
    "malformed": (400, "The request is malformed"),
    "unauthorized": (401, "The request is not signed by anybody known"),
    "not-found": (404, "There is no such feedback"),
    "unknown-route": (404, "There is no such address"),
    "in-flight": (409, "The same feedback is being taken in"),
    "undecided": (409, "The feedback is not decided yet"),
    "not-possible": (409, "This cannot be done now"),
    "too-large": (413, "The request is too large"),
    "unsupported-media-type": (415, "The content type is not supported"),
    "unusable": (422, "The feedback cannot be used"),
    "id-reused": (422, "The id belongs to another feedback"),
    "internal": (500, "Something went wrong here"),
    "unavailable": (503, "Try again later"),
}


@dataclass(frozen=True, kw_only=True)
class FieldError:
    """What is wrong where: ``pointer`` is a JSON pointer (RFC 6901) into the request's document."""

    pointer: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One refusal. ``kind`` decides status and title; ``detail`` is one sentence for the client."""

    kind: str
    detail: str
    errors: tuple[FieldError, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise ValueError(f"there is no problem kind {self.kind!r}")

    @property
    def status(self) -> int:
        """The HTTP status."""
        return _KINDS[self.kind][0]

    def to_document(self) -> dict[str, Any]:
        """The problem as JSON values."""
        status, title = _KINDS[self.kind]
        document: dict[str, Any] = {
            "type": f"urn:earshot:problem:{self.kind}",
            "title": title,
            "status": status,
            "detail": self.detail,
        }
        if self.errors:
            document["errors"] = [{"pointer": error.pointer, "detail": error.detail} for error in self.errors]
        return document
