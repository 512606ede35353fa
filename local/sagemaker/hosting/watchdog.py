"""Looks after hosted containers: one that died or no longer answers its ping is replaced, as SageMaker does.

One thread for all containers. Knows containers only; the endpoint stays what it is meanwhile.
"""

import logging
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from local.sagemaker.hosting.container import Container, ContainerError

LOOK_SECONDS = 0.25
PING_SECONDS = 5.0
# A ping that is late once is a busy processor; half a minute of them is a container that hangs.
FAILED_PINGS = 6
FIRST_BACKOFF_SECONDS = 1.0
LONGEST_BACKOFF_SECONDS = 30.0
CALM_SECONDS = 60.0

_log = logging.getLogger(__name__)


@dataclass
class _Watched:
    restarting: bool = False
    restarts: int = 0
    failed_pings: int = 0
    healthy_since: float = field(default_factory=time.monotonic)
    next_ping: float = field(default_factory=lambda: time.monotonic() + PING_SECONDS)

    def backoff_seconds(self) -> float:
        """Nothing for the first replacement in a while, then longer each time."""
        if time.monotonic() - self.healthy_since > CALM_SECONDS:
            self.restarts = 0
        self.restarts += 1
        if self.restarts == 1:
            return 0.0
        return min(LONGEST_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2.0 ** (self.restarts - 2))


class Watchdog:
    """``watch`` what is healthy, ``forget`` it before ending it."""

    def __init__(self) -> None:
        self._watched: dict[Container, _Watched] = {}
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def watch(self, containers: Iterable[Container]) -> None:
        """Look after these from now on."""
        with self._lock:
            self._watched.update({container: _Watched() for container in containers})
            if self._thread is None:
                self._thread = threading.Thread(target=self._patrol, name="hosting-watchdog", daemon=True)
                self._thread.start()

    def forget(self, containers: Iterable[Container]) -> None:
        """Let these end in peace."""
        with self._lock:
            for container in containers:
                self._watched.pop(container, None)

    def close(self) -> None:
        """Stop looking; returns when no more container will be started."""
        self._stopped.set()
        with self._lock:
            self._watched.clear()

    def _patrol(self) -> None:
        while not self._stopped.wait(LOOK_SECONDS):
            with self._lock:
                watched = list(self._watched.items())
            for container, state in watched:
                if not state.restarting and self._needs_replacement(container, state):
                    state.restarting = True
                    threading.Thread(target=self._replace, args=(container, state), daemon=True).start()

    def _needs_replacement(self, container: Container, state: _Watched) -> bool:
        if container.pid is None:
            return True
        if time.monotonic() < state.next_ping:
            return False
        state.failed_pings = 0 if container.is_healthy() else state.failed_pings + 1
        state.next_ping = time.monotonic() + PING_SECONDS
        return state.failed_pings >= FAILED_PINGS

    def _replace(self, container: Container, state: _Watched) -> None:
        delay = state.backoff_seconds()
        if self._stopped.wait(delay) or container not in self._watched:
            return
        _log.warning("container %s is not well and is replaced (attempt %d)", container.plan.name, state.restarts)
        try:
            container.restart()
            container.wait_until_healthy()
        except ContainerError as error:
            _log.warning("the replacement failed: %s", error)
        state.failed_pings = 0
        state.healthy_since = time.monotonic()
        state.restarting = False
