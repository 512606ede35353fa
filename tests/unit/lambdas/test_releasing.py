"""The steps of a release over a stack that holds its parameters in memory."""

import pytest

from lambdas.release.releasing import (
    AlarmsRingError,
    Begun,
    Change,
    ReleaseStatus,
    StackBusyError,
    begin,
    check,
    undo,
)
from lambdas.release.stack import Slot, StackState

OLD, NEW = "s3://artifacts/models/r1/", "s3://artifacts/models/r2/"
RELEASE = Change(slot=Slot.RELEASE, release=NEW, is_guarded=True)


class FakeStack:
    """Parameters, and a stack that reads them at an update."""

    def __init__(self, *, status="UPDATE_COMPLETE", served=OLD, failure=None):
        self.named = {Slot.RELEASE: OLD, Slot.BESIDE: "none"}
        self.served = {Slot.RELEASE: served, Slot.BESIDE: "none"}
        self.status = status
        self.failure = failure
        self.alarms = []
        self.is_guarded = True
        self.guarded_updates = []
        self.shares = []
        self.update_error = None

    def read(self, slot):
        return self.named[slot]

    def write(self, slot, value):
        self.named[slot] = value

    def guard(self, is_guarded):
        self.is_guarded = is_guarded

    def ringing(self):
        return self.alarms

    def state(self):
        return StackState(status=self.status, reason="", served=self.served)

    def update(self, *, share=None):
        if self.update_error:
            raise self.update_error
        self.guarded_updates.append(self.is_guarded)
        self.shares.append(share)
        if self.served == self.named:
            return False
        self.served, self.status = dict(self.named), "UPDATE_IN_PROGRESS"
        return True

    def first_failure(self):
        return self.failure


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"])
def test_a_release_names_its_artifacts_and_begins_the_update(status):
    stack = FakeStack(status=status)
    assert begin(RELEASE, stack=stack) == Begun(previous=OLD, status=ReleaseStatus.RUNNING)
    assert stack.named[Slot.RELEASE] == NEW
    assert stack.guarded_updates == [True]
    assert check(stack=stack).status is ReleaseStatus.RUNNING


def test_what_is_served_already_is_released():
    stack = FakeStack(served=NEW)
    stack.named[Slot.RELEASE] = NEW
    assert begin(RELEASE, stack=stack).status is ReleaseStatus.RELEASED


@pytest.mark.parametrize(
    "status",
    [
        "UPDATE_IN_PROGRESS",
        "UPDATE_ROLLBACK_IN_PROGRESS",
        "DELETE_COMPLETE",
        "UPDATE_ROLLBACK_FAILED",
        "REVIEW_IN_PROGRESS",
    ],
)
def test_a_busy_stack_is_left_alone(status):
    stack = FakeStack(status=status)
    with pytest.raises(StackBusyError, match=status):
        begin(RELEASE, stack=stack)
    assert stack.named[Slot.RELEASE] == OLD


def test_a_canary_does_not_begin_while_its_alarms_ring_but_the_way_back_does():
    stack = FakeStack()
    stack.alarms = ["Invocation5XXErrors"]
    with pytest.raises(AlarmsRingError, match=r"alarms ring \(Invocation5XXErrors\)"):
        begin(RELEASE, stack=stack)
    assert stack.named[Slot.RELEASE] == OLD
    back = Change(slot=Slot.RELEASE, release="starter", is_guarded=False)
    assert begin(back, stack=stack).status is ReleaseStatus.RUNNING


def test_a_second_model_comes_without_a_guardrail_that_is_back_when_the_update_is_over():
    stack = FakeStack()
    begun = begin(Change(slot=Slot.BESIDE, release=NEW, is_guarded=False, share=0.1), stack=stack)
    assert begun == Begun(previous="none", status=ReleaseStatus.RUNNING)
    assert (stack.named[Slot.RELEASE], stack.named[Slot.BESIDE]) == (OLD, NEW)
    assert (stack.guarded_updates, stack.shares) == ([False], [0.1])
    assert check(stack=stack).status is ReleaseStatus.RUNNING
    assert not stack.is_guarded
    stack.status = "UPDATE_COMPLETE"
    assert check(stack=stack).status is ReleaseStatus.RELEASED
    assert stack.is_guarded


def test_an_update_that_cannot_begin_leaves_the_parameters_as_they_were():
    stack = FakeStack()
    stack.update_error = RuntimeError("denied")
    with pytest.raises(RuntimeError, match="denied"):
        begin(Change(slot=Slot.RELEASE, release=NEW, is_guarded=False), stack=stack)
    assert stack.named[Slot.RELEASE] == OLD
    assert stack.is_guarded


def test_a_begin_that_died_half_way_can_be_repeated_and_still_knows_the_previous():
    stack = FakeStack()
    stack.named[Slot.RELEASE] = NEW  # written, then the function died
    assert begin(RELEASE, stack=stack) == Begun(previous=OLD, status=ReleaseStatus.RUNNING)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("UPDATE_COMPLETE", "RELEASED"),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "RELEASED"),
        ("UPDATE_IN_PROGRESS", "RUNNING"),
        ("UPDATE_ROLLBACK_IN_PROGRESS", "RUNNING"),
        ("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", "RUNNING"),
        ("UPDATE_ROLLBACK_COMPLETE", "FAILED"),
        ("UPDATE_ROLLBACK_FAILED", "FAILED"),
        ("UPDATE_FAILED", "FAILED"),
    ],
)
def test_only_a_complete_update_is_a_release(status, expected):
    assert check(stack=FakeStack(status=status)).status.value == expected


def test_a_failed_release_says_why():
    checked = check(stack=FakeStack(status="UPDATE_ROLLBACK_COMPLETE", failure="Endpoint: alarm went off"))
    assert checked.reason == "The Endpoint stack is UPDATE_ROLLBACK_COMPLETE. Endpoint: alarm went off"


def test_undo_puts_the_parameter_back_once_and_leaves_a_later_release_alone():
    stack = FakeStack()
    stack.named[Slot.RELEASE] = NEW
    assert undo(RELEASE, previous=OLD, stack=stack)
    assert stack.named[Slot.RELEASE] == OLD
    assert not undo(RELEASE, previous=OLD, stack=stack)
    stack.named[Slot.RELEASE] = "s3://artifacts/models/r3/"
    assert not undo(RELEASE, previous=OLD, stack=stack)
    assert stack.named[Slot.RELEASE] == "s3://artifacts/models/r3/"
