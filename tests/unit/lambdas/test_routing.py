from itertools import combinations

import pytest

from feedback.ledger import State
from lambdas.aws.endpoint import EndpointFailure
from lambdas.aws.translate import TranslationUnavailableError
from lambdas.router.routing import Router
from tests.unit.lambdas.fakes import (
    BAD_TEXT,
    NO_PREDICTION,
    UNSURE,
    FakeEndpoint,
    FakeLedger,
    classified,
    now,
    received,
)

IDS = ["a", "b", "c", "d", "e"]
SUBSETS = [
    (IDS[:size], set(failing))
    for size in range(1, len(IDS) + 1)
    for count in range(size + 1)
    for failing in combinations(IDS[:size], count)
]


def router(ledger, endpoint, **more):
    return Router(ledger=ledger, endpoint=endpoint, now=now, **more)


def decided(ledger):
    return {id_ for id_, entry in ledger.entries.items() if entry.state.is_decided}


def test_a_batch_is_decided_with_one_call():
    ledger = FakeLedger(*map(received, IDS))
    endpoint = FakeEndpoint({"b": UNSURE})
    tally = router(ledger, endpoint).route(IDS)
    assert endpoint.calls == [IDS]
    assert (tally.classified, tally.unsure, tally.again) == (4, 1, set())
    assert ledger.entries["b"].state is State.UNSURE


def test_what_is_decided_is_skipped():
    ledger = FakeLedger(classified("a"), received("b"))
    endpoint = FakeEndpoint()
    tally = router(ledger, endpoint).route(["a", "b"])
    assert endpoint.calls == [["b"]]
    assert (tally.skipped, tally.classified) == (1, 1)
    away = router(ledger, FakeEndpoint(failure=EndpointFailure.BROKEN)).route(["a", "b"])
    assert (away.again, away.deferred) == (set(), set())


def test_a_message_that_comes_twice_in_a_batch_is_asked_once():
    endpoint = FakeEndpoint()
    router(FakeLedger(received("a")), endpoint).route(["a", "a"])
    assert endpoint.calls == [["a"]]


@pytest.mark.parametrize("kind", ["line", "write", "refused", "malformed item", "missing item"])
def test_every_failing_subset_of_a_batch_fails_alone(kind):
    for ids, failing in SUBSETS:
        ledger, endpoint = FakeLedger(*map(received, ids)), FakeEndpoint()
        if kind == "line":
            endpoint.outcomes = dict.fromkeys(failing, NO_PREDICTION)
        elif kind == "write":
            ledger.broken_for = failing
        elif kind == "refused":
            endpoint.fails_for = failing
        else:
            items = ledger.find_items(ids)
            ledger.find_items = lambda wanted, items=items, failing=failing: {
                id_: ({"feedback_id": id_} if id_ in failing else items[id_])
                for id_ in wanted
                if kind == "malformed item" or id_ not in failing
            }
        tally = router(ledger, endpoint).route(ids)
        assert tally.again == failing
        assert decided(ledger) == set(ids) - failing


def test_a_bad_text_is_failed_for_good_with_its_reason():
    for ids, failing in SUBSETS:
        ledger = FakeLedger(*map(received, ids))
        tally = router(ledger, FakeEndpoint(dict.fromkeys(failing, BAD_TEXT))).route(ids)
        assert (tally.again, tally.failed) == (set(), len(failing))
        assert {id_ for id_, entry in ledger.entries.items() if entry.state is State.FAILED} == failing
        assert {ledger.entries[id_].failure for id_ in failing} <= {"empty_text: The text is empty."}


@pytest.mark.parametrize("failure", [EndpointFailure.BUSY, EndpointFailure.MISSING])
def test_an_endpoint_that_is_away_is_called_once_and_all_are_put_off(failure):
    ledger, endpoint = FakeLedger(*map(received, IDS)), FakeEndpoint(failure=failure)
    tally = router(ledger, endpoint).route(IDS)
    assert (tally.deferred, tally.again) == (set(IDS), set())
    assert len(endpoint.calls) == 1
    assert decided(ledger) == set()


@pytest.mark.parametrize("failure", [EndpointFailure.BROKEN, EndpointFailure.TIMEOUT])
def test_an_endpoint_that_answers_no_text_of_a_batch_is_away_and_all_are_put_off(failure):
    ledger, endpoint = FakeLedger(*map(received, IDS)), FakeEndpoint(failure=failure)
    tally = router(ledger, endpoint).route(IDS)
    assert (tally.deferred, tally.again) == (set(IDS), set())


