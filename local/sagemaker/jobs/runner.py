"""Jobs as threads with a process each: started, stopped, timed and ended with this process.

Knows processes and time. What a job does before and after its process, and what its end means, is the job's own.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from local import lifeline
from local.sagemaker.jobs.capacity import Capacity

_log = logging.getLogger(__name__)

POLL_SECONDS = 0.1
SHUTDOWN_GRACE_SECONDS = 2.0
JOIN_SECONDS = 5.0


class Stopped(Exception):  # noqa: N818 - an order, not an error
    """The job was asked to stop while no process of its own was running."""


class ShutDown(Exception):  # noqa: N818 - an order, not an error
    """The local AWS ends; the job leaves its record as it is, and the next start finds it interrupted."""


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How a process came to its end: by itself with a code, or made to by a stop or the time limit."""

    exit_code: int
    cause: Literal["exit", "stop", "timeout"]


class Run:
    """One running job, as its own thread sees it."""

    def __init__(self, what: str, capacity: Capacity | None = None) -> None:
        self.what = what
        self._capacity = capacity or Capacity(1)
        self._has_turn = False
        self._asked = threading.Event()
        self._closing = False
        self._pid: int | None = None

    @property
    def pid(self) -> int | None:
        """The process that runs now, if any."""
        return self._pid

    @property
    def is_closing(self) -> bool:
        """True once the local AWS ends."""
        return self._closing

    def ask_to_stop(self, *, closing: bool = False) -> None:
        """From another thread: stop at the next chance; ``closing`` where the local AWS ends."""
        self._closing = self._closing or closing
        self._asked.set()

    def checkpoint(self) -> None:
        """Between steps: raise ShutDown or Stopped where that was asked for."""
        if self._closing:
            raise ShutDown
        if self._asked.is_set():
            raise Stopped

    def pause(self, seconds: float) -> None:
        """Wait, and raise as :meth:`checkpoint` does as soon as there is a reason to."""
        self._asked.wait(seconds)
        self.checkpoint()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold one of the machine's turns; Stopped or ShutDown where that comes while waiting for it."""
        if self._has_turn:
            yield
            return
        with self._capacity.turn(self.checkpoint):
            self._has_turn = True
            try:
                yield
            finally:
                self._has_turn = False

    def execute(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path,
        log: Path,
        timeout_seconds: float,
        grace_seconds: float,
    ) -> Ending:
        """Run a program to its end, with its output at the end of ``log``. Nothing it started outlives it.

        It takes a turn where the job holds none, and its time counts from there. A stop or the time limit sends
        SIGTERM to all of it, and SIGKILL after ``grace_seconds``. Raises ShutDown where the local AWS ends meanwhile.
        """
        with self.turn():
            return self._execute(argv, env, cwd, log, timeout_seconds, grace_seconds)

    def _execute(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        cwd: Path,
        log: Path,
        timeout_seconds: float,
        grace_seconds: float,
    ) -> Ending:
        self.checkpoint()
        deadline = time.monotonic() + timeout_seconds
        with log.open("ab") as sink:
            process = lifeline.spawn(argv, env=env, cwd=cwd, log=sink)
        self._pid = process.pid
        cause: Literal["exit", "stop", "timeout"] = "exit"
        grace = 0.0
        try:
            while process.poll() is None:
                if self._asked.wait(POLL_SECONDS):
                    cause, grace = "stop", grace_seconds
                    break
                if time.monotonic() > deadline:
                    cause, grace = "timeout", grace_seconds
                    break
        finally:
            lifeline.end(process, SHUTDOWN_GRACE_SECONDS if self._closing else grace)
            self._pid = None
        if self._closing:
            raise ShutDown
        return Ending(exit_code=process.returncode, cause=cause)


class Runner:
    """All running jobs of the local SageMaker; ``at_once`` of them run a program at the same time."""

    def __init__(self, at_once: int = 1) -> None:
        self._capacity = Capacity(at_once)
        self._lock = threading.Lock()
        self._running: dict[tuple[str, str], tuple[Run, threading.Thread]] = {}

    def start(self, kind: str, name: str, work: Callable[[Run], None]) -> None:
        """Do ``work`` in a thread of its own. It is to record its own failures; ShutDown may pass."""
        run = Run(f"{kind} {name}", self._capacity)

        def life() -> None:
            try:
                work(run)
            except ShutDown:
                _log.info("%s was interrupted: the local AWS ends", run.what)
            finally:
                with self._lock:
                    self._running.pop((kind, name), None)

        thread = threading.Thread(target=life, name=run.what, daemon=True)
        with self._lock:
            self._running[kind, name] = (run, thread)
        thread.start()

    def stop(self, kind: str, name: str) -> None:
        """Ask a job to stop; nothing happens where it has ended."""
        with self._lock:
            found = self._running.get((kind, name))
        if found:
            found[0].ask_to_stop()

    def close(self) -> None:
        """End every job's process and wait for the threads, not for ever."""
        with self._lock:
            running = list(self._running.values())
        for run, _ in running:
            run.ask_to_stop(closing=True)
        for run, thread in running:
            thread.join(JOIN_SECONDS)
            if thread.is_alive():
                _log.warning("%s did not end in %s s; it ends with this process", run.what, JOIN_SECONDS)

    def processes(self) -> list[tuple[int, str]]:
        """The process ids of the running jobs and what each is."""
        with self._lock:
            runs = [run for run, _ in self._running.values()]
        return [(run.pid, run.what) for run in runs if run.pid is not None]
