"""Traffic between fleets, without any process."""

import threading
from collections import Counter
from typing import cast

from local.sagemaker.hosting.fleet import Fleet
from local.sagemaker.hosting.traffic import Traffic


def fleet(name: str) -> Fleet:
    """Something that can be told apart; traffic asks nothing of it."""
    return cast(Fleet, name)


def test_requests_are_split_by_share_between_two_fleets() -> None:
    traffic = Traffic()
    traffic.route((fleet("old"), 9.0), (fleet("canary"), 1.0))
    counts: Counter[object] = Counter()
    for _ in range(2000):
        with traffic.enter() as chosen:
            counts[chosen] += 1
    assert 100 < counts["canary"] < 320


def test_a_fleet_is_drained_when_its_last_request_is_answered() -> None:
    traffic, old, new = Traffic(), fleet("old"), fleet("new")
    traffic.route((old, 1.0))
    entered, answered = threading.Event(), threading.Event()

    def request() -> None:
        with traffic.enter():
            entered.set()
            answered.wait(5)

    thread = threading.Thread(target=request)
    thread.start()
    entered.wait(5)
    traffic.route((new, 1.0))
    with traffic.enter() as chosen:
        assert chosen == new
    assert not traffic.drain(old, 0.05)
    answered.set()
    assert traffic.drain(old, 5)
    thread.join()


def test_nothing_is_chosen_where_nothing_is_routed() -> None:
    traffic = Traffic()
    with traffic.enter() as chosen:
        assert chosen is None
