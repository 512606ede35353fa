from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from feedback.alerting.messages import AlertMessage, Kind, ProductMessage, UnreadableAlertError, read_message
from feedback.alerting.planning import ESCALATION, delivery_id, destinations_of, plan, subject_of
from feedback.alerting.responses import wanted_response
from tests.unit.feedback.alerting.kit import NOW, entry, policy, rule, with_product

NIGHT = {"destinations": ["everyone"], "quiet_hours": {"from": "10:00", "until": "12:00"}}


def test_by_day_an_alert_is_due_at_once_in_a_window_of_the_clock():
    made = plan(policy(), entry(), now=NOW)
    assert (made.held_until, made.alone, made.window) == (None, 3, "2026-03-02T10:00:00.000Z")
    assert made.closes == NOW.replace(minute=15, second=0)


def test_in_quiet_hours_it_waits_and_the_whole_night_is_one_window():
    found = policy(teams={"care": NIGHT})
    made, later = (plan(found, entry(), now=moment) for moment in (NOW, NOW + timedelta(hours=1)))
    assert made.held_until == NOW.replace(hour=12, minute=0, second=0)
    assert made.window == later.window


def test_what_is_critical_does_not_wait():
    found = policy(teams={"care": NIGHT}, rules=[rule(severity="critical")])
    assert plan(found, entry(), now=NOW).held_until is None


def test_a_snoozed_subject_gives_a_digest_at_its_end_however_critical():
    until = NOW + timedelta(hours=3)
    made = plan(policy(rules=[rule(severity="critical")]), entry(), now=NOW, snoozed_until=until)
    assert (made.alone, made.closes) == (0, until)
    assert plan(policy(), entry(), now=NOW, snoozed_until=NOW).alone == 3


def test_an_escalation_counts_from_the_telling():
    escalating = {**NIGHT, "escalation": {"after_minutes": 30, "destinations": ["everyone"]}}
    made = plan(policy(teams={"care": escalating}), entry(), now=NOW)
    assert made.escalate_at == made.held_until + timedelta(minutes=30)


def test_digests_of_different_windows_subjects_and_teams_are_different_alerts():
    made = plan(policy(), entry(), now=NOW)
    other = plan(policy(), with_product(entry(), "P-2"), now=NOW)
    later = plan(policy(), entry(), now=NOW + timedelta(hours=1))
    assert len({each.digest_id for each in (made, other, later)}) == 3


def test_a_subject_is_the_product_else_the_category_else_the_channel():
    event = entry(category="Shoes").event
    assert subject_of(event).key == "product#P-1"
    assert subject_of(replace(event, product_id=None)).key == "category#Shoes"
    assert subject_of(replace(event, product_id=None, category=None)).key == "channel#web"


def test_an_escalation_goes_to_its_own_destinations():
    found = policy(
        destinations={"everyone": {"kind": "topic"}, "boss": {"kind": "teams", "secret": "boss"}},
        teams={
            "care": {
                "destinations": ["everyone"],
                "escalation": {"after_minutes": 5, "destinations": ["boss"]},
            }
        },
    )
    assert destinations_of(found, "care", step="first") == ("everyone",)
    assert destinations_of(found, "care", step=ESCALATION) == ("boss",)
    assert destinations_of(found, "gone", step="first") == ("everyone",)
    assert delivery_id("a", "boss", ESCALATION) == "a.boss.escalation"


@pytest.mark.parametrize(
    "message",
    [
        AlertMessage(kind=Kind.FEEDBACK, id="a", destination="everyone"),
        AlertMessage(kind=Kind.DIGEST, id="digest-1", step="escalation"),
        ProductMessage(id="spike-1", scope={"kind": "product", "name": "P"}, figures={"share": 0.5}, examples=("a",)),
    ],
)
def test_a_message_is_read_as_it_was_written(message):
    assert read_message(message.to_json()) == message


@pytest.mark.parametrize(
    "body",
    [
        "[",
        "[]",
        '{"version":2,"kind":"feedback","id":"a"}',
        '{"version":1,"kind":"pigeon","id":"a"}',
        '{"version":1,"kind":"feedback","id":""}',
        '{"version":1,"kind":"feedback","id":"a","destination":7}',
        '{"version":1,"kind":"product","id":"a","examples":"b"}',
        '{"version":1,"kind":"product","id":"a","figures":{"x":[1]}}',
        '{"version":1,"kind":"product","id":"a","scope":7}',
    ],
)
def test_what_is_no_message_is_refused(body):
    with pytest.raises(UnreadableAlertError):
        read_message(body)


def test_a_case_is_of_one_feedback_and_a_pull_of_a_span_of_its_product():
    def response(event, found, **more):
        return wanted_response(policy(rules=[rule(respond={"event": event, **more})]), found)

    case, other = (response("SupportCaseWanted", entry(id=id_)) for id_ in ("a", "b"))
    assert case.response_id != other.response_id
    pull, again = (response("ProductPullWanted", entry(id=id_), count=2) for id_ in ("a", "b"))
    assert pull.response_id == again.response_id
    later = entry(id="c", received_at="2026-03-09T10:00:00.000Z")
    assert response("ProductPullWanted", later, count=2).response_id != pull.response_id
    assert response("ProductPullWanted", with_product(entry(), None), count=2) is None
    assert pull.since == datetime.fromisoformat("2026-03-01T10:07:30+00:00")
    assert wanted_response(policy(), entry()) is None
