"""How the serving benchmark judges a figure: by the ratio where there is one, else by our own figure."""

from __future__ import annotations

import os

from benchmarks.serving.measures import Goal, Measure
from benchmarks.serving.rounds import Side, Taken, best, interleaved


def test_a_goal_about_a_ratio_looks_at_the_ratio() -> None:
    measure = Measure(name="speed", unit="/s", baseline=5.0, ours=51.0, ratio=10.2, goal=Goal.times(10))
    assert measure.is_reached
    assert measure.row()["goal"] == ">= 10.0x"
    assert measure.row()["ratio"] == "10.20x"
    assert measure.row()["reached"] == "yes"


def test_a_goal_without_a_ratio_looks_at_our_figure() -> None:
    assert not Measure(name="difference", unit="", ours=0.051, goal=Goal.at_most(0.05)).is_reached
    assert Measure(name="agreement", unit="%", ours=99.0, goal=Goal.at_least(99, "%")).is_reached


def test_a_figure_without_a_goal_is_stated_and_not_judged() -> None:
    row = Measure(name="share", unit="%", ours=72.5).row()
    assert (row["baseline"], row["ours"], row["goal"], row["reached"]) == ("-", "72.5%", "stated", "")


def test_the_quickest_round_counts_by_each_clock_on_its_own() -> None:
    found = best([Taken(items=10, wall=2.0, cpu=1.0), Taken(items=10, wall=1.0, cpu=4.0)])
    assert (found.per_second, found.per_cpu_second) == (10.0, 10.0)
    assert best([Taken(items=10, wall=1.0, cpu=None)]).per_cpu_second is None


def test_sides_take_turns_and_the_first_turn_only_warms_up() -> None:
    turns: list[str] = []
    said: list[str] = []
    sides = {
        name: Side(items=1, work=lambda name=name: turns.append(name), pids=lambda: [os.getpid()])  # type: ignore[misc]
        for name in ("theirs", "ours")
    }
    found = interleaved(sides, 2, said.append)
    assert turns == ["theirs", "ours"] * 3
    assert len(said) == 2
    assert found["ours"].times(found["theirs"]) > 0
