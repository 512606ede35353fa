"""Decides the steps of a release: begin, check, undo, take back. Each may be repeated without harm.

It does not know how often it is asked, nor CloudFormation's calls.
"""

from dataclasses import dataclass
from enum import Enum

from lambdas.release.stack import EndpointStack, Slot, StackState


class ReleaseStatus(Enum):
    """How far a release is."""

    RUNNING = "RUNNING"
    RELEASED = "RELEASED"
    FAILED = "FAILED"


class StackBusyError(RuntimeError):
    """The stack is being changed, or is in a state that no update can begin from. Nothing was changed."""


class AlarmsRingError(RuntimeError):
    """SageMaker would take the model back before it answered anything. Nothing was changed; alarms calm down."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """What is to be served: ``release`` in one slot.

    ``is_guarded``: by a canary, and taken back by alarms. ``share``: of the traffic, for the slot beside.
    """

    slot: Slot
    release: str
    is_guarded: bool
    share: float | None = None


@dataclass(frozen=True, kw_only=True)
class Begun:
    """A change that was begun. ``previous`` is what the slot's parameter goes back to if it fails."""

    previous: str
    status: ReleaseStatus


@dataclass(frozen=True, kw_only=True)
class Checked:
    """How a release stands, and why where it failed."""

    status: ReleaseStatus
    reason: str = ""


def begin(change: Change, *, stack: EndpointStack) -> Begun:
    """Name the release and begin the update. Where that cannot begin, the parameter is as before and an error raised.

    A stack that serves the release already is a success: CloudFormation has no updates to perform.
    """
    state = stack.state()
    if not _is_settled(state):
        raise StackBusyError(f"The Endpoint stack is {state.status}: release again when it is complete.")
    if change.is_guarded and (ringing := stack.ringing()):
        raise AlarmsRingError(
            f"The endpoint's alarms ring ({', '.join(ringing)}): release when they are calm, or roll back, which "
            "does not wait for them."
        )
    named = stack.read(change.slot)
    served = state.served.get(change.slot)
    # After a begin that died half-way the parameter names the release already; what is served is the truth then.
    previous = served if named == change.release and served is not None else named
    stack.guard(change.is_guarded)
    stack.write(change.slot, change.release)
    try:
        is_updating = stack.update(share=change.share)
    except Exception:
        stack.write(change.slot, previous)
        stack.guard(True)
        raise
    if not is_updating:
        stack.guard(True)
    return Begun(previous=previous, status=ReleaseStatus.RUNNING if is_updating else ReleaseStatus.RELEASED)


def check(*, stack: EndpointStack) -> Checked:
    """Look at the update. Only a complete one is a release; a rolled back one says why.

    When it is over, whatever comes next is guarded again.
    """
    state = stack.state()
    is_complete = state.status in ("UPDATE_COMPLETE", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    if not is_complete and state.status.endswith("_IN_PROGRESS"):
        return Checked(status=ReleaseStatus.RUNNING)  # rolling back: the parameter goes back when that is over
    stack.guard(True)
    if is_complete:
        return Checked(status=ReleaseStatus.RELEASED)
    reason = stack.first_failure() or state.reason or "CloudFormation gave no reason."
    return Checked(status=ReleaseStatus.FAILED, reason=f"The Endpoint stack is {state.status}. {reason}")


def undo(change: Change, *, previous: str, stack: EndpointStack) -> bool:
    """Put the parameter back; False where it names another release by now, which is left alone."""
    if stack.read(change.slot) != change.release:
        return False
    stack.write(change.slot, previous)
    return True


def _is_settled(state: StackState) -> bool:
    return state.status.endswith("_COMPLETE") and not state.status.startswith(("DELETE", "REVIEW"))
