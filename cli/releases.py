"""Following a release: from what is asked for to an endpoint that serves it, or to the reason why it does not."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from cli import executions
from cli.connection import Connection
from cli.errors import Problem
from cli.models import Package, released_run
from cli.release_progress import ReleaseProgress
from cli.steps import Step

APPEAR_SECONDS = 60.0


def follow_release(connection: Connection, package: Package, step: Step) -> None:
    """Waits for the release that the approval of this package started."""
    step.now("waiting for the release to start")
    _follow(connection, _release_of(connection, package), step)
    released = released_run(connection)
    if released != package.run:
        raise Problem(f"The release ended, but the endpoint serves {released or 'the starter'} and not {package.run}.")
    step.result = f"model package version {package.version} is served"


def start_release(connection: Connection, package: Package, step: Step) -> dict[str, Any] | None:
    """Releases an approved package now, for instance an older one again; what the canary found out at last."""
    canary = change_models(connection, {"model_package_arn": package.arn}, step)
    step.result = f"model package version {package.version} is served"
    return canary


def change_models(connection: Connection, request: dict[str, Any], step: Step) -> dict[str, Any] | None:
    """Runs the release state machine to its end; a Problem says why nothing was changed in the end."""
    machine = connection.output("endpoint", "ReleaseStateMachine")
    name = f"{request.get('mode', 'release')}-{datetime.now(UTC).strftime('%Y%m%d-%H%M%S-%f')}"
    return _follow(connection, executions.start(connection, machine, name, request), step)


def _follow(connection: Connection, execution: str, step: Step) -> dict[str, Any] | None:
    progress = ReleaseProgress(connection, step.say)
    executions.follow(connection, execution, say=step.say, now=step.now, left=progress.left, watch=progress.watch)
    return progress.canary


def _release_of(connection: Connection, package: Package) -> str:
    """ARN of the newest execution that was started for this package."""
    machine = connection.output("endpoint", "ReleaseStateMachine")
    deadline = time.monotonic() + APPEAR_SECONDS
    seen: dict[str, bool] = {}
    while time.monotonic() < deadline:
        for entry in _candidates(executions.recent(connection, machine)):
            arn = entry["executionArn"]
            if arn not in seen:
                described = connection.client("stepfunctions").describe_execution(executionArn=arn)
                seen[arn] = package.arn in described.get("input", "")
            if seen[arn]:
                return str(arn)
        time.sleep(1)
    raise Problem(f"No release started within {APPEAR_SECONDS:.0f} s: try `earshot release {package.version}`.")


def _candidates(found: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
    return found[:20]
