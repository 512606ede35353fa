"""Following a release: from an approved model package to an endpoint that serves it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from cli import executions
from cli.connection import Connection
from cli.errors import Problem
from cli.models import Package, released_run
from cli.steps import Step

APPEAR_SECONDS = 60.0


def follow_release(connection: Connection, package: Package, step: Step) -> None:
    """Waits for the release that the approval of this package started."""
    step.now("waiting for the release to start")
    execution = _release_of(connection, package)
    executions.follow(connection, execution, say=step.say, now=step.now)
    released = released_run(connection)
    if released != package.run:
        raise Problem(f"The release ended, but the endpoint serves {released or 'the starter'} and not {package.run}.")
    step.result = f"model package version {package.version} is served"


def start_release(connection: Connection, package: Package, step: Step) -> None:
    """Releases an approved package now, for instance an older one again."""
    machine = connection.output("endpoint", "ReleaseStateMachine")
    name = f"{package.run}-{datetime.now(UTC).strftime('%Y%m%d-%H%M%S')}"
    execution = executions.start(connection, machine, name, {"model_package_arn": package.arn})
    executions.follow(connection, execution, say=step.say, now=step.now)
    step.result = f"model package version {package.version} is served"


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
    raise Problem(f"No release started within {APPEAR_SECONDS:.0f} s: try `earshot models release {package.version}`.")


def _candidates(found: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
    return found[:20]
