"""The customer who is to be forgotten: by which references, feedback, files and texts the stores know them.

Responsible for the question whether something is theirs. It does not know where it lies.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final
from urllib.parse import unquote_plus

from feedback.text import clean
from lambdas.channels.pseudonym import looks_like_number, of_number, of_reference

_TOKEN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]*")
_NO_WORD: Final = re.compile(r"[\W_]+")
_ID_FIELDS: Final = ("feedback_id", "review_id", "id")
_LEAST_TEXT: Final = 20
"""Characters that make a text somebody's own. A shorter one ("Great!") is found by its id only."""


def references_of(customer: str) -> frozenset[str]:
    """What channels write for the customer: the shop's reference, or the pseudonym of an address or a number."""
    found = {customer, customer.strip(), of_reference(customer)}
    if looks_like_number(customer):
        found.add(of_number(customer))
    return frozenset(found)


def digest_of(text: str) -> str:
    """Equal for texts that training takes for the same."""
    words = _NO_WORD.sub(" ", clean(text).lower()).strip()
    return hashlib.sha256((words or text).encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Subject:
    """``sources`` are keys of the drop bucket. ``texts`` are at hand while the ledger still has them, and are
    remembered nowhere; their digests are."""

    references: frozenset[str]
    feedback_ids: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()
    text_digests: frozenset[str] = frozenset()
    texts: frozenset[str] = frozenset()

    def joined(self, other: Subject) -> Subject:
        """What either of them knows."""
        return replace(
            self,
            feedback_ids=self.feedback_ids | other.feedback_ids,
            sources=self.sources | other.sources,
            text_digests=self.text_digests | other.text_digests,
            texts=self.texts | other.texts,
        )

    def owns(self, row: Mapping[str, object]) -> bool:
        """Whether a row is the customer's, by the fields that name a feedback or a customer."""
        reference = row.get("customer_ref")
        names = (row.get(field) for field in _ID_FIELDS)
        return (isinstance(reference, str) and reference in self.references) or any(
            isinstance(name, str) and name in self.feedback_ids for name in names
        )

    def wrote(self, text: object) -> bool:
        """Whether a text is one of the customer's."""
        return isinstance(text, str) and bool(self.text_digests) and digest_of(text) in self.text_digests

    def is_named_in(self, text: str) -> bool:
        """Whether free text names a feedback of the customer."""
        return any(
            token in self.feedback_ids or token.rstrip("._:-") in self.feedback_ids for token in _TOKEN.findall(text)
        )

    def is_named_in_document(self, text: str) -> bool:
        """The same for a JSON document, also one within a string of another (as SNS hands its messages on), for the
        customer where a field says so, and for the file that something of theirs came from (as S3 writes its key)."""
        return any(
            self.is_named_in(part)
            or (name == "customer_ref" and part in self.references)
            or part in self.sources
            or unquote_plus(part) in self.sources
            for name, part in _strings(text)
        )

    def is_answered_in(self, text: str) -> bool:
        """Whether a query's result has the customer, a feedback or a text of theirs in a cell."""
        return (
            self.is_named_in(text)
            or any(quoted in text for quoted in self._quoted_references)
            or any(own in text for own in self._quoted_texts)
        )

    @cached_property
    def _quoted_references(self) -> tuple[str, ...]:
        return tuple(f'"{written}"' for own in self.references for written in {own, own.replace('"', '""')})

    @cached_property
    def _quoted_texts(self) -> tuple[str, ...]:
        return tuple(text.replace('"', '""') for text in self.texts if len(text) >= _LEAST_TEXT)


def _strings(text: str) -> Iterator[tuple[str, str]]:
    """Every string of a document with the name of its field; a text that is no document is one string."""
    try:
        document = json.loads(text)
    except ValueError:
        yield "", text
        return
    waiting: list[tuple[str, object]] = [("", document)]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [("", key) for key in value]
            waiting += value.items()
        elif isinstance(value, list):
            waiting += [(name, each) for each in value]
        elif isinstance(value, str):
            yield name, value
            if value.lstrip()[:1] in ("{", "["):
                yield from _strings(value)
