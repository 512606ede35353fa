"""What moves in the counters, and that it moves once: whatever comes twice, late, out of order, or breaks between."""

import random
from collections import Counter
from dataclasses import replace

import pytest

from feedback.event import timestamp
from feedback.ledger import Correction, State
from feedback.review import NOWHERE, Standing, queue_key, queued_id
from feedback.sentiment import Sentiment
from lambdas.trends.counting import ATTEMPTS, CountersUnavailableError, Counting, move_of
from tests.unit.lambdas.fakes import NEGATIVE, NOW, UNSURE, FakeLedger, classified, received


class FakeCounters:
    """Counters that keep where each feedback stands, as the ledger's marks do."""

    def __init__(self, ledger):
        self.ledger = ledger
        self.counts = {}
        self.calls = 0
        self.failures = []

    def portions(self, moves):
        return [moves[start : start + 2] for start in range(0, len(moves), 2)]

    def move(self, moves):
        self.calls += 1
        failure = self.failures.pop(0) if self.failures else None
        if failure == "before":
            raise CountersUnavailableError("no answer")
        if any(self.ledger.counted.get(move.event.id, NOWHERE) != move.before for move in moves):
            return False
        for move in moves:
            for standing, change in ((move.before, -1), (move.after, 1)):
                if standing.label is not None:
                    self.counts[standing.label] = self.counts.get(standing.label, 0) + change
            self.ledger.counted[move.event.id] = move.after
        if failure == "after":
            raise CountersUnavailableError("the answer was lost")
        return True


class CountedLedger(FakeLedger):
    """A ledger whose items carry the marks."""

    def __init__(self, *entries):
        super().__init__(*entries)
        self.counted = {}

    def find_items(self, feedback_ids):
        items = super().find_items(feedback_ids)
        return {
            id_: item | ({"counted": self.counted[id_].to_document()} if id_ in self.counted else {})
            for id_, item in items.items()
        }


def corrected(entry, sentiment):
    return replace(
        entry,
        state=State.CORRECTED,
        decided_at=timestamp(NOW.replace(hour=12)),
        correction=Correction(sentiment=sentiment, by="ann", at=timestamp(NOW.replace(hour=12))),
    )


def counting(*entries):
    ledger = CountedLedger(*entries)
    counters = FakeCounters(ledger)
    return Counting(ledger=ledger, counters=counters, pause=lambda attempts: None), ledger, counters


def test_each_decided_feedback_is_counted_once_however_often_it_is_heard_of():
    use_case, _, counters = counting(classified("a"), classified("b"), classified("c", UNSURE))
    first = use_case.count(["a", "b", "c", "a"])
    again = use_case.count(["c", "a"])
    assert counters.counts == {"negative": 2, "unsure": 1}
    assert (first.moved, again.moved, again.settled) == (3, 0, 2)


def test_a_correction_moves_the_count_whichever_change_is_heard_of_first():
    use_case, ledger, counters = counting(classified("a"))
    use_case.count(["a"])
    ledger.entries["a"] = corrected(ledger.entries["a"], Sentiment.POSITIVE)
    use_case.count(["a"])
    use_case.count(["a"])  # the old record, repeated
    assert counters.counts == {"negative": 0, "positive": 1}


def test_a_correction_that_comes_before_the_decision_was_counted_counts_once():
    use_case, _, counters = counting(corrected(classified("a"), Sentiment.NEUTRAL))
    use_case.count(["a"])
    use_case.count(["a"])
    assert counters.counts == {"neutral": 1}


@pytest.mark.parametrize("failures", [["before"], ["after"], ["after", "before", "after"]])
def test_a_call_whose_answer_is_lost_is_not_counted_again(failures):
    use_case, _, counters = counting(classified("a"), classified("b"))
    counters.failures = failures
    tally = use_case.count(["a", "b"])
    assert counters.counts == {"negative": 2}
    assert tally.again == set()


def test_feedback_that_another_moved_meanwhile_is_read_again():
    use_case, ledger, counters = counting(classified("a"), classified("b"))
    stale = ledger.find_items

    def moved_after_reading(ids):
        items = stale(ids)
        ledger.find_items = stale
        ledger.counted["a"] = Standing(label="negative", in_review=False)
        return items

    ledger.find_items = moved_after_reading
    tally = use_case.count(["a", "b"])
    assert counters.counts == {"negative": 1}, "only b is moved here"
    assert tally.again == set()


