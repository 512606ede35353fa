"""Cuts rows of any number into small batches of like length, and lets one batch at a time through the model.

The model's own threads are all the cores there are, so two batches at once would only get in each other's way. Requests
take turns by batch, so that a large one does not hold up a small one, and rows of several requests share a batch where
they are about equally long. What a row is answered does not depend on its neighbours. Knows nothing of tokens, labels
or the runtime.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from training_code.containers.ragged import Ids, RaggedIds, pad

MICRO_BATCH = 8
WIDTH_STEP = 8
"""Widths are rounded up to a multiple: the runtime prepares itself for each new shape, and keeps what it prepared."""
CLASSES = 3

Logits = npt.NDArray[np.float32]
Forward = Callable[[Ids, Ids], Logits]
"""input_ids and attention_mask, int64 [rows, width], to logits, float32 [rows, 3]."""


@dataclass(eq=False)
class _Asked:
    """The rows of one request, shortest first, and how far they are."""

    rows: Sequence[RaggedIds]
    order: list[int]
    logits: Logits
    taken: int = 0
    answered: int = 0
    failure: Exception | None = field(default=None)

    @property
    def is_done(self) -> bool:
        return self.failure is not None or self.answered == len(self.rows)

    @property
    def has_more(self) -> bool:
        return self.failure is None and self.taken < len(self.rows)

    def next_length(self) -> int:
        return len(self.rows[self.order[self.taken]])

    def take(self) -> int:
        self.taken += 1
        return self.order[self.taken - 1]


_Place = tuple[_Asked, int]


class MicroBatches:
    """Safe to ask from any number of threads."""

    def __init__(self, forward: Forward, *, pad_id: int) -> None:
        self._forward = forward
        self._pad_id = pad_id
        self._changed = threading.Condition()
        self._is_busy = False
        self._waiting: deque[_Asked] = deque()

    def logits(self, rows: Sequence[RaggedIds]) -> Logits:
        """float32 [rows, 3] in the order of `rows`; raises what the model raised for one of them."""
        order = sorted(range(len(rows)), key=lambda place: len(rows[place]))
        asked = _Asked(rows=rows, order=order, logits=np.empty((len(rows), CLASSES), dtype=np.float32))
        if len(rows):
            self._answer(asked)
        if asked.failure is not None:
            raise asked.failure
        return asked.logits

    def _answer(self, asked: _Asked) -> None:
        """Whoever waits and finds the model free runs the next batch, be it its own or another's."""
        with self._changed:
            self._waiting.append(asked)
        while True:
            with self._changed:
                while self._is_busy and not asked.is_done:
                    self._changed.wait()
                if asked.is_done:
                    return
                self._is_busy = True
                batch = self._next_batch()
            try:
                self._run(batch)
            finally:
                with self._changed:
                    self._waiting = deque(waiting for waiting in self._waiting if waiting.has_more)
                    self._is_busy = False
                    self._changed.notify_all()

    def _next_batch(self) -> list[_Place]:
        first = self._waiting.popleft()
        batch: list[_Place] = []
        while first.has_more and len(batch) < MICRO_BATCH:
            batch.append((first, first.take()))
        width = max(len(asked.rows[place]) for asked, place in batch)
        for other in self._waiting:
            while len(batch) < MICRO_BATCH and other.has_more and width / 2 <= other.next_length() <= width:
                batch.append((other, other.take()))
        self._waiting.append(first)
        return batch

    def _run(self, batch: list[_Place]) -> None:
        try:
            found = self._forward(
                *pad([asked.rows[place] for asked, place in batch], pad_id=self._pad_id, multiple_of=WIDTH_STEP)
            )
        except Exception as error:
            for asked, _ in batch:
                asked.failure = error
            return
        for (asked, place), logits in zip(batch, found, strict=True):
            asked.logits[place] = logits
            asked.answered += 1
