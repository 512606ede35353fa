"""What is written down of jobs of one kind, from their creation on, and the event that each change is.

Knows states and names; not what a job does.
"""

import threading
import time
from collections.abc import Callable

from local.sagemaker import listing, shapes
from local.sagemaker.errors import AwsError, validation
from local.sagemaker.events import announce
from local.sagemaker.resources import Kind, Records
from local.sagemaker.shapes import Fields
from local.sagemaker.tags import Tags

RUNNING = ("InProgress", "Stopping")
RESTARTED = "InternalServerError: the local AWS was restarted while the job was running"


class JobRecords:
    """The records of one kind of job. Changes are made one at a time and announced in their order."""

    def __init__(self, kind: Kind, event: str, records: Records, tags: Tags) -> None:
        self.kind = kind
        self._event = event
        self._records = records
        self._tags = tags
        self._lock = threading.RLock()

    def add(self, request: Fields, initial: Fields) -> Fields:
        """Write down a new job that is in progress."""
        kind, name = self.kind, request[self.kind.name]
        now = time.time()
        arn = self._records.context.arn(kind.kind, name)
        record = {
            **{member: value for member, value in request.items() if member != "Tags"},
            **initial,
            kind.arn: arn,
            kind.status: "InProgress",
            "CreationTime": now,
            "LastModifiedTime": now,
        }
        with self._lock:
            if not self._records.store.add(kind.kind, name, record):
                raise self._records.error(kind.taken, kind, name)
            self._announce(record)
        self._tags.keep(arn, request.get("Tags"))
        return record

    def find(self, name: str) -> Fields:
        """The job's record; AWS's error where there is none."""
        return self._records.find(self.kind, name)

    def change(self, name: str, changes: Callable[[Fields], Fields]) -> Fields:
        """Change a job's record by what ``changes`` makes of it, and announce it."""
        with self._lock:
            record = self.find(name)
            made = {**changes(record), "LastModifiedTime": time.time()}
            if record[self.kind.status] == "Stopping" and made.get(self.kind.status) == "Completed":
                made[self.kind.status] = "Stopped"  # The stop came when the program had already ended.
            record = self._records.store.update(self.kind.kind, name, **made)
            self._announce(record)
            return record

    def begin_stop(self, name: str, changes: Callable[[Fields], Fields]) -> None:
        """Note that a job is to stop; ValidationException where it is not in progress."""
        with self._lock:
            status = self.find(name)[self.kind.status]
            if status != "InProgress":
                noun = self.kind.kind.replace("-", " ")
                raise validation(f"The request was rejected because the {noun} is in status {status}.")
            self.change(name, lambda record: {**changes(record), self.kind.status: "Stopping"})

    def page(self, request: Fields) -> Fields:
        """One page of summaries."""
        kind = self.kind
        jobs = self._records.store.list(kind.kind)
        page = listing.page(jobs, request, name=kind.name, status=kind.status, order=kind.list_order)
        return {shapes.list_member(f"List{kind.noun}s"): page.pop("records"), **page}

    def delete(self, request: Fields) -> Fields:
        """Forget a job that has ended."""
        with self._lock:
            record = self.find(request[self.kind.name])
            if record[self.kind.status] in RUNNING:
                raise AwsError("ResourceInUse", f"{record[self.kind.arn]} is in status {record[self.kind.status]}.")
            self._records.store.delete(self.kind.kind, record[self.kind.name])
            self._tags.forget(record[self.kind.arn])
        return {}

    def interrupted(self) -> list[str]:
        """The jobs that were running when the local AWS last ended."""
        jobs = self._records.store.list(self.kind.kind)
        return [str(job[self.kind.name]) for job in jobs if job[self.kind.status] in RUNNING]

    def _announce(self, record: Fields) -> None:
        announce(self._records.context, self._event, f"Describe{self.kind.noun}", record)
