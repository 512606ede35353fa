"""Whose turn it is: things are taken in the proportion of their weights, evenly spread and without chance.

Smooth weighted round-robin: after any number of turns nothing is further than one turn from its share. Knows nothing of
what it chooses between.
"""

import threading
from collections.abc import Hashable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)


class Turns(Generic[T]):
    """A sequence of choices. Weights may change from one to the next."""

    def __init__(self) -> None:
        self._credit: dict[T, float] = {}
        self._lock = threading.Lock()

    def next(self, weighted: Sequence[tuple[T, float]]) -> T | None:
        """The next one; None where nothing has a weight."""
        entitled = [(thing, weight) for thing, weight in weighted if weight > 0]
        if not entitled:
            return None
        with self._lock:
            self._credit = {thing: self._credit.get(thing, 0.0) + weight for thing, weight in entitled}
            chosen = max(self._credit, key=self._credit.__getitem__)
            self._credit[chosen] -= sum(weight for _, weight in entitled)
        return chosen
