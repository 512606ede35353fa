import pytest

from lambdas.release.releasing import Begun, ReleaseStatus, StackBusyError, begin, check, undo
from lambdas.release.stack import StackState

OLD, NEW = "s3://artifacts/models/r1/", "s3://artifacts/models/r2/"


class FakeStack:
    """A parameter and a stack that reads it at an update."""

    def __init__(self, *, status="UPDATE_COMPLETE", served=OLD, failure=None):
        self.parameter = OLD
        self.status = status
        self.served = served
        self.failure = failure
        self.update_error = None

    def read_parameter(self):
        return self.parameter

    def write_parameter(self, value):
        self.parameter = value

    def state(self):
        return StackState(status=self.status, reason="", served=self.served)

    def update(self):
        if self.update_error:
            raise self.update_error
        if self.served == self.parameter:
            return False
        self.served, self.status = self.parameter, "UPDATE_IN_PROGRESS"
        return True

    def first_failure(self):
        return self.failure


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"])
def test_a_release_names_its_artifacts_and_begins_the_update(status):
    stack = FakeStack(status=status)
    assert begin(NEW, stack=stack) == Begun(release=NEW, previous=OLD, status=ReleaseStatus.RUNNING)
    assert stack.parameter == NEW
    assert check(stack=stack).status is ReleaseStatus.RUNNING


def test_what_is_served_already_is_released():
    stack = FakeStack(served=NEW)
    stack.parameter = NEW
    assert begin(NEW, stack=stack).status is ReleaseStatus.RELEASED


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
        begin(NEW, stack=stack)
    assert stack.parameter == OLD


def test_an_update_that_cannot_begin_leaves_the_parameter_as_it_was():
    stack = FakeStack()
    stack.update_error = RuntimeError("denied")
    with pytest.raises(RuntimeError, match="denied"):
        begin(NEW, stack=stack)
    assert stack.parameter == OLD


def test_a_begin_that_died_half_way_can_be_repeated_and_still_knows_the_previous():
    stack = FakeStack()
    stack.parameter = NEW  # written, then the function died
    assert begin(NEW, stack=stack) == Begun(release=NEW, previous=OLD, status=ReleaseStatus.RUNNING)


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
    stack.parameter = NEW
    assert undo(release=NEW, previous=OLD, stack=stack)
    assert stack.parameter == OLD
    assert not undo(release=NEW, previous=OLD, stack=stack)
    stack.parameter = "s3://artifacts/models/r3/"
    assert not undo(release=NEW, previous=OLD, stack=stack)
    assert stack.parameter == "s3://artifacts/models/r3/"
