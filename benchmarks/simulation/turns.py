"""Simulated time: what happens next, and processes of which one runs at a time.

A process is a thread that hands control back whenever it waits, so the same seed gives the same order of events. It
knows neither AWS nor what the processes do.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable

Action = Callable[[], None]


class StoppedError(BaseException):
    """The process is gone. No code that catches Exception sees it, as none sees a kill -9."""


class Turns:
    """The agenda. ``now`` is in seconds of the simulated Unix time."""

    def __init__(self, *, start: float) -> None:
        self.now = start
        self.current: Process | None = None
        self._agenda: list[tuple[float, int, Action]] = []
        self._order = itertools.count()
        self._alive: set[Process] = set()

    def at(self, moment: float, action: Action) -> None:
        """Do it then, after everything that was planned earlier for the same moment."""
        heapq.heappush(self._agenda, (max(moment, self.now), next(self._order), action))

    def after(self, seconds: float, action: Action) -> None:
        """Do it so much later."""
        self.at(self.now + seconds, action)

    def start(self, body: Action, ended: Callable[[BaseException | None], None]) -> Process:
        """A new process that begins at once; ``ended`` is told what it raised."""
        process = Process(self, body, ended)
        self._alive.add(process)
        process.resume()
        return process

    def run(self, until: float) -> None:
        """Everything that is planned up to then, in order."""
        while self._agenda and self._agenda[0][0] <= until:
            moment, _, action = heapq.heappop(self._agenda)
            self.now = moment
            action()
        self.now = max(self.now, until)

    def close(self) -> None:
        """End the processes that still wait."""
        for process in list(self._alive):
            process.stop()

    def left(self, process: Process) -> None:
        """The process has ended."""
        self._alive.discard(process)


class Process:
    """One thread, running or waiting for its turn."""

    def __init__(self, turns: Turns, body: Action, ended: Callable[[BaseException | None], None]) -> None:
        self._turns = turns
        self._body = body
        self._ended = ended
        self._go = threading.Lock()
        self._go.acquire()
        self._back = threading.Lock()
        self.is_stopped = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def resume(self) -> None:
        """Let it run until it waits or ends. Called from outside of it, maybe by another process that has its turn."""
        before, self._turns.current = self._turns.current, self
        back = threading.Lock()
        back.acquire()
        self._back = back
        self._go.release()
        back.acquire()
        self._turns.current = before

    def wait(self, seconds: float) -> None:
        """Let that much time pass. Called from inside of it."""
        if self.is_stopped:
            raise StoppedError
        self._turns.after(seconds, self.resume)
        self._back.release()
        self._go.acquire()
        if self.is_stopped:
            raise StoppedError

    def stop(self) -> None:
        """End it where it waits. Called from outside of it."""
        self.is_stopped = True
        self.resume()
        self._thread.join()

    def _run(self) -> None:
        self._go.acquire()
        error: BaseException | None = None
        try:
            if not self.is_stopped:
                self._body()
        except BaseException as raised:  # whatever ends a process is for whoever started it
            error = raised
        self._turns.left(self)
        try:
            self._ended(error)
        finally:
            self._back.release()
