"""The breaker's promises, over many seeds: BREAKER_SEEDS=1000 is the full size, a minute; the default is quick."""

import itertools
import json
import os
import random

import pytest

from feedback.breaker import PROBE_SECONDS, Breaker

SEEDS = int(os.environ.get("BREAKER_SEEDS", "40"))


class Run:
    """A model and those who ask it, one call after another; ``fails`` says how a call at a moment goes."""

    def __init__(self, seed, fails, *, calls_per_second):
        self.luck = random.Random(seed)
        self.fails = fails
        self.pause = 1.0 / calls_per_second
        self.now = 1_700_000_000.0
        self.breaker = Breaker()
        self.openings, self.closings, self.probes = [], [], []
        self.failures_before_opening = 0

    def until(self, seconds):
        end = self.now + seconds
        while self.now < end:
            self.now += self.luck.expovariate(1.0) * self.pause
            self._call()
        return self

    def _call(self):
        before = self.breaker
        if not before.is_closed:
            if not before.wants_probe(self.now):
                return
            self.probes.append(self.now)
            before = before.probed(self.now)
        is_failure = self.luck.random() < self.fails
        self.breaker = before.failed(self.now) if is_failure else before.succeeded(self.now)
        if before.is_closed:
            self.failures_before_opening = self.failures_before_opening + 1 if is_failure else 0
        if before.is_closed != self.breaker.is_closed:
            (self.closings if self.breaker.is_closed else self.openings).append(self.now)


def rates(seed):
    return random.Random(f"rate {seed}").uniform(0.5, 20.0)


def test_it_opens_after_ten_failures_at_most_whatever_was_answered_before():
    for seed in range(SEEDS):
        run = Run(seed, 0.0, calls_per_second=rates(seed)).until(random.Random(seed).uniform(0.0, 30.0))
        run.fails = 1.0
        while run.breaker.is_closed:
            run.until(0.01)
        assert run.failures_before_opening <= 10


def test_a_healthy_model_never_opens_it():
    for seed in range(SEEDS):
        assert Run(seed, 0.02, calls_per_second=10).until(60).openings == []


def test_it_does_not_flap_where_every_second_call_fails():
    reopened = 0
    for seed in range(SEEDS):
        run = Run(seed, 0.5, calls_per_second=rates(seed)).until(300)
        reopened += len(run.openings) > 1
    assert reopened == 0


def test_at_most_one_probe_goes_out_in_thirty_seconds():
    for seed in range(SEEDS):
        run = Run(seed, 1.0, calls_per_second=rates(seed)).until(300)
        moments = [*run.openings, *run.probes]
        assert len(run.openings) == 1
        assert 3 <= len(run.probes) <= 5, "less often the longer it is away"
        assert all(later - earlier >= PROBE_SECONDS for earlier, later in itertools.pairwise(moments))


def test_it_closes_soon_after_the_model_is_back_and_stays_closed():
    for seed in range(SEEDS):
        run = Run(seed, 1.0, calls_per_second=10).until(120)
        run.fails = 0.0
        back = run.now
        run.until(120)
        assert len(run.closings) == 1
        assert run.closings[0] - back <= 4 * PROBE_SECONDS + 2
        assert len(run.openings) == 1


def test_a_probe_that_fails_starts_the_count_anew():
    opened = Breaker(opened_at=0.0)
    assert not opened.succeeded(30.0).failed(60.0).succeeded(90.0).is_closed
    assert opened.succeeded(30.0).succeeded(60.0).is_closed


@pytest.mark.parametrize("breaker", [Breaker(), Breaker(failures=3), Breaker(opened_at=5.0, probed_at=40.0, share=0.4)])
def test_a_state_is_stored_and_read_back(breaker):
    assert Breaker.from_document(json.loads(json.dumps(breaker.to_document()))) == breaker


def test_a_success_is_worth_telling_only_while_failures_are_remembered():
    assert Breaker().is_calm(0.0)
    assert not Breaker().failed(0.0).is_calm(0.0)
    after = Breaker().failed(0.0).failed(0.0).succeeded(0.0)
    assert not after.is_calm(0.0)
    assert after.is_calm(60.0)
