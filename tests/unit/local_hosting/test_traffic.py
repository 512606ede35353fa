"""Traffic between fleets, without any process."""

import threading
from collections import Counter
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from local.sagemaker.hosting.fleet import Fleet
from local.sagemaker.hosting.traffic import Traffic
from local.sagemaker.hosting.turns import Turns


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
    assert counts == {"old": 1800, "canary": 200}


def test_a_share_of_nothing_gets_nothing_and_what_is_avoided_is_taken_only_without_another() -> None:
    traffic = Traffic()
    traffic.route((fleet("old"), 0.0), (fleet("new"), 1.0))
    assert traffic.fleets() == ["new"]
    with traffic.enter(avoiding=fleet("new")) as chosen:
        assert chosen == "new"
    traffic.route((fleet("old"), 0.5), (fleet("new"), 0.5))
    for _ in range(3):
        with traffic.enter(avoiding=fleet("old")) as chosen:
            assert chosen == "new"


@given(weights=st.lists(st.integers(0, 20), min_size=1, max_size=5), turns=st.integers(1, 200))
def test_after_any_number_of_turns_everything_has_its_share_within_one_turn(weights: list[int], turns: int) -> None:
    weighted = [(index, float(weight)) for index, weight in enumerate(weights)]
    sequence: Turns[int] = Turns()
    counts = Counter(sequence.next(weighted) for _ in range(turns))
    if not any(weights):
        assert counts == {None: turns}
        return
    for index, weight in weighted:
        assert abs(counts[index] - turns * weight / sum(weights)) <= len(weights) / 2 + 1e-6
        assert weight or not counts[index]


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
