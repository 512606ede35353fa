"""A folder copied to S3 while a job writes it: checkpoints and continuous outputs.

Knows files by size and time only. Objects are never deleted.
"""

import logging
import threading
from pathlib import Path
from typing import Any

from local.sagemaker import objects

_log = logging.getLogger(__name__)

INTERVAL_SECONDS = 5.0


class FolderSync:
    """While entered, uploads what has changed every few seconds; :meth:`upload` at the end takes the rest."""

    def __init__(self, folder: Path, uri: str, *, s3: Any, interval_seconds: float = INTERVAL_SECONDS) -> None:
        self._folder = folder
        self._target = objects.Address.parse(uri)
        self._s3 = s3
        self._interval_seconds = interval_seconds
        self._sent = self._files()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._follow, name=f"sync {uri}", daemon=True)

    def __enter__(self) -> "FolderSync":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def upload(self) -> None:
        """Upload what is new or changed; ObjectError where S3 refuses."""
        for path, state in self._files().items():
            if self._sent.get(path) == state:
                continue
            objects.upload(path, str(self._target.below(path.relative_to(self._folder).as_posix())), s3=self._s3)
            self._sent[path] = state

    def _follow(self) -> None:
        while not self._done.wait(self._interval_seconds):
            try:
                self.upload()
            except (objects.ObjectError, FileNotFoundError) as error:
                # A file may go while it is read, and the last upload tries again: its faults count.
                _log.warning("not copied to %s yet: %s", self._target, error)

    def _files(self) -> dict[Path, tuple[int, int]]:
        found: dict[Path, tuple[int, int]] = {}
        for path in sorted(self._folder.rglob("*")):
            try:
                status = path.stat()
            except FileNotFoundError:
                continue
            if path.is_file():
                found[path] = (status.st_size, status.st_mtime_ns)
        return found