@pytest.mark.parametrize("failure", [EndpointFailure.BROKEN, EndpointFailure.TIMEOUT, EndpointFailure.REFUSED])
def test_a_text_that_breaks_the_model_comes_again_alone_and_is_never_put_off(failure):
    ledger = FakeLedger(*map(received, IDS))
    endpoint = FakeEndpoint(fails_for={"c"}, fails_with=failure)
    tally = router(ledger, endpoint).route(IDS)
    assert (tally.again, tally.deferred, decided(ledger)) == ({"c"}, set(), set(IDS) - {"c"})
    assert router(ledger, endpoint).route(["c"]).again == {"c"}


def test_a_model_that_is_left_alone_is_not_called_and_all_are_put_off():
    ledger, endpoint = FakeLedger(*map(received, IDS)), FakeEndpoint(is_resting=True)
    tally = router(ledger, endpoint).route(IDS)
    assert (tally.deferred, tally.again, endpoint.calls) == (set(IDS), set(), [])


FRENCH = "Le produit est arrivé cassé et je ne suis pas du tout content de la livraison, c'est une honte."


class FakeTranslator:
    def __init__(self, *, fails=None):
        self.fails = fails
        self.asked = []

    def translate(self, text, *, source, target="en"):
        self.asked.append((source, target))
        if self.fails is not None:
            raise TranslationUnavailableError(is_final=self.fails)
        return "The product arrived broken."


def test_a_text_in_a_language_the_model_does_not_know_is_marked_so_and_not_asked():
    ledger, endpoint = FakeLedger(received("a", FRENCH), received("b")), FakeEndpoint()
    tally = router(ledger, endpoint).route(["a", "b"])
    assert (tally.unsure, tally.classified, endpoint.calls) == (1, 1, [["b"]])
    entry = ledger.entries["a"]
    assert (entry.state, entry.unsure_because, entry.review) == (State.UNSURE, "language", "language")
    assert (entry.prediction, entry.effective_label) == (None, "unsure")


def test_a_text_is_translated_where_that_is_on_and_the_ledger_says_from_what():
    ledger, translator = FakeLedger(received("a", FRENCH)), FakeTranslator()
    assert router(ledger, FakeEndpoint(), translator=translator).route(["a"]).classified == 1
    assert translator.asked == [("fr", "en")]
    assert (ledger.entries["a"].translated_from, ledger.entries["a"].event.text) == ("fr", FRENCH)


def test_a_translation_that_will_never_be_marks_and_one_that_is_late_puts_off():
    for is_final, state, deferred in ((True, State.UNSURE, set()), (False, State.RECEIVED, {"a"})):
        ledger = FakeLedger(received("a", FRENCH))
        tally = router(ledger, FakeEndpoint(), translator=FakeTranslator(fails=is_final)).route(["a"])
        assert (ledger.entries["a"].state, tally.deferred, tally.again) == (state, deferred, set())


def test_a_refused_feedback_on_its_own_comes_again_and_is_never_failed_for_good():
    ledger, endpoint = FakeLedger(received("a")), FakeEndpoint(failure=EndpointFailure.REFUSED)
    assert router(ledger, endpoint).route(["a"]).again == {"a"}
    assert len(endpoint.calls) == 1


def test_no_call_is_begun_without_time():
    ledger, endpoint = FakeLedger(*map(received, IDS)), FakeEndpoint(fails_for={"c"})
    tally = router(ledger, endpoint, has_time=lambda: len(endpoint.calls) < 3).route(IDS)
    assert endpoint.calls[1:] == [["a"], ["b"]]
    assert (tally.again, tally.deferred) == (set(), {"c", "d", "e"})


def test_a_ledger_that_is_away_sends_all_back():
    ledger, endpoint = FakeLedger(*map(received, IDS)), FakeEndpoint()
    ledger.broken = {"find_items"}
    assert router(ledger, endpoint).route(IDS).again == set(IDS)
    assert endpoint.calls == []


def test_a_decision_made_meanwhile_is_left_alone():
    class QuickIntake(FakeEndpoint):
        def classify(self, texts):
            ledger.entries["a"] = classified("a", UNSURE)
            return super().classify(texts)

    ledger = FakeLedger(received("a"))
    tally = router(ledger, QuickIntake()).route(["a"])
    assert (tally.skipped, tally.classified, tally.again) == (1, 0, set())
    assert ledger.entries["a"].prediction == UNSURE
