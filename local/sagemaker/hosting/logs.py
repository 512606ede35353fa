"""Brings container logs to CloudWatch Logs, in batches, from one thread.

Follows files as they grow; knows groups and streams, nothing of containers. A service that is away is tried again:
the files on disk are complete at any time.
"""

import logging
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

SHIP_SECONDS = 1.0
BATCH_BYTES = 256 * 1024
CLOSE_SECONDS = 0.5

_log = logging.getLogger(__name__)


def log_group(endpoint_name: str) -> str:
    """Where AWS keeps the container logs of an endpoint."""
    return f"/aws/sagemaker/Endpoints/{endpoint_name}"


@dataclass
class _Followed:
    group: str
    stream: str
    offset: int = 0
    made: bool = False
    last: bool = False


class LogShipper:
    """``follow`` a file while it is written, ``release`` it when it is complete."""

    def __init__(self, logs: Any) -> None:
        self._logs = logs
        self._followed: dict[Path, _Followed] = {}
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._groups: set[str] = set()
        self._is_away = False

    def follow(self, path: Path, *, group: str, stream: str) -> None:
        """Ship what is in ``path`` and what comes to it."""
        with self._lock:
            self._followed[path] = _Followed(group=group, stream=stream)
            if self._thread is None:
                self._thread = threading.Thread(target=self._ship_all, name="hosting-logs", daemon=True)
                self._thread.start()

    def release(self, path: Path) -> None:
        """Ship the rest of ``path`` and leave it."""
        with self._lock:
            if path in self._followed:
                self._followed[path].last = True

    def close(self) -> None:
        """Ship what can be shipped in a moment and stop."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(CLOSE_SECONDS)

    def _ship_all(self) -> None:
        stopped = False
        while not stopped:
            stopped = self._stopped.wait(SHIP_SECONDS)
            with self._lock:
                followed = list(self._followed.items())
            try:
                for path, state in followed:
                    self._ship(path, state)
                self._is_away = False
            except (ClientError, BotoCoreError) as error:
                if not self._is_away:
                    _log.warning("container logs are not shipped for now: %s", error)
                self._is_away = True

    def _ship(self, path: Path, state: _Followed) -> None:
        is_last = state.last
        while lines := _complete_lines(path, state.offset, is_last):
            self._make_stream(state)
            now = int(time.time() * 1000)
            events = [{"timestamp": now, "message": text} for line in lines if (text := _text(line))]
            if events:
                self._logs.put_log_events(logGroupName=state.group, logStreamName=state.stream, logEvents=events)
            state.offset += sum(map(len, lines))
        if is_last:
            with self._lock:
                self._followed.pop(path, None)

    def _make_stream(self, state: _Followed) -> None:
        if state.made:
            return
        if state.group not in self._groups:
            self._make("create_log_group", logGroupName=state.group)
            self._groups.add(state.group)
        self._make("create_log_stream", logGroupName=state.group, logStreamName=state.stream)
        state.made = True

    def _make(self, operation: str, **names: str) -> None:
        try:
            getattr(self._logs, operation)(**names)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceAlreadyExistsException":
                raise


def _complete_lines(path: Path, offset: int, with_rest: bool) -> list[bytes]:
    """Whole lines from ``offset`` on, up to a batch, with their ends; a line longer than a batch comes in pieces."""
    if not path.exists():
        return []
    with path.open("rb") as log:
        log.seek(offset)
        content = log.read(BATCH_BYTES)
    lines = content.splitlines(keepends=True)
    is_cut = bool(lines) and not lines[-1].endswith(b"\n") and len(content) < BATCH_BYTES and not with_rest
    if is_cut or (len(lines) > 1 and len(content) == BATCH_BYTES):
        lines.pop()
    return lines


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace").rstrip("\r\n")
