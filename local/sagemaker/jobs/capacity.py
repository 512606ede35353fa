"""Whose turn it is: jobs' programs run a few at a time, in the order in which they asked.

Two trainings side by side on one machine take each several times as long, since their threads wait for each other's.
Only what runs a program takes a turn. A job that waits for other jobs must not hold one: it would wait for ever.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

POLL_SECONDS = 0.1


class Capacity:
    """At most ``at_once`` turns are held at the same time."""

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._waiting: deque[object] = deque()
        self._changed = threading.Condition()

    @contextmanager
    def turn(self, checkpoint: Callable[[], None]) -> Iterator[None]:
        """Hold a turn. ``checkpoint`` is called while waiting, and ends that by raising."""
        self._take(checkpoint)
        try:
            yield
        finally:
            with self._changed:
                self._free += 1
                self._changed.notify_all()

    def _take(self, checkpoint: Callable[[], None]) -> None:
        ticket = object()
        with self._changed:
            self._waiting.append(ticket)
            try:
                while self._waiting[0] is not ticket or not self._free:
                    checkpoint()
                    self._changed.wait(POLL_SECONDS)
                checkpoint()
                self._free -= 1
            finally:
                # The next one may have been waiting for this one's place only.
                self._waiting.remove(ticket)
                self._changed.notify_all()
