"""From a decision to those who hear of it, over the services as moto keeps them.

``EARSHOT_STORM=10000`` makes the storm as large as the one that is promised to be borne.
"""

import os
from datetime import timedelta

import boto3
import pytest
from botocore.exceptions import ClientError

from feedback.alerting.messages import AlertMessage, Kind, ProductMessage
from lambdas.alerts.alerting import Result as Begun
from lambdas.aws.alert_actions import NoSuchAlertError, NotPossibleError
from lambdas.aws.alert_deliveries import LEASE, Claim, Owner
from lambdas.aws.alert_place import AlertPlace, AlertRef, RefusedError
from lambdas.aws.ledger import LedgerUnavailableError
from lambdas.aws.webhook import NotTakenError
from lambdas.duty.watch import Result as Duty
from lambdas.notify.delivering import Result
from tests.contract.lambdas.alerts_kit import World, policy
from tests.unit.lambdas.fakes import NOW, UNSURE, classified

MINUTES = timedelta(minutes=1)
STORM = int(os.environ.get("EARSHOT_STORM", "40"))
CARE = {"destinations": ["everyone"]}


@pytest.fixture
def world(aws):
    return World(policy())


def world_of(**changes):
    return World(policy(**changes))


def test_a_negative_feedback_is_told_once_with_all_that_helps(world):
    world.decide(classified("before"))
    world.deliver_all()
    world.inbox()
    assert world.decide(classified("a")) is Begun.QUEUED
    assert world.deliver_all() == [Result.SENT]
    (message,) = world.inbox()
    assert message["Subject"] == "Negative feedback (90%) via web: P-1"
    for said in ('"Too tight"', "P-1", "web", "zip, broke", "Others lately:", "Answer within two days.", "/feedback/a"):
        assert said in message["Message"]
    assert {name: each["Value"] for name, each in message["MessageAttributes"].items()} == {
        "feedback_id": "a",
        "product_id": "P-1",
        "sentiment": "negative",
        "severity": "low",
        "team": "care",
        "delivery_id": "a.everyone.first",
        "form": "text",
    }
    assert world.alert_of("a")["state"] == "SENT"


def test_what_is_not_negative_is_told_to_nobody(world):
    assert world.decide(classified("a", UNSURE)) is Begun.NOT_WANTED
    assert world.queued() == []


def test_a_record_or_a_message_that_comes_again_changes_nothing(world):
    entry = classified("a")
    assert world.decide(entry) is Begun.QUEUED
    assert world.alerting().alert(entry) is Begun.BEFORE  # queued again, since nobody sent it yet
    assert world.deliver_all() == [Result.SENT, Result.DONE_BEFORE]
    assert world.alerting().alert(entry) is Begun.BEFORE
    assert world.queued() == []
    assert len(world.inbox()) == 1


def test_an_alert_that_was_recorded_and_never_queued_is_queued_by_duty(world):
    world.decide(classified("a"))
    assert len(world.queued()) == 1  # and lost: as if the function had died before it
    world.duty(later=1 * MINUTES)
    assert world.queued() == []
    world.duty(later=2 * MINUTES)
    assert world.deliver_all() == [Result.SENT]
    world.duty(later=60 * MINUTES)
    assert world.queued() == []


def test_a_storm_on_one_product_gives_some_alerts_and_one_digest(world):
    results = [world.decide(classified(f"storm-{number}")) for number in range(STORM)]
    assert results.count(Begun.QUEUED) == 3
    assert results.count(Begun.DIGESTED) == STORM - 3
    assert world.deliver_all() == [Result.SENT] * 3
    world.duty(later=20 * MINUTES)
    assert world.deliver_all() == [Result.SENT]
    *_, digest = messages = world.inbox()
    assert len(messages) == 4
    assert digest["Subject"] == f"{STORM - 3} more negative feedbacks on product P-1"
    assert digest["Message"].count('"Too tight"') == 3
    world.duty(later=60 * MINUTES)
    assert world.queued() == []


