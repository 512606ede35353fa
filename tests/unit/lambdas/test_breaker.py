import contextlib
import itertools
import random
from datetime import UTC, datetime

import pytest

from lambdas.aws.breaker import GuardedEndpoint, SharedBreaker
from lambdas.aws.desk import DeskUnavailableError
from lambdas.aws.endpoint import EndpointFailure, EndpointUnavailableError
from tests.unit.lambdas.fakes import FakeEndpoint

TEXTS = [("a", "Too tight")]


class FakeDesk:
    """One document, written by compare and swap; counts what it is asked."""

    def __init__(self):
        self.document = None
        self.reads = self.writes = 0
        self.is_down = False

    def get(self, pk, sk):
        self._check()
        self.reads += 1
        return self.document

    def update_if(self, pk, sk, expression, *, condition, values, names):
        self._check()
        seen = None if self.document is None else self.document["version"]
        if values.get(":seen") != seen:
            return None
        self.writes += 1
        self.document = {"pk": pk, "sk": sk, "state": values[":state"], "version": values[":version"]}
        return self.document

    def _check(self):
        if self.is_down:
            raise DeskUnavailableError("The desk is down.")


class Fleet:
    """Instances of functions that share a desk and a clock."""

    def __init__(self, size, endpoint):
        self.desk = FakeDesk()
        self.seconds = 1_700_000_000.0
        self.endpoint = endpoint
        self.instances = [
            GuardedEndpoint(endpoint=endpoint, breaker=SharedBreaker(desk=self.desk, now=self.now)) for _ in range(size)
        ]

    def now(self):
        return datetime.fromtimestamp(self.seconds, UTC)

    def call(self, instance):
        """Whether it was asked."""
        if not instance.admits():
            return False
        with contextlib.suppress(EndpointUnavailableError):
            instance.classify(TEXTS)
        return True


@pytest.mark.parametrize("seed", range(20))
def test_all_instances_together_ask_a_model_that_is_away_ten_times_and_then_once_in_thirty_seconds(seed):
    luck = random.Random(seed)
    fleet = Fleet(8, FakeEndpoint(failure=EndpointFailure.TIMEOUT))
    asked = []
    began = fleet.seconds
    while fleet.seconds < began + 300:
        fleet.seconds += luck.expovariate(20.0)
        if fleet.call(luck.choice(fleet.instances)):
            asked.append(fleet.seconds)
    opened = next(index for index, moment in enumerate(asked) if moment > asked[0] + 25)
    # Within the second that a state is remembered, the others do not know yet.
    assert opened <= 10 + 8
    probes = asked[opened:]
    assert all(later - earlier >= 30 for earlier, later in itertools.pairwise(probes))
    fleet.endpoint.failure = None
    while fleet.seconds < began + 420:
        fleet.seconds += 1.0
        fleet.call(luck.choice(fleet.instances))
    assert all(instance.admits() for instance in fleet.instances)


def test_of_two_that_want_to_probe_one_does():
    fleet = Fleet(2, FakeEndpoint(failure=EndpointFailure.BUSY))
    one, two = fleet.instances
    while fleet.call(one):
        fleet.seconds += 0.1
    fleet.seconds += 31
    two.admits()  # reads
    assert [one.admits(), two.admits()].count(True) <= 1
    fleet.seconds += 1.1
    assert not one.admits()
    assert not two.admits()


def test_a_well_model_costs_one_read_a_second_and_no_write():
    fleet = Fleet(1, FakeEndpoint())
    for _ in range(100):
        fleet.seconds += 0.1
        assert fleet.call(fleet.instances[0])
    assert fleet.desk.writes == 0
    assert 9 <= fleet.desk.reads <= 11


def test_a_desk_that_is_away_closes_nothing():
    fleet = Fleet(1, FakeEndpoint(failure=EndpointFailure.TIMEOUT))
    fleet.desk.is_down = True
    assert all(fleet.call(fleet.instances[0]) for _ in range(50))


def test_a_refusal_is_about_the_texts_and_opens_nothing():
    fleet = Fleet(1, FakeEndpoint(failure=EndpointFailure.REFUSED))
    assert all(fleet.call(fleet.instances[0]) for _ in range(50))
    assert fleet.desk.writes == 0


def test_the_last_answer_of_a_call_begun_before_it_opened_is_no_probe():
    fleet = Fleet(2, FakeEndpoint(failure=EndpointFailure.BUSY))
    slow, quick = fleet.instances
    assert slow.admits()
    while fleet.call(quick):
        fleet.seconds += 0.1
    writes = fleet.desk.writes
    fleet.endpoint.failure = None
    slow.classify(TEXTS)
    assert fleet.desk.writes == writes
    assert not quick.admits()
