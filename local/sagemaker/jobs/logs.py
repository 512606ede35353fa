"""A job's output as a stream of CloudWatch Logs, while it is written.

The file is the truth and the stream a copy: where the logs service refuses, the job goes on and the fault is logged
once. Knows nothing of jobs.
"""

import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

_log = logging.getLogger(__name__)

POLL_SECONDS = 0.5
BATCH_EVENTS = 1_000
BATCH_BYTES = 900_000
EVENT_OVERHEAD_BYTES = 26
LINE_BYTES = 200_000
FINISH_SECONDS = 10.0


class LogStream:
    """Follows a growing file and puts its lines into one log stream."""

    def __init__(self, logs: Any, *, group: str, stream: str, path: Path) -> None:
        self._logs = logs
        self._group = group
        self._stream = stream
        self._path = path
        self._offset = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._follow, name=f"log {stream}", daemon=True)

    def __enter__(self) -> "LogStream":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Send what is left."""
        self._done.set()
        self._thread.join(FINISH_SECONDS)

    def _follow(self) -> None:
        try:
            self._open()
            while not self._done.wait(POLL_SECONDS):
                self._send(last=False)
            self._send(last=True)
        except (ClientError, BotoCoreError) as error:
            _log.warning("%s is not in CloudWatch Logs, only in %s: %s", self._stream, self._path, error)

    def _open(self) -> None:
        for create, names in (
            (self._logs.create_log_group, {"logGroupName": self._group}),
            (self._logs.create_log_stream, {"logGroupName": self._group, "logStreamName": self._stream}),
        ):
            try:
                create(**names)
            except ClientError as error:
                if error.response["Error"]["Code"] != "ResourceAlreadyExistsException":
                    raise

    def _send(self, *, last: bool) -> None:
        for batch in _batches(self._new_lines(last=last)):
            now = int(time.time() * 1000)
            events = [{"timestamp": now, "message": line} for line in batch]
            self._logs.put_log_events(logGroupName=self._group, logStreamName=self._stream, logEvents=events)

    def _new_lines(self, *, last: bool) -> list[str]:
        with self._path.open("rb") as log:
            log.seek(self._offset)
            grown = log.read()
        complete = len(grown) if last else max(grown.rfind(b"\n"), grown.rfind(b"\r")) + 1
        self._offset += complete
        # A progress bar redraws its line with carriage returns: each drawing is a line of its own.
        lines = grown[:complete].replace(b"\r", b"\n").split(b"\n")
        return [line[:LINE_BYTES].decode("utf-8", "replace") for line in lines if line.strip()]


def _batches(lines: list[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for line in lines:
        cost = len(line.encode()) + EVENT_OVERHEAD_BYTES
        if batch and (len(batch) == BATCH_EVENTS or size + cost > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(line)
        size += cost
    if batch:
        yield batch
