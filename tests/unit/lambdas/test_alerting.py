from datetime import timedelta

import pytest

from feedback.alert import AlertPolicy
from lambdas.alerts.alerting import Alerting, Result
from lambdas.aws.topic import NotPublishedError
from tests.unit.lambdas.fakes import NOW, UNSURE, FakeLedger, FakeTopic, classified

LEASE = timedelta(seconds=30)


def alerting(ledger, topic, *, owner="one", moment=NOW):
    return Alerting(
        policy=AlertPolicy(threshold=0.8),
        ledger=ledger,
        topic=topic,
        feedback_url="https://care.example/feedback/",
        owner=owner,
        lease_until=moment + LEASE,
        now=lambda: moment,
    )


def test_a_negative_feedback_is_told_once_however_often_its_record_comes():
    ledger, topic = FakeLedger(classified("a")), FakeTopic()
    entry = classified("a")
    assert alerting(ledger, topic).alert([entry, entry]) == [Result.SENT, Result.SENT_BEFORE]
    assert alerting(ledger, topic, owner="two").alert([entry]) == [Result.SENT_BEFORE]
    assert len(topic.published) == 1
    assert ledger.sent == {"a": "message-1"}


def test_other_feedback_is_not_even_claimed():
    ledger = FakeLedger(classified("a", UNSURE))
    assert alerting(ledger, FakeTopic()).alert([classified("a", UNSURE)]) == [Result.NOT_WANTED]
    assert ledger.claims == {}


def test_a_refused_message_is_sent_at_the_next_try():
    ledger, topic = FakeLedger(classified("a")), FakeTopic(NotPublishedError(is_certain=True))
    assert alerting(ledger, topic).alert([classified("a")]) == [Result.UNSENT]
    assert ledger.claims == {}
    assert alerting(ledger, topic, owner="two").alert([classified("a")]) == [Result.SENT]


def test_a_claim_of_a_dead_invocation_holds_until_its_lease_lapses():
    ledger, topic = FakeLedger(classified("a")), FakeTopic(NotPublishedError(is_certain=False))
    assert alerting(ledger, topic, owner="dead").alert([classified("a")]) == [Result.UNSENT]
    within = alerting(ledger, topic, owner="two", moment=NOW + LEASE)
    assert within.alert([classified("a")]) == [Result.UNSENT]
    after = alerting(ledger, topic, owner="three", moment=NOW + LEASE + timedelta(milliseconds=1))
    assert after.alert([classified("a")]) == [Result.SENT]
    assert len(topic.published) == 1


def test_the_one_window_is_an_answer_lost_on_the_way_and_costs_a_second_alert_never_a_missing_one():
    ledger, topic = FakeLedger(classified("a")), FakeTopic("lost answer")
    alerting(ledger, topic, owner="dead").alert([classified("a")])
    alerting(ledger, topic, owner="two", moment=NOW + 2 * LEASE).alert([classified("a")])
    assert len(topic.published) == 2
    assert {alert.attributes["feedback_id"] for alert in topic.published} == {"a"}


@pytest.mark.parametrize("method", ["claim_alert", "find"])
def test_a_ledger_that_is_away_leaves_the_alert_to_be_tried_again(method):
    ledger, topic = FakeLedger(classified("a")), FakeTopic()
    if method == "find":
        alerting(ledger, topic, owner="other").ledger.claim_alert("a", owner="other", now=NOW, lease_until=NOW + LEASE)
    ledger.broken = {method}
    assert alerting(ledger, topic).alert([classified("a")]) == [Result.UNSENT]
    assert topic.published == []


def test_a_sent_alert_that_cannot_be_marked_is_not_reported_unsent():
    ledger, topic = FakeLedger(classified("a")), FakeTopic()
    ledger.broken = {"mark_alert_sent"}
    assert alerting(ledger, topic).alert([classified("a")]) == [Result.SENT]


def test_one_failing_alert_does_not_hold_the_others_back():
    entries = [classified(id_) for id_ in "abc"]
    ledger = FakeLedger(*entries)
    ledger.broken_for = {"b"}
    assert alerting(ledger, FakeTopic()).alert(entries) == [Result.SENT, Result.UNSENT, Result.SENT]
