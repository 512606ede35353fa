"""Copies of requests for shadow variants, on threads of their own: a shadow that is slow or fails harms nobody.

Knows pieces of work only, not what they do. What does not fit is dropped and counted, as nobody waits for its outcome.
"""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

WORKERS = 4
MOST_WAITING = 64

_log = logging.getLogger(__name__)


class Shadows:
    """``cast`` a piece of work and forget it."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(WORKERS, thread_name_prefix="hosting-shadow")
        self._room = threading.BoundedSemaphore(MOST_WAITING)
        self._dropped = 0

    def cast(self, work: Callable[[], None]) -> None:
        """Do it some time soon, or not at all where too much waits already. Returns at once."""
        if not self._room.acquire(blocking=False):
            self._dropped += 1
            return
        try:
            self._threads.submit(work).add_done_callback(self._done)
        except RuntimeError:
            # The local AWS ends: the pool takes no more work.
            self._room.release()

    def close(self) -> None:
        """Drop what waits."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._dropped:
            _log.warning("%d requests were not copied to shadow variants that were too slow", self._dropped)

    def _done(self, future: Future[None]) -> None:
        self._room.release()
        if not future.cancelled() and (error := future.exception()) is not None:
            _log.error("a copy of a request broke off", exc_info=error)
