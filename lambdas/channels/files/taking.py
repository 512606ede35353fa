"""Takes in a file: row after row in blocks, each bad row counted by its number, and the rest of a long file later.

Memory is bounded by a block and a line, whatever the file's size. Where the time ends between two blocks, the position
is queued, and the next invocation reads up to there without accepting anything again. It does not know SQS or S3.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, Protocol

from lambdas.aws.lake import Stream
from lambdas.channels.batch import UnusableObjectError
from lambdas.channels.delivery import Delivery, NotDeliveredError, Receipt, settle
from lambdas.channels.drop import Dropped
from lambdas.channels.files.content import PARQUET_MAGIC, BrokenFileError, Content
from lambdas.channels.files.progress import Begun, Progress, result, result_key, write_message
from lambdas.channels.files.rows import BadRow, Row, has_unread_rating, to_document
from lambdas.channels.files.tables import Table, text_table
from lambdas.telemetry import log

_WORKERS: Final = 8
_AT_ONCE: Final = 25  # documents that one worker delivers
_BLOCK: Final = _WORKERS * _AT_ONCE
_PAUSE_SECONDS: Final = 60  # before going on when acceptance is unavailable


class Bucket(Protocol):
    """What is used of the drop bucket."""

    def open(self, dropped: Dropped) -> Stream:
        """The content; ObjectGoneError."""

    def write(self, dropped: Dropped, key: str, body: bytes, *, content_type: str) -> None:
        """Write an object into the same bucket."""


class OwnQueue(Protocol):
    """What is used of the channel's own queue."""

    def send(self, body: str, *, delay_seconds: int) -> None:
        """Send one message."""


@dataclass(frozen=True, kw_only=True)
class FilesChannel:
    """The use case with its collaborators. ``has_time`` says whether another block can be begun."""

    bucket: Bucket
    queue: OwnQueue
    delivery: Delivery
    has_time: Callable[[], bool]

    def take(self, dropped: Dropped) -> Mapping[str, int]:
        """Take in a file or its next part; what became of it, by metric. UnusableObjectError where it is unreadable."""
        progress = dropped.progress if isinstance(dropped, Begun) else Progress()
        before, begun_at = (progress.accepted, progress.repeated, progress.refused), progress.rows
        table: Table | None = None
        stopped: str | None = None
        try:
            table = _table(Content(self.bucket.open(dropped)))
            if not self._take_rows(table, dropped, progress):
                if progress.rows == begun_at:  # would go on like this for ever
                    raise UnusableObjectError("It takes longer to read than there is time.")
                self.queue.send(write_message(dropped, progress), delay_seconds=0)
                return {"Continued": 1, **_counted(progress, before)}
        except BrokenFileError as error:
            stopped = error.reason
        except NotDeliveredError:
            self.queue.send(write_message(dropped, progress), delay_seconds=_PAUSE_SECONDS)
            return {"Unavailable": 1, **_counted(progress, before)}
        self.bucket.write(
            dropped,
            result_key(dropped),
            result(
                dropped,
                progress,
                format_=table.format if table else None,
                columns=table.columns if table else {},
                stopped=stopped,
            ),
            content_type="application/json",
        )
        if stopped is not None:
            raise UnusableObjectError(stopped)
        if progress.refused:
            log("WARNING", "Rows of a file were refused.", rows=progress.refused, object=dropped.identity)
        return {"Files": 1, **_counted(progress, before)}

    def _take_rows(self, table: Table, dropped: Dropped, progress: Progress) -> bool:
        """Whether the end was reached; otherwise the time was up."""
        rows = (row for row in table.rows() if row.number > progress.row)
        with ThreadPoolExecutor(_WORKERS) as workers:
            while block := list(islice(rows, _BLOCK)):
                if not self.has_time():
                    return False
                self._take_block(block, dropped, progress, workers)
        return True

    def _take_block(
        self, block: Sequence[Row | BadRow], dropped: Dropped, progress: Progress, workers: ThreadPoolExecutor
    ) -> None:
        judged = [row if isinstance(row, BadRow) else to_document(row, dropped) for row in block]
        good = [(row.number, said) for row, said in zip(block, judged, strict=True) if not isinstance(said, BadRow)]
        bad = [said for said in judged if isinstance(said, BadRow)]
        parts = list(_parts(good, _AT_ONCE))
        accepted = repeated = 0
        for part, receipt in zip(parts, workers.map(self._deliver, parts), strict=True):
            accepted += receipt.accepted
            repeated += receipt.repeated
            bad += [BadRow(number=part[place][0], reason=reason) for place, reason in receipt.refused.items()]
        # Only now, so that a block that could not be delivered as a whole is counted by the attempt that could.
        progress.accepted += accepted
        progress.repeated += repeated
        progress.unread_ratings += sum(has_unread_rating(row) for row in block if isinstance(row, Row))
        for row in sorted(bad, key=lambda each: each.number):
            progress.refuse(row)
        progress.rows += len(block)
        progress.row = block[-1].number

    def _deliver(self, part: "_Part") -> Receipt:
        return settle(self.delivery.deliver([document for _, document in part]))


_Part = Sequence[tuple[int, Mapping[str, Any]]]


def _table(content: Content) -> Table:
    if content.probe.startswith(PARQUET_MAGIC):
        from lambdas.channels.files.parquet import parquet_table

        return parquet_table(content)
    return text_table(content)


def _parts(good: _Part, size: int) -> Iterator[_Part]:
    for start in range(0, len(good), size):
        yield good[start : start + size]


def _counted(progress: Progress, before: tuple[int, int, int]) -> Mapping[str, int]:
    accepted, repeated, refused = before
    return {
        "Accepted": progress.accepted - accepted,
        "Replayed": progress.repeated - repeated,
        "Refused": progress.refused - refused,
    }
