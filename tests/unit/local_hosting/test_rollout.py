"""Deployments carried out between fleets that are names, with alarms in a dictionary."""

import threading
from typing import cast

import pytest

from local.sagemaker.hosting.deployment import Deployment, Stage
from local.sagemaker.hosting.fleet import Fleet
from local.sagemaker.hosting.rollout import RollbackError, Rollout, StoppedError
from local.sagemaker.hosting.traffic import Traffic

BLUE, GREEN = cast(Fleet, "blue"), cast(Fleet, "green")


class Watched:
    """A rollout of a canary whose steps are written down; ``at`` a step an alarm changes its state."""

    def __init__(self, deployment: Deployment, alarms: dict[str, str], at: dict[tuple[str, float], str] | None = None):
        self.alarms = alarms
        self.traffic = Traffic()
        self.traffic.route((BLUE, 1.0))
        self.stopped = threading.Event()
        self.steps: list[tuple[str, float]] = []
        self._at = at or {}
        self.rollout = Rollout(deployment, alarm_states=lambda names: self.alarms, stopped=self.stopped)

    def run(self) -> None:
        self.rollout.carry_out(self.traffic, blue=BLUE, green=GREEN, report=self._report)

    def _report(self, status: str, share: float) -> None:
        self.steps.append((status, share))
        if (status, share) in self._at:
            self.alarms["errors"] = self._at[status, share]


def canary(bake_seconds: float = 0.0, **more: float) -> Deployment:
    stages = tuple(Stage(share=share, bake_seconds=bake_seconds) for share in (0.5, 1.0))
    return Deployment(stages=stages, alarms=("errors",), **more)


def test_traffic_goes_over_in_stages_that_are_told() -> None:
    watched = Watched(canary(0.01), {"errors": "INSUFFICIENT_DATA"})
    watched.run()
    assert watched.steps == [("ActivatingTraffic", 0.5), ("Baking", 0.5), ("ActivatingTraffic", 1.0), ("Baking", 1.0)]
    assert watched.traffic.fleets() == [GREEN]


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_an_alarm_in_any_bake_takes_the_traffic_back_at_once_and_is_named(share: float) -> None:
    watched = Watched(canary(60.0 if share == 0.5 else 0.05), {"errors": "OK"}, at={("Baking", share): "ALARM"})
    with pytest.raises(RollbackError, match=rf"have been tripped while the new fleet had {share:.0%}.*: errors\."):
        watched.run()
    assert watched.traffic.fleets() == [BLUE]


def test_an_alarm_that_is_in_alarm_before_lets_nothing_begin() -> None:
    for alarms, told in (({"errors": "ALARM"}, "tripped before traffic"), ({}, "could not be found before traffic")):
        with pytest.raises(RollbackError, match=told):
            Watched(canary(), alarms).rollout.require_calm()


def test_a_deployment_that_takes_too_long_is_taken_back() -> None:
    watched = Watched(canary(0.05, timeout_seconds=0.02), {"errors": "OK"})
    with pytest.raises(RollbackError, match="maximum execution timeout"):
        watched.run()
    assert watched.traffic.fleets() == [BLUE]


def test_a_stop_in_the_middle_leaves_everything_to_the_old_fleet() -> None:
    for deployment in (canary(60.0), canary(0.0, termination_wait_seconds=60.0)):
        watched = Watched(deployment, {"errors": "OK"})
        watched.stopped.set()
        with pytest.raises(StoppedError):
            watched.run()
        assert watched.traffic.fleets() == [BLUE]
