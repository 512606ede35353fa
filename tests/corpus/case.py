"""One bad input, and the classes that there are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

LEAST_VARIANTS: Final = 10

CLASSES: Final[Mapping[int, str]] = {
    1: "empty or null body",
    2: "broken or truncated JSON",
    3: "JSON that is no object",
    4: "nested without end",
    5: "numbers without end, NaN",
    6: "keys given twice",
    7: "bytes that are no UTF-8, wrong base64",
    8: "surrogates, NUL, directions, look-alikes",
    9: "too large for somebody on the way",
    10: "compressed, or said to be",
    11: "wrong or hostile content type",
    12: "unknown fields and wrong types",
    13: "nothing to read, or far too much of one thing",
    14: "markup in the text",
    15: "formulas, control sequences and forged log lines",
    16: "words addressed to a model",
    17: "personal data and secrets",
    18: "keys of dropped objects that are tricks",
    19: "hostile mail",
    20: "wrong transcripts",
    21: "signatures that are none",
}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One variant of a class. ``body`` is what is sent or dropped; ``is_text`` a proper feedback with a strange text.

    ``headers`` are those of the request; ``is_base64`` says so to API Gateway, whatever the body is. ``key`` is set
    where the name of the object is what is bad, ``signature`` (header values) where the signing is.
    """

    number: int
    variant: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    is_base64: bool = False
    is_text: bool = False
    key: str | None = None
    signature: Mapping[str, str] | None = None

    @property
    def name(self) -> str:
        """How a report names it."""
        return f"{self.number} {CLASSES[self.number]}: {self.variant}"
