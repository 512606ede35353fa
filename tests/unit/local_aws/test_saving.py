"""When the running state is saved."""

from local.saving import Saver


def saver() -> Saver:
    return Saver(lambda: None, quiet_seconds=3, longest_seconds=30)


def test_nothing_is_due_without_a_change() -> None:
    idle = saver()
    idle.note("GET")
    assert not idle.due(1e9)


def test_a_change_is_due_once_things_are_quiet() -> None:
    changed = saver()
    changed.note("POST", now=100.0)
    assert not changed.due(102.0)
    assert changed.due(103.0)


def test_a_change_is_due_after_a_while_though_more_keep_coming() -> None:
    busy = saver()
    for second in range(30):
        busy.note("PUT", now=100.0 + second)
        assert not busy.due(100.5 + second)
    busy.note("PUT", now=130.0)
    assert busy.due(130.5)