def test_a_repeated_record_of_a_storm_is_counted_once(world):
    entries = [world.store(classified(f"storm-{number}")) for number in range(5)]
    for entry in entries * 2:
        world.alerting().alert(entry)
    world.deliver_all()
    assert len(world.inbox()) == 3
    world.duty(later=20 * MINUTES)
    world.deliver_all()
    assert [message["Subject"] for message in world.inbox()] == ["2 more negative feedbacks on product P-1"]


def test_quiet_hours_hold_alerts_until_the_morning_and_not_what_is_critical(aws):
    quiet = {**CARE, "time_zone": "Europe/Berlin", "quiet_hours": {"from": "10:00", "until": "13:00"}}
    safety = {
        "name": "safety",
        "when": {"words": ["smoke"]},
        "severity": "critical",
        "team": "care",
        "advice": "Call.",
    }
    world = world_of(teams={"care": quiet}, rules=[safety, policy()["rules"][0]])  # now it is 11:00 in Berlin
    assert world.decide(classified("held")) is Begun.HELD
    smoking = classified("smoking")
    object.__setattr__(smoking.event, "text", "There was SMOKE everywhere")
    assert world.decide(smoking) is Begun.QUEUED
    assert [message.id for message in world.queued()] == ["smoking"]
    world.duty(later=119 * MINUTES)
    assert [message.id for message in world.queued()] == ["smoking"]  # the safety net: nobody sent it yet
    world.duty(later=2 * MINUTES)
    assert world.deliver_all() == [Result.SENT]
    assert world.alert_of("held")["state"] == "SENT"


def test_what_nobody_acknowledges_goes_to_others_once(aws):
    escalation = {"after_minutes": 30, "destinations": ["everyone"]}
    world = world_of(teams={"care": {**CARE, "escalation": escalation}})
    for id_ in ("left", "taken"):
        world.decide(classified(id_))
    world.deliver_all()
    world.inbox()
    world.actions.perform("taken", {"action": "acknowledge", "by": "ann"}, now=world.clock)
    world.duty(later=31 * MINUTES)
    world.deliver_all()
    (message,) = world.inbox()
    assert message["Subject"] == "Nobody took it on: Negative feedback (90%) via web: P-1"
    assert message["MessageAttributes"]["delivery_id"]["Value"] == "left.everyone.escalation"
    assert world.alert_of("left")["state"] == "ESCALATED"
    world.duty(later=60 * MINUTES)
    assert world.queued() == []


def test_a_snoozed_alert_comes_again_when_its_snooze_ends(world):
    world.decide(classified("a"))
    world.deliver_all()
    world.inbox()
    snoozed = world.actions.perform("a", {"action": "snooze", "by": "ann", "minutes": 60}, now=world.clock)
    assert snoozed["state"] == "SNOOZED"
    world.duty(later=59 * MINUTES)
    assert world.queued() == []
    world.duty(later=2 * MINUTES)
    world.deliver_all()
    (message,) = world.inbox()
    assert message["Subject"].startswith("Reminder: ")
    assert world.alert_of("a")["state"] == "SENT"


def test_snoozing_a_digest_quiets_its_product(world):
    for number in range(5):
        world.decide(classified(f"storm-{number}"))
    world.duty(later=20 * MINUTES)
    (digest,) = [message for message in world.queued() if message.kind is Kind.DIGEST]
    world.actions.perform(digest.id, {"action": "snooze", "by": "ann", "minutes": 120}, now=world.clock)
    assert world.decide(classified("later")) is Begun.DIGESTED
    world.duty(later=119 * MINUTES)
    assert [message.kind for message in world.queued()] == []
    world.duty(later=3 * MINUTES)
    assert {message.kind for message in world.queued()} == {Kind.DIGEST}


def test_an_acknowledged_alert_is_not_sent_and_only_changes_hands(world):
    world.decide(classified("a"))
    done = world.actions.perform("a", {"action": "acknowledge", "by": "ann", "note": "called"}, now=world.clock)
    assert (done["state"], done["by"], done["note"]) == ("ACKNOWLEDGED", "ann", "called")
    assert world.deliver_all() == [Result.NOT_NEEDED]
    with pytest.raises(NotPossibleError):
        world.actions.perform("a", {"action": "snooze", "by": "bob", "minutes": 5}, now=world.clock)
    assigned = world.actions.perform("a", {"action": "assign", "by": "ann", "to": "bob"}, now=world.clock)
    assert assigned["assigned_to"] == "bob"
    with pytest.raises(NoSuchAlertError):
        world.actions.perform("nothing", {"action": "acknowledge", "by": "ann"}, now=world.clock)


