"""Bad inputs of every class through every channel's handler: refused in words, never an exception or a 5xx.

With times: `python -m benchmarks.bad_inputs`.
"""

from collections import Counter

import pytest

from benchmarks.bad_inputs import CHANNELS, attempts, place
from benchmarks.simulation.world import START
from tests.corpus import CLASSES, LEAST_VARIANTS, cases


@pytest.fixture(scope="module")
def at():
    with place() as made:
        yield made


def test_there_are_at_least_ten_variants_of_each_class():
    variants = Counter(case.number for case in cases(now=int(START)))
    assert set(variants) == set(CLASSES)
    assert min(variants.values()) >= LEAST_VARIANTS


@pytest.mark.parametrize("number", CLASSES, ids=[f"{number} {name}" for number, name in CLASSES.items()])
def test_no_bad_input_breaks_a_channel(number, at):
    tries = [
        each for case in cases(now=int(at.world.turns.now)) if case.number == number for each in attempts(case, at)
    ]
    assert {each.channel for each in tries} <= set(CHANNELS)
    assert [(each.channel, each.case.variant, each.faults) for each in tries if each.faults] == []
