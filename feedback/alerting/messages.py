"""What travels on the alert queue: which alert is to be delivered where, and why a product is going wrong.

A message carries ids and figures; what a customer said stays in the ledger. It does not know how it is queued.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from feedback.strict_json import BrokenJsonError, parse

VERSION: Final = 1
FIRST: Final = "first"
"""The first telling of an alert. Later ones have steps of their own: ``escalation``, ``reminder-1``."""

Scalar = str | int | float | bool | None


class UnreadableAlertError(ValueError):
    """A message that names no alert. Quotes nothing of it."""


class Kind(str, Enum):  # noqa: UP042 - StrEnum is 3.11
    """What an alert is about: one feedback, many on one subject, or the share of negatives of a product."""

    FEEDBACK = "feedback"
    DIGEST = "digest"
    PRODUCT = "product"


@dataclass(frozen=True, kw_only=True)
class AlertMessage:
    """One telling of one alert at one destination; at every one of its team where ``destination`` is None.

    ``id`` is the feedback's for FEEDBACK, else the alert's own.
    """

    kind: Kind
    id: str
    step: str = FIRST
    destination: str | None = None

    def to_json(self) -> str:
        """The body of a message."""
        document: dict[str, Any] = {"version": VERSION, "kind": self.kind.value, "id": self.id, "step": self.step}
        if self.destination is not None:
            document["destination"] = self.destination
        return json.dumps(document)


@dataclass(frozen=True, kw_only=True)
class ProductMessage:
    """A product, category or channel is going wrong: told once for each ``id``.

    ``scope`` is for instance ``{"kind": "product", "name": "P-1042"}``; ``figures`` are numbers and moments that a
    person understands (``negatives``, ``feedbacks``, ``share``, ``expected_share``, ``since``); ``examples`` are
    ids of feedback.
    """

    id: str
    scope: Mapping[str, str]
    figures: Mapping[str, Scalar]
    examples: tuple[str, ...] = ()
    step: str = FIRST

    def to_json(self) -> str:
        """The body of a message."""
        return json.dumps(
            {
                "version": VERSION,
                "kind": Kind.PRODUCT.value,
                "id": self.id,
                "scope": dict(self.scope),
                "figures": dict(self.figures),
                "examples": list(self.examples),
                "step": self.step,
            }
        )


def read_message(body: str) -> AlertMessage | ProductMessage:
    """The message in a body; UnreadableAlertError where there is none. Unknown fields are passed over: a newer
    version of a sender may say more."""
    try:
        document = parse(body)
    except BrokenJsonError as error:
        raise UnreadableAlertError("The message is not JSON.") from error
    if not isinstance(document, dict) or document.get("version") != VERSION:
        raise UnreadableAlertError("The message is of no known version.")
    try:
        kind = Kind(document.get("kind"))
    except ValueError:
        raise UnreadableAlertError("The message is of no known kind.") from None
    if kind is Kind.PRODUCT:
        return ProductMessage(
            id=_text(document.get("id"), "id"),
            scope=_strings(document.get("scope", {})),
            figures=_scalars(document.get("figures", {})),
            examples=_texts(document.get("examples", [])),
            step=_text(document.get("step", FIRST), "step"),
        )
    return AlertMessage(
        kind=kind,
        id=_text(document.get("id"), "id"),
        step=_text(document.get("step", FIRST), "step"),
        destination=None if document.get("destination") is None else _text(document["destination"], "destination"),
    )


def _text(value: object, name: str) -> str:
    if not isinstance(value, str) or not value:
        raise UnreadableAlertError(f"The message has no usable {name}.")
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise UnreadableAlertError("The examples of the message are no list.")
    return tuple(_text(each, "example") for each in value)


def _strings(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise UnreadableAlertError("The scope of the message is no object.")
    return {name: _text(each, "scope") for name, each in value.items()}


def _scalars(value: object) -> dict[str, Scalar]:
    if not isinstance(value, dict) or any(isinstance(each, dict | list) for each in value.values()):
        raise UnreadableAlertError("The figures of the message are no object of plain values.")
    return dict(value)