def test_what_cannot_be_counted_comes_again_and_the_others_are_counted():
    use_case, _, counters = counting(*(classified(id_) for id_ in "abcd"))
    counters.failures = ["before", None, *["before"] * (ATTEMPTS - 1)]
    tally = use_case.count("abcd")
    assert len(tally.again) == 2
    assert counters.counts == {"negative": 2}
    assert (tally.moved, tally.settled) == (2, 0)


def test_a_ledger_that_does_not_answer_leaves_everything_for_later():
    use_case, ledger, counters = counting(classified("a"))
    ledger.broken.add("find_items")
    assert use_case.count(["a"]).again == {"a"}
    assert counters.calls == 0


def test_a_malformed_item_comes_again_alone():
    use_case, ledger, counters = counting(classified("a"), classified("b"))
    whole = ledger.find_items
    ledger.find_items = lambda ids: {
        id_: item | ({"state": "?"} if id_ == "a" else {}) for id_, item in whole(ids).items()
    }
    tally = use_case.count(["a", "b"])
    assert tally.again == {"a"}
    assert counters.counts == {"negative": 1}


def test_what_is_undecided_failed_or_forgotten_is_not_counted():
    failed = replace(received("f"), state=State.FAILED, decided_at=timestamp(NOW), failure="empty_text")
    use_case, _, counters = counting(received("r"), failed)
    assert use_case.count(["r", "f", "gone"]).again == set()
    assert counters.calls == 0


def test_unsure_feedback_waits_for_a_person_until_it_is_corrected():
    unsure = replace(classified("a", UNSURE), review="unsure")
    move = move_of(unsure.to_document())
    assert move.after == Standing(label="unsure", in_review=True)
    fixed = move_of(corrected(unsure, Sentiment.NEGATIVE).to_document() | {"counted": move.after.to_document()})
    assert (fixed.before.in_review, fixed.after.in_review) == (True, False)


def test_a_confirmed_feedback_leaves_the_queue_though_its_label_stays():
    contradicted = replace(classified("a"), review="contradicted")
    counted = move_of(contradicted.to_document()).after
    confirmed = move_of(corrected(contradicted, Sentiment.NEGATIVE).to_document() | {"counted": counted.to_document()})
    assert confirmed.before.label == confirmed.after.label == "negative"
    assert not confirmed.after.in_review


def test_the_queue_is_ordered_by_receipt_and_names_the_feedback():
    key = queue_key("2026-03-01T10:00:00.000Z", "order#1")
    assert key < queue_key("2026-03-01T10:00:00.001Z", "a")
    assert queued_id(key) == "order#1"


@pytest.mark.parametrize("seed", range(150))
def test_whatever_happens_in_whatever_order_counters_and_ledger_agree_in_the_end(seed):
    """Decisions, corrections, records that come again, late and mixed, and calls that fail before and after."""
    chance = random.Random(seed)
    use_case, ledger, counters = counting(*(received(f"f-{number}") for number in range(6)))
    stream = []
    for _ in range(60):
        id_ = f"f-{chance.randrange(6)}"
        match chance.randrange(4):
            case 0:
                if ledger.entries[id_].state is State.RECEIVED:
                    prediction = chance.choice([UNSURE, NEGATIVE])
                    review = "unsure" if prediction is UNSURE else None
                    ledger.entries[id_] = replace(classified(id_, prediction), review=review)
                    stream.append(id_)
            case 1:
                if ledger.entries[id_].state.is_decided:
                    ledger.entries[id_] = corrected(ledger.entries[id_], chance.choice(list(Sentiment)))
                    stream.append(id_)
            case _:
                batch = chance.sample(stream, k=min(len(stream), chance.randrange(5)))
                counters.failures = [chance.choice(["before", "after", None]) for _ in range(3)]
                stream += use_case.count(batch).again
    counters.failures = []
    assert use_case.count(stream).again == set()
    wanted = Counter(label for entry in ledger.entries.values() if (label := entry.effective_label) is not None)
    assert {label: count for label, count in counters.counts.items() if count} == wanted
    waiting = {id_ for id_, standing in ledger.counted.items() if standing.in_review}
    assert waiting == {id_ for id_, entry in ledger.entries.items() if entry.state is State.UNSURE}
