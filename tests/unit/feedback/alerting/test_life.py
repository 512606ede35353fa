from datetime import timedelta

import pytest

from feedback.alerting.life import Verb, WrongActionError, read_action
from feedback.event import timestamp
from feedback.ledger import AlertState
from tests.unit.feedback.alerting.kit import NOW

REFUSED = {
    "nothing": {},
    "no name": {"action": "acknowledge"},
    "an unknown action": {"action": "delete", "by": "ann"},
    "an assignment to nobody": {"action": "assign", "by": "ann"},
    "an acknowledgement to somebody": {"action": "acknowledge", "by": "ann", "to": "bob"},
    "a snooze without end": {"action": "snooze", "by": "ann"},
    "a snooze of a year": {"action": "snooze", "by": "ann", "minutes": 60 * 24 * 365},
    "a snooze of true": {"action": "snooze", "by": "ann", "minutes": True},
    "an unknown field": {"action": "acknowledge", "by": "ann", "state": "SENT"},
    "a name of a page": {"action": "acknowledge", "by": "a" * 101},
}


@pytest.mark.parametrize("document", REFUSED.values(), ids=REFUSED)
def test_what_is_no_action_is_refused(document):
    with pytest.raises(WrongActionError):
        read_action(document, now=NOW)


def test_an_acknowledgement_names_who_and_when():
    changed = read_action({"action": "acknowledge", "by": "ann", "note": "called"}, now=NOW).changes(now=NOW)
    assert changed == {
        "state": "ACKNOWLEDGED",
        "by": "ann",
        "note": "called",
        "changed_at": timestamp(NOW),
        "acknowledged_at": timestamp(NOW),
    }


def test_an_assignment_leaves_the_state():
    assert "state" not in read_action({"action": "assign", "by": "ann", "to": "bob"}, now=NOW).changes(now=NOW)


def test_a_snooze_has_an_end():
    changed = read_action({"action": "snooze", "by": "ann", "minutes": 90}, now=NOW).changes(now=NOW)
    assert (changed["state"], changed["snoozed_until"]) == ("SNOOZED", timestamp(NOW + timedelta(minutes=90)))


def test_what_was_acknowledged_only_changes_hands():
    assert AlertState.ACKNOWLEDGED in Verb.ASSIGN.possible_in
    assert AlertState.ACKNOWLEDGED not in Verb.ACKNOWLEDGE.possible_in | Verb.SNOOZE.possible_in
