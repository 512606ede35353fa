"""The erasure of one customer: find, remember, erase store by store, and leave a receipt.

Killed at any moment it goes on with the next call: what was found is remembered before the first thing is erased, each
store is noted when it is through, and erasing twice does no harm. It does not know AWS.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from erasure.progress import Notebook, Progress
from erasure.receipt import Receipt
from erasure.store import Erased, Note, Store
from erasure.subject import Subject, references_of
from feedback.event import timestamp


class Finding(Protocol):
    """Finds what the stores know of a customer."""

    def __call__(self, subject: Subject, *, thorough: bool, note: Note) -> Subject: ...


class Reporting(Protocol):
    """A step that is shown while it is done."""

    result: str

    def now(self, text: str) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Forgetting:
    """The use case with its collaborators. ``stores`` are erased in order; ``keep`` writes a receipt, tells where."""

    find: Finding
    stores: Sequence[Store]
    notebook: Notebook
    keep: Callable[[Receipt], str]
    what_stays: Callable[[datetime], Sequence[tuple[str, str]]]
    step: Callable[[str], AbstractContextManager[Reporting]]
    now: Callable[[], datetime]

    def forget(self, customer: str, *, thorough: bool, dry_run: bool) -> tuple[Receipt, str | None]:
        """The receipt, and where it lies; nowhere for a dry run, or where there was nothing to forget."""
        asked = Subject(references=references_of(customer))
        name = self.notebook.name_of(asked, dry_run=dry_run)
        earlier = None if dry_run else self.notebook.resume(name)
        progress, remembered = earlier or (Progress(started_at=timestamp(self.now()), runs=0), asked)
        with self.step("Find what is the customer's") as step:
            subject = self.find(asked.joined(remembered), thorough=thorough, note=step.now)
            step.result = f"{len(subject.feedback_ids)} feedbacks"
        is_more = subject.feedback_ids > remembered.feedback_ids or subject.sources > remembered.sources
        # What came in meanwhile was not looked for: no store is through.
        before, progress.done = (progress.done, {}) if is_more else ({}, progress.done)
        progress.runs += 1
        if is_more and not dry_run:
            self.notebook.begin(name, progress, subject)
        for store in self.stores:
            if store.name in progress.done:
                continue
            with self.step(f"Erase from {store.name}") as step:
                erased = store.erase(subject, dry_run=dry_run, note=step.now)
                step.result = f"{erased.records} records"
            progress.done[store.name] = erased + before.get(store.name, Erased())
            if not dry_run and subject.feedback_ids:
                self.notebook.save(name, progress)
        receipt = self._receipt(name, progress, subject, dry_run=dry_run)
        if dry_run or not (subject.feedback_ids or any(erased.records for erased in progress.done.values())):
            return receipt, None if dry_run else self.notebook.last_receipt(name)
        place = self.keep(receipt)
        self.notebook.finish(name, place)
        return receipt, place

    def _receipt(self, name: str, progress: Progress, subject: Subject, *, dry_run: bool) -> Receipt:
        now = self.now()
        return Receipt(
            customer=name,
            started_at=progress.started_at,
            finished_at=timestamp(now),
            runs=progress.runs,
            is_dry_run=dry_run,
            feedbacks=len(subject.feedback_ids),
            erased=dict(progress.done),
            kept=tuple(self.what_stays(now)),
        )