def test_a_destination_that_is_down_keeps_its_message_and_the_other_is_told_once(aws):
    world = world_of(teams={"care": {"destinations": ["everyone", "chat"]}})
    boto3.client("secretsmanager").create_secret(Name="earshot/test/alerts/chat", SecretString="https://chat.example/x")
    world.webhook.is_down = NotTakenError(503)
    world.decide(classified("a"))
    topic, chat = world.queued()
    assert world.delivering().deliver(topic, Owner(message_id="m-1", receives=1)) == [Result.SENT]
    for receives in (1, 2, 3):
        assert world.delivering().deliver(chat, Owner(message_id="m-2", receives=receives)) == [Result.AGAIN]
    world.webhook.is_down = None
    assert world.delivering().deliver(chat, Owner(message_id="m-2", receives=4)) == [Result.SENT]
    assert world.delivering().deliver(chat, Owner(message_id="copy", receives=1)) == [Result.DONE_BEFORE]
    ((address, document, delivery),) = world.webhook.posted
    assert (address, delivery) == ("https://chat.example/x", "a.chat.first")
    assert "Too tight" in str(document["blocks"])
    assert len(world.inbox()) == 1


def test_a_webhook_without_its_secret_waits_for_it(aws):
    world = world_of(teams={"care": {"destinations": ["chat"]}})
    world.decide(classified("a"))
    assert world.deliver_all() == [Result.AGAIN]


def test_a_claim_passes_to_the_next_receive_of_its_message_and_to_a_copy_only_after_the_lease(world):
    world.decide(classified("a"))
    ref, now = AlertRef(kind=Kind.FEEDBACK, id="a"), world.clock

    def claim(message, receives, moment=now):
        return world.deliveries.claim(ref, "everyone.first", Owner(message_id=message, receives=receives), now=moment)

    assert claim("m-1", 1) is Claim.TAKEN
    assert claim("m-1", 1) is Claim.BUSY  # delivered twice at once
    assert claim("copy", 1) is Claim.BUSY
    assert claim("m-1", 2) is Claim.TAKEN  # its sender died
    assert claim("copy", 1, now + LEASE + MINUTES) is Claim.TAKEN
    assert not world.deliveries.mark_sent(
        ref, "everyone.first", Owner(message_id="m-1", receives=2), receipt="r", now=now
    )
    assert world.deliveries.mark_sent(ref, "everyone.first", Owner(message_id="copy", receives=1), receipt="r", now=now)
    assert claim("m-1", 3) is Claim.SENT_BEFORE


def test_a_mark_that_fails_is_tried_again_before_the_message_is_given_up(world, monkeypatch):
    world.decide(classified("a"))
    mark, failures = world.deliveries.mark_sent, [LedgerUnavailableError("x"), LedgerUnavailableError("x")]

    def failing(*args, **kwargs):
        if failures:
            raise failures.pop()
        return mark(*args, **kwargs)

    monkeypatch.setattr(world.deliveries, "mark_sent", failing)
    assert world.deliver_all() == [Result.SENT]
    assert len(world.pauses) == 2
    assert world.alert_of("a")["state"] == "SENT"


def test_a_product_that_goes_wrong_is_told_once_with_its_figures_and_examples(world):
    world.store(classified("example"))
    message = ProductMessage(
        id="spike-1",
        scope={"kind": "product", "name": "P-1"},
        figures={"negatives": 12, "feedbacks": 20, "share": 0.6},
        examples=("example", "forgotten"),
    )
    assert world.queue.send([message, message]) == []
    assert world.deliver_all() == [Result.SENT, Result.DONE_BEFORE]
    (told,) = world.inbox()
    assert told["Subject"] == "Going wrong: product P-1"
    for said in ("Negatives: ", "12", "0.6", '"Too tight"', "Read the examples."):
        assert said in told["Message"]
    assert world.actions.perform("spike-1", {"action": "acknowledge", "by": "ann"}, now=NOW)["kind"] == "product"


