"""Saves the state of the local AWS while it runs, so that a killed process loses seconds and not the day.

ministack by itself writes its state at a clean stop only; objects in S3 and the local SageMaker's records are on
disk at once anyway. Knows when to save, not what.
"""

import asyncio
import time
from collections.abc import Callable

_READS = frozenset({"GET", "HEAD", "OPTIONS"})


class Saver:
    """Saves once things are quiet, or after a longer while where they never are."""

    def __init__(self, save: Callable[[], None], *, quiet_seconds: float = 3.0, longest_seconds: float = 30.0) -> None:
        self._save = save
        self._quiet_seconds = quiet_seconds
        self._longest_seconds = longest_seconds
        self._first_change: float | None = None
        self._last_change = 0.0

    def note(self, method: str, *, now: float | None = None) -> None:
        """A request came that may have changed something."""
        if method not in _READS:
            self._last_change = time.monotonic() if now is None else now
            self._first_change = self._first_change or self._last_change

    async def run(self) -> None:
        """Until cancelled. Saving runs on a thread of its own, so requests go on meanwhile."""
        while True:
            await asyncio.sleep(1)
            if self.due(time.monotonic()):
                self._first_change = None
                await asyncio.to_thread(self._save)

    def due(self, now: float) -> bool:
        """True where there is something to save and it is time."""
        if self._first_change is None:
            return False
        return now - self._last_change >= self._quiet_seconds or now - self._first_change >= self._longest_seconds
