"""Carries a deployment out: traffic to the new fleet stage by stage, with alarms watched, and back at once on an alarm.

Knows fleets as things that traffic goes to, and alarms by their names. Does not know how a fleet comes up, how it ends
or what is written about it.
"""

import threading
import time
from collections.abc import Callable

from local.sagemaker.context import AlarmStates
from local.sagemaker.hosting.deployment import Deployment, Stage
from local.sagemaker.hosting.fleet import Fleet
from local.sagemaker.hosting.traffic import Traffic

LOOK_SECONDS = 0.25

# What the new fleet is doing, as PendingDeploymentSummary names it, and its share of the requests.
Report = Callable[[str, float], None]


class RollbackError(Exception):
    """The deployment is taken back; the message is the endpoint's FailureReason."""


class StoppedError(Exception):
    """The local AWS ends in the middle of a deployment."""


class Rollout:
    """One deployment, its time running from now on."""

    def __init__(self, deployment: Deployment, *, alarm_states: AlarmStates, stopped: threading.Event) -> None:
        self._deployment = deployment
        self._alarm_states = alarm_states
        self._stopped = stopped
        timeout = deployment.timeout_seconds
        self._deadline = None if timeout is None else time.monotonic() + timeout

    def require_calm(self, where: str = "before traffic was shifted") -> None:
        """RollbackError where an alarm of the deployment is in ALARM or not there, or where time is up."""
        names = self._deployment.alarms
        states = self._alarm_states(names) if names else {}
        missing = [name for name in names if name not in states]
        if missing:
            raise RollbackError(
                f"The alarm(s) {', '.join(missing)} in the Auto-Rollback Configuration could not be found {where}."
            )
        tripped = [name for name in names if states[name] == "ALARM"]
        if tripped:
            raise RollbackError(
                "One or more configured alarm(s) in the Auto-Rollback Configuration have been tripped "
                f"{where}: {', '.join(tripped)}."
            )
        if self._deadline is not None and time.monotonic() > self._deadline:
            raise RollbackError(
                f"The deployment exceeded its maximum execution timeout of {self._deployment.timeout_seconds} seconds "
                f"{where}."
            )

    def carry_out(self, traffic: Traffic, *, blue: Fleet, green: Fleet, report: Report) -> None:
        """Return when ``green`` answers everything and ``blue`` may end.

        RollbackError where the deployment is taken back and StoppedError where it is cut off: ``blue`` answers
        everything again then.
        """
        try:
            for stage in self._deployment.stages:
                report("ActivatingTraffic", stage.share)
                traffic.route((blue, 1.0 - stage.share), (green, stage.share))
                report("Baking", stage.share)
                self._bake(stage)
            if self._stopped.wait(self._deployment.termination_wait_seconds):
                raise StoppedError
        except BaseException:
            traffic.route((blue, 1.0))
            raise

    def _bake(self, stage: Stage) -> None:
        """Watch for as long as the stage says; the last look is at its end."""
        where = f"while the new fleet had {stage.share:.0%} of the traffic"
        end = time.monotonic() + stage.bake_seconds
        while True:
            remaining = end - time.monotonic()
            self.require_calm(where)
            if remaining <= 0:
                return
            if self._stopped.wait(min(LOOK_SECONDS, remaining)):
                raise StoppedError
