"""Pulls what is new from every source: delivered first, remembered then, so that a crash repeats and loses nothing.

Every run is bounded in time and pages, and begins with the source that was not visited for longest. A source that
fails holds up no other. It does not know what a source is, or how documents are accepted.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from feedback.event import timestamp
from lambdas.channels.delivery import NotDeliveredError, settle
from lambdas.channels.puller.declaring import Declared
from lambdas.channels.puller.source import Cursor, Entry, PullError
from lambdas.intake.acceptance import Answer
from lambdas.telemetry import log, log_error

PAGES_PER_RUN: Final = 10

_KEY: Final = "cursor"


class Memory(Protocol):
    """What is used of the desk."""

    def get(self, pk: str, sk: str) -> Mapping[str, Any] | None:
        """The document, None where there is none."""

    def put(self, pk: str, sk: str, document: Mapping[str, Any]) -> object:
        """Keep the document."""


@dataclass
class Tally:
    """What became of a run."""

    accepted: int = 0
    replayed: int = 0
    refused: int = 0
    silent: int = 0
    failed: int = 0
    put_off: int = 0


@dataclass(frozen=True, kw_only=True)
class Puller:
    """The use case with its collaborators. ``has_time`` says whether another page can be begun."""

    memory: Memory
    deliver: Callable[[Sequence[object]], list[Answer]]
    now: Callable[[], datetime]
    has_time: Callable[[], bool] = lambda: True

    def run(self, sources: Sequence[Declared]) -> Tally:
        """Pull each source as far as pages and time allow; NotDeliveredError where nothing is accepted now."""
        tally = Tally()
        kept = {declared.name: self.memory.get(_KEY, declared.name) or {} for declared in sources}
        for declared in sorted(sources, key=lambda one: str(kept[one.name].get("at", ""))):
            if not self.has_time():
                tally.put_off += 1
                continue
            try:
                self._pull(declared, kept[declared.name].get("cursor", {}), tally)
            except PullError as error:
                log("WARNING", "A source could not be pulled.", source=declared.name, reason=str(error))
                tally.failed += 1
            except NotDeliveredError:
                raise
            except Exception as error:  # a plug-in's own fault must not hold up the other sources
                log_error("A source failed.", error, source=declared.name)
                tally.failed += 1
        return tally

    def _pull(self, declared: Declared, cursor: Cursor, tally: Tally) -> None:
        for _ in range(PAGES_PER_RUN):
            page = declared.source.pull(cursor)
            documents = [_document(declared, entry) for entry in page.entries if entry.document is not None]
            self._deliver(declared.name, documents, tally)
            tally.silent += len(page.entries) - len(documents)
            cursor = page.cursor
            self.memory.put(_KEY, declared.name, {"cursor": dict(cursor), "at": timestamp(self.now())})
            if not page.has_more or not self.has_time():
                return

    def _deliver(self, source: str, documents: Sequence[Mapping[str, Any]], tally: Tally) -> None:
        if not documents:
            return
        receipt = settle(self.deliver(documents))
        tally.accepted += receipt.accepted
        tally.replayed += receipt.repeated
        tally.refused += len(receipt.refused)
        for place, reason in receipt.refused.items():
            log("WARNING", "A pulled feedback was refused.", source=source, place=place, reason=reason)


def _document(declared: Declared, entry: Entry) -> dict[str, Any]:
    """The feedback of an entry: its id is the same however often it is pulled."""
    document = entry.document or {}
    digest = hashlib.sha256(f"{declared.name}\n{entry.id}".encode("utf-8", "surrogatepass")).hexdigest()
    return {
        "channel": "social",
        **declared.defaults,
        **document,
        "id": f"pull-{digest[:32]}",
        "metadata": {**document.get("metadata", {}), "source": declared.name},
    }
