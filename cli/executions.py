"""Following a run of a state machine: which states it is in, what their jobs write, how it ends.

Responsible for the waiting and for showing progress, also of branches that run side by side. It does not know what the
states do.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from cli.connection import Connection
from cli.errors import Problem
from cli.log_events import LogTail
from cli.render import seconds

POLL_SECONDS = 1.0
# Kinds of states that do something; the others only decide or wait.
WORKING_STATES = ("Task", "Map", "Parallel")

Say = Callable[[str], None]
# A state's name and what it put out, when the execution leaves it.
Left = Callable[[str, dict[str, Any]], None]


@dataclass(kw_only=True)
class Progress:
    """What has been shown of an execution."""

    say: Say
    now: Say
    left: Left | None = None
    tails: dict[str, LogTail] = field(default_factory=dict)
    branches: Mapping[str, Collection[str]] = field(default_factory=dict)
    entered: dict[str, float] = field(default_factory=dict)
    exited: set[str] = field(default_factory=set)
    events_read: int = 0


def start(connection: Connection, machine: str, name: str, request: dict[str, Any]) -> str:
    """Starts an execution; returns its ARN."""
    answer = connection.client("stepfunctions").start_execution(
        stateMachineArn=machine, name=name, input=json.dumps(request)
    )
    return str(answer["executionArn"])


def follow(
    connection: Connection,
    execution: str,
    *,
    say: Say,
    now: Say,
    left: Left | None = None,
    watch: Callable[[], None] | None = None,
    tails: dict[str, LogTail] | None = None,
    branches: Mapping[str, Collection[str]] | None = None,
    poll_seconds: float = POLL_SECONDS,
) -> dict[str, Any]:
    """Waits for the end and returns the output; a Problem says why the execution did not succeed.

    `tails` maps a state's name to the log that its job writes; new lines are shown while it runs. `branches` names the
    states inside of those that have branches. `left` is told of every state that is left, `watch` is called at every
    look.
    """
    progress = Progress(say=say, now=now, left=left, tails=tails or {}, branches=branches or {})
    client = connection.client("stepfunctions")
    while True:
        described = client.describe_execution(executionArn=execution)
        _show_events(client, execution, progress)
        if watch is not None:
            watch()
        if described["status"] != "RUNNING":
            break
        time.sleep(poll_seconds)
    if described["status"] != "SUCCEEDED":
        raise Problem(
            f"{_machine_name(execution)} {described['status'].lower()}: {_reason(client, execution, described)}"
        )
    output: dict[str, Any] = json.loads(described.get("output") or "{}")
    return output


def recent(connection: Connection, machine: str) -> list[dict[str, Any]]:
    """The latest executions of a machine, newest first."""
    answer = connection.client("stepfunctions").list_executions(stateMachineArn=machine, maxResults=50)
    found: list[dict[str, Any]] = sorted(answer["executions"], key=lambda entry: entry["startDate"], reverse=True)
    return found


def _show_events(client: Any, execution: str, progress: Progress) -> None:
    events = [
        event
        for page in client.get_paginator("get_execution_history").paginate(executionArn=execution)
        for event in page["events"]
    ]
    for event in events[progress.events_read :]:
        kind: str = event["type"]
        moment = event["timestamp"].timestamp()
        if kind.endswith("StateEntered"):
            name = event["stateEnteredEventDetails"]["name"]
            if name not in progress.entered:
                progress.entered[name] = moment
                if kind.startswith(WORKING_STATES):
                    progress.say(name)
            progress.now(name)
        elif kind.endswith("StateExited"):
            details = event["stateExitedEventDetails"]
            name = details["name"]
            for inner in progress.branches.get(name, ()):
                if inner in progress.tails and inner not in progress.exited:
                    _show_lines(progress, inner)
            _show_lines(progress, name)
            progress.exited.add(name)
            if progress.left is not None:
                progress.left(name, json.loads(details.get("output") or "{}"))
            if name in progress.tails and name in progress.entered:
                progress.say(f"{name} took {seconds(max(0.0, moment - progress.entered[name]))}")
    progress.events_read = len(events)
    untold = _untold(progress)
    for name in progress.tails:
        if name not in progress.exited and (name in progress.entered or name in untold):
            _show_lines(progress, name)


def _untold(progress: Progress) -> set[str]:
    """States of branches that are under way and whose beginning the history does not tell, as on the local AWS."""
    return {
        name
        for parallel, inner in progress.branches.items()
        if parallel in progress.entered and parallel not in progress.exited
        for name in inner
        if not progress.entered.keys() & (set(inner) - progress.tails.keys())
    }


def _show_lines(progress: Progress, state: str) -> None:
    tail = progress.tails.get(state)
    if tail is None:
        return
    for line in tail.read():
        if state not in progress.entered:
            progress.entered[state] = line.timestamp_milliseconds / 1000
            progress.say(state)
        progress.say(f"{state} | {line.text}")


def _reason(client: Any, execution: str, described: dict[str, Any]) -> str:
    if described.get("cause"):
        return _readable(described["cause"])
    history = client.get_execution_history(executionArn=execution, reverseOrder=True, maxResults=20)["events"]
    for event in history:
        for key, details in event.items():
            if key.endswith("EventDetails") and isinstance(details, dict) and details.get("cause"):
                return _readable(str(details["cause"]))
    return str(described.get("error", "no reason was given"))


def _readable(cause: str) -> str:
    """The sentence inside what a service integration reports: it puts the whole description of a failed job there."""
    try:
        details = json.loads(cause)
    except ValueError:
        return cause
    if isinstance(details, dict):
        for key in ("FailureReason", "errorMessage", "message", "Message"):
            if details.get(key):
                return str(details[key])
    return cause


def _machine_name(execution: str) -> str:
    return f"The run {execution.rsplit(':', 1)[-1]}"
