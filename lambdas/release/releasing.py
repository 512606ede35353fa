"""Decides the steps of a release: begin, check, undo. Each may be repeated without harm.

It does not know how often it is asked, nor CloudFormation's calls.
"""

from dataclasses import dataclass
from enum import Enum

from lambdas.release.stack import EndpointStack, StackState


class ReleaseStatus(Enum):
    """How far a release is."""

    RUNNING = "RUNNING"
    RELEASED = "RELEASED"
    FAILED = "FAILED"


class StackBusyError(RuntimeError):
    """The stack is being changed, or is in a state that no update can begin from. Nothing was changed."""


@dataclass(frozen=True, kw_only=True)
class Begun:
    """A release that was begun. ``previous`` is what the parameter goes back to if it fails."""

    release: str
    previous: str
    status: ReleaseStatus


@dataclass(frozen=True, kw_only=True)
class Checked:
    """How a release stands, and why where it failed."""

    status: ReleaseStatus
    reason: str = ""


def begin(release: str, *, stack: EndpointStack) -> Begun:
    """Name the release and begin the update. Where that cannot begin, the parameter is as before and an error raised.

    A stack that serves the release already is a success: CloudFormation has no updates to perform.
    """
    state = stack.state()
    if not _is_settled(state):
        raise StackBusyError(f"The Endpoint stack is {state.status}: release again when it is complete.")
    named = stack.read_parameter()
    # After a begin that died half-way the parameter names the release already; what is served is the truth then.
    previous = state.served if named == release and state.served is not None else named
    stack.write_parameter(release)
    try:
        is_updating = stack.update()
    except Exception:
        stack.write_parameter(previous)
        raise
    return Begun(
        release=release,
        previous=previous,
        status=ReleaseStatus.RUNNING if is_updating else ReleaseStatus.RELEASED,
    )


def check(*, stack: EndpointStack) -> Checked:
    """Look at the update. Only a complete one is a release; a rolled back one says why."""
    state = stack.state()
    if state.status in ("UPDATE_COMPLETE", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"):
        return Checked(status=ReleaseStatus.RELEASED)
    if state.status == "UPDATE_IN_PROGRESS":
        return Checked(status=ReleaseStatus.RUNNING)
    if state.status.endswith("_IN_PROGRESS"):  # rolling back: the parameter goes back when that is over
        return Checked(status=ReleaseStatus.RUNNING)
    reason = stack.first_failure() or state.reason or "CloudFormation gave no reason."
    return Checked(status=ReleaseStatus.FAILED, reason=f"The Endpoint stack is {state.status}. {reason}")


def undo(*, release: str, previous: str, stack: EndpointStack) -> bool:
    """Put the parameter back; False where it names another release by now, which is left alone."""
    if stack.read_parameter() != release:
        return False
    stack.write_parameter(previous)
    return True


def _is_settled(state: StackState) -> bool:
    return state.status.endswith("_COMPLETE") and not state.status.startswith(("DELETE", "REVIEW"))
