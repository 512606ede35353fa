"""The traffic of one endpoint: which fleet answers, by share, and when a fleet has nothing left to answer.

That is all an update needs, at once, by canary or in steps. Knows fleets as things only.
"""

import contextlib
import threading
from collections.abc import Iterator

from local.sagemaker.hosting.fleet import Fleet
from local.sagemaker.hosting.turns import Turns


class Traffic:
    """Who answers: fleets with shares of the requests. Shares change between two requests, never within one."""

    def __init__(self) -> None:
        self._shares: tuple[tuple[Fleet, float], ...] = ()
        self._turns: Turns[Fleet] = Turns()
        self._answering: dict[Fleet, int] = {}
        self._changed = threading.Condition()

    def route(self, *shares: tuple[Fleet, float]) -> None:
        """From now on give each fleet its share of new requests; a share of nothing gets none."""
        with self._changed:
            self._shares = tuple((fleet, share) for fleet, share in shares if share > 0)
            self._turns = Turns()

    def fleets(self) -> list[Fleet]:
        """The fleets that get requests now."""
        return [fleet for fleet, _ in self._shares]

    @contextlib.contextmanager
    def enter(self, *, avoiding: Fleet | None = None) -> Iterator[Fleet | None]:
        """The fleet for one request, kept from being drained until the block ends; None where nothing is routed.

        ``avoiding`` is taken only where there is no other.
        """
        with self._changed:
            others = [fleet for fleet, _ in self._shares if fleet is not avoiding]
            fleet = others[0] if avoiding is not None and others else self._turns.next(self._shares)
            if fleet is not None:
                self._answering[fleet] = self._answering.get(fleet, 0) + 1
        try:
            yield fleet
        finally:
            if fleet is not None:
                with self._changed:
                    self._answering[fleet] -= 1
                    if not self._answering[fleet]:
                        del self._answering[fleet]
                        self._changed.notify_all()

    def drain(self, fleet: Fleet, timeout_seconds: float) -> bool:
        """Wait until a fleet that is no longer routed has answered all it took; False where time ran out."""
        with self._changed:
            return self._changed.wait_for(lambda: fleet not in self._answering, timeout_seconds)
