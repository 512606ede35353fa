"""Random schedules of faults against the real functions: nothing accepted is lost, and no effect is there twice.

EARSHOT_SCHEDULES sets how many. At full size: `python -m benchmarks.simulation --schedules 10000`.
"""

import os

import pytest

from benchmarks.outage import outage
from benchmarks.simulation import tables
from benchmarks.simulation.estate import ENVIRONMENT, HANDLERS
from benchmarks.simulation.installation import installed
from benchmarks.simulation.playing import play_all, summary
from benchmarks.simulation.queues import Queue
from benchmarks.simulation.story import MARK
from faults.runtime import Mode

SCHEDULES = int(os.environ.get("EARSHOT_SCHEDULES", "25"))


@pytest.fixture(scope="module")
def outcomes():
    return play_all(range(SCHEDULES))


def test_no_schedule_breaks_a_promise(outcomes):
    assert {outcome.seed: outcome.broken for outcome in outcomes if outcome.broken} == {}


def test_the_schedules_are_not_tame(outcomes):
    figures = summary(outcomes)
    assert figures["accepted"] > 5 * SCHEDULES
    assert figures["processes killed"] > SCHEDULES
    assert figures["failed effects redriven"] > 0


def test_the_same_seed_plays_the_same_schedule(outcomes):
    assert play_all([outcomes[3].seed]) == [outcomes[3]]


def test_a_queue_that_forgets_would_be_seen(monkeypatch):
    monkeypatch.setattr(Queue, "put", lambda self, message: None)
    assert any("neither decided nor" in each for outcome in play_all(range(6)) for each in outcome.broken)


def test_a_table_that_ignores_conditions_would_be_seen(monkeypatch):
    read = tables.holds
    monkeypatch.setattr(tables, "holds", lambda expression, item: read(expression, item) or True)
    assert any("times" in each for outcome in play_all(range(6)) for each in outcome.broken)


def test_an_endpoint_that_is_down_fails_no_post_and_catches_up():
    """At full size, in every mode: `python -m benchmarks.outage`."""
    with installed(HANDLERS, ENVIRONMENT, mark=MARK):
        assert outage(Mode.HANG, per_second=0.3).is_survived
