"""Senders of feedback that repeat themselves, over connections that end before or after the API has done its work.

It does not know what becomes of the feedback, nor who kills what meanwhile.
"""

from __future__ import annotations

import os
import random
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from cli.api import FeedbackApi
from cli.connection import connect
from cli.errors import Problem
from cli.project import LOCAL
from faults.plan import Fault, Plan
from faults.proxy import Proxy

_TRIES = 5
_TEXTS = (
    "Terrible quality, it broke after one day, I want my money back.",
    "Lovely dress, fits perfectly and looks great.",
    "It is a shirt. It came on Tuesday.",
)


@dataclass
class Sent:
    """What was sent and how it was answered, filled by several threads."""

    accepted: set[str] = field(default_factory=set)
    statuses: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, feedback_id: str, status: int | None) -> None:
        """One answer, or None where the connection ended without one."""
        with self._lock:
            self.statuses["none" if status is None else str(status)] += 1
            if status in (200, 202):
                self.accepted.add(feedback_id)

    @property
    def count(self) -> int:
        """Answers so far."""
        return self.statuses.total()


@contextmanager
def cut_connections(share: float, *, seed: int) -> Iterator[FeedbackApi]:
    """The API behind a proxy that ends this share of the connections before the call, and as many after it."""
    faults = [
        Fault(probability=share, reset="before"),
        Fault(probability=share, reset="after"),
        Fault(probability=share, latency_seconds=1.0),
    ]
    target = connect(LOCAL).endpoint_url
    assert target is not None  # the local AWS has one
    with Proxy(target=target, plan=Plan(faults, seed=seed), report=lambda line: None) as proxy:
        before = os.environ.get("EARSHOT_PORT")
        os.environ["EARSHOT_PORT"] = str(urlsplit(proxy.url).port)
        try:
            api = FeedbackApi(connect(LOCAL))  # takes the address that holds at this moment
        finally:
            if before is None:
                del os.environ["EARSHOT_PORT"]
            else:
                os.environ["EARSHOT_PORT"] = before
        yield api


def send(api: FeedbackApi, ids: Sequence[str], sent: Sent, *, senders: int, seed: int) -> list[threading.Thread]:
    """Start so many senders that share the feedback; each is sent one to three times, whatever is answered."""
    threads = []
    for sender in range(senders):
        chance = random.Random(f"{seed} {sender}")  # noqa: S311 - the same each time
        mine = [id_ for id_ in ids[sender::senders] for _ in range(chance.choice((1, 1, 2, 3)))]
        chance.shuffle(mine)
        threads.append(threading.Thread(target=_send_all, args=(api, mine, sent), daemon=True))
        threads[-1].start()
    return threads


def _send_all(api: FeedbackApi, ids: Sequence[str], sent: Sent) -> None:
    for id_ in ids:
        number = int(id_.rsplit("-", 1)[-1])
        document = {"id": id_, "channel": "web", "text": _TEXTS[number % len(_TEXTS)], "product_id": f"P-{number % 7}"}
        for _ in range(_TRIES):
            try:
                status: int | None = api.call("POST", "/v1/feedback", document).status
            except Problem:  # cut off, or the local AWS is being harmed
                status = None
            sent.note(id_, status)
            if status is not None and status < 500 and status != 409:
                break