def test_a_feedback_that_was_erased_meanwhile_is_told_to_nobody(world):
    assert world.queue.send([AlertMessage(kind=Kind.FEEDBACK, id="gone")]) == []
    assert world.deliver_all() == [Result.NOT_NEEDED]
    assert world.inbox() == []


def test_a_product_alert_waits_for_the_morning_and_escalates_as_any_other(aws):
    quiet = {"from": "09:00", "until": "12:00"}
    escalation = {"after_minutes": 30, "destinations": ["everyone"]}
    world = world_of(teams={"care": {**CARE, "quiet_hours": quiet, "escalation": escalation}})
    message = ProductMessage(id="spike-1", scope={"kind": "product", "name": "P-1"}, figures={"negatives": 12})
    for _ in range(2):
        assert world.queue.send([message]) == []
        assert world.deliver_all() == [Result.NOT_NEEDED]
    world.duty(later=121 * MINUTES)
    assert world.deliver_all() == [Result.SENT]
    world.duty(later=31 * MINUTES)
    assert world.deliver_all() == [Result.SENT]
    assert [told["MessageAttributes"]["delivery_id"]["Value"] for told in world.inbox()] == [
        "spike-1.everyone.first",
        "spike-1.everyone.escalation",
    ]


def test_a_feedback_that_a_person_found_not_negative_is_not_told(world):
    world.decide(classified("a"))
    correction = {"M": {"sentiment": {"N": "1"}, "label": {"S": "positive"}, "by": {"S": "ann"}, "at": {"S": "now"}}}
    world.dynamodb.update_item(
        TableName="ledger",
        Key={"feedback_id": {"S": "a"}},
        UpdateExpression="SET #state = :corrected, correction = :correction",
        ExpressionAttributeNames={"#state": "state"},
        ExpressionAttributeValues={":corrected": {"S": "CORRECTED"}, ":correction": correction},
    )
    assert world.deliver_all() == [Result.NOT_NEEDED]


def test_a_destination_that_the_policy_has_no_more_is_replaced_by_its_teams(world):
    world.decide(classified("a"))
    world.queued()
    world.queue.send([AlertMessage(kind=Kind.FEEDBACK, id="a", destination="closed")])
    assert world.deliver_all() == [Result.SENT]


def test_a_task_that_cannot_be_queued_stays_on_the_agenda(world, monkeypatch):
    world.decide(classified("a"))
    world.queued()
    with monkeypatch.context() as broken:
        broken.setattr(world.queue, "send", list)
        assert world.duty(later=6 * MINUTES) == [Duty.AGAIN]
    assert world.duty() == [Duty.DONE]
    assert [message.id for message in world.queued()] == ["a"]


def test_a_snooze_that_ended_while_the_queue_was_away_still_reminds_once(world, monkeypatch):
    world.decide(classified("a"))
    world.deliver_all()
    world.actions.perform("a", {"action": "snooze", "by": "ann", "minutes": 60}, now=world.clock)
    with monkeypatch.context() as broken:
        broken.setattr(world.queue, "send", list)
        assert Duty.AGAIN in world.duty(later=61 * MINUTES)
    world.duty()
    assert [message.step for message in world.queued()] == ["reminder-1"]


class BusyTable:
    """Is at another's item for the first calls, and then refuses by condition."""

    def __init__(self, conflicts):
        self.conflicts = conflicts
        self.calls = 0

    def transact_write_items(self, **_):
        self.calls += 1
        code = "TransactionConflict" if self.calls <= self.conflicts else "ConditionalCheckFailed"
        reasons = [{"Code": code}, {"Code": "None"}]
        raise ClientError(
            {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}, "TransactWriteItems"
        )


@pytest.mark.parametrize(("conflicts", "error"), [(3, RefusedError), (100, LedgerUnavailableError)])
def test_a_conflict_with_another_writer_is_tried_again_and_not_for_ever(conflicts, error):
    table, pauses = BusyTable(conflicts), []
    place = AlertPlace(ledger_table="ledger", desk_table="desk", dynamodb=table, sleep=pauses.append)
    with pytest.raises(error):
        place.call("transact_write_items", TransactItems=[])
    assert table.calls <= 8
    assert sum(pauses) < 3
