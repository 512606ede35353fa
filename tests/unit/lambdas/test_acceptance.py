from feedback.ledger import State
from feedback.problem import Problem
from lambdas.aws.endpoint import EndpointFailure
from lambdas.intake.acceptance import Accepted, Intake
from tests.unit.lambdas.fakes import BAD_TEXT, NEGATIVE, UNSURE, FakeEndpoint, FakeLedger, FakeQueue, classified, now

DOCUMENT = {"id": "a", "channel": "web", "text": "Too tight"}


def intake(*, ledger=None, queue=None, endpoint=None, **more):
    return Intake(
        ledger=ledger or FakeLedger(), queue=queue or FakeQueue(), endpoint=endpoint or FakeEndpoint(), now=now, **more
    )


def states(answers):
    return [answer.entry.state if isinstance(answer, Accepted) else answer.status for answer in answers]


def test_feedback_is_written_queued_and_decided():
    ledger, queue = FakeLedger(), FakeQueue()
    (answer,) = intake(ledger=ledger, queue=queue).take_in([DOCUMENT])
    assert answer.is_new
    assert answer.entry == ledger.entries["a"]
    assert (answer.entry.state, answer.entry.prediction) == (State.CLASSIFIED, NEGATIVE)
    assert queue.sent == ["a"]


def test_an_unsure_answer_is_a_decision_too():
    assert states(intake(endpoint=FakeEndpoint(default=UNSURE)).take_in([DOCUMENT])) == [State.UNSURE]


def test_the_same_feedback_again_gets_the_same_answer_and_has_no_effect():
    ledger, queue, endpoint = FakeLedger(), FakeQueue(), FakeEndpoint()
    use_case = intake(ledger=ledger, queue=queue, endpoint=endpoint)
    (first,) = use_case.take_in([DOCUMENT])
    (second,) = use_case.take_in([DOCUMENT])
    assert second.entry == first.entry
    assert (first.is_new, second.is_new) == (True, False)
    assert (len(ledger.writes), len(queue.sent), len(endpoint.calls)) == (2, 1, 1)


def test_the_same_id_with_another_body_is_refused_and_changes_nothing():
    ledger = FakeLedger()
    use_case = intake(ledger=ledger)
    use_case.take_in([DOCUMENT])
    before = dict(ledger.entries)
    (answer,) = use_case.take_in([{**DOCUMENT, "text": "Too wide"}])
    assert (answer.kind, answer.status) == ("id-reused", 422)
    assert ledger.entries == before


def test_without_an_id_the_same_content_is_the_same_feedback():
    ledger = FakeLedger()
    answers = intake(ledger=ledger).take_in([{"channel": "web", "text": "Hm"}, {"channel": "web", "text": "Hm"}])
    assert len(ledger.entries) == 1
    assert answers[0].entry == answers[1].entry


def test_a_model_that_is_away_leaves_the_feedback_to_the_router():
    for failure in EndpointFailure:
        queue = FakeQueue()
        assert states(intake(queue=queue, endpoint=FakeEndpoint(failure=failure)).take_in([DOCUMENT])) == [
            State.RECEIVED
        ]
        assert queue.sent == ["a"]


def test_a_text_that_the_model_cannot_read_is_left_to_the_router():
    assert states(intake(endpoint=FakeEndpoint({"a": BAD_TEXT})).take_in([DOCUMENT])) == [State.RECEIVED]


def test_a_queue_that_is_away_does_no_harm_when_the_model_answers():
    assert states(intake(queue=FakeQueue(is_down=True)).take_in([DOCUMENT])) == [State.CLASSIFIED]


def test_feedback_neither_queued_nor_decided_is_to_be_sent_again_and_then_accepted():
    ledger = FakeLedger()
    down = intake(ledger=ledger, queue=FakeQueue(is_down=True), endpoint=FakeEndpoint(failure=EndpointFailure.TIMEOUT))
    assert states(down.take_in([DOCUMENT])) == [503]
    queue = FakeQueue()
    assert states(intake(ledger=ledger, queue=queue).take_in([DOCUMENT])) == [State.CLASSIFIED]
    assert queue.sent == ["a"]


def test_a_ledger_that_is_away_accepts_nothing():
    ledger, queue, endpoint = FakeLedger(), FakeQueue(), FakeEndpoint()
    ledger.broken = {"accept"}
    assert states(intake(ledger=ledger, queue=queue, endpoint=endpoint).take_in([DOCUMENT])) == [503]
    assert (queue.sent, endpoint.calls) == ([], [])


def test_a_decision_that_cannot_be_written_is_not_told():
    ledger = FakeLedger()
    ledger.broken = {"decide"}
    assert states(intake(ledger=ledger).take_in([DOCUMENT])) == [State.RECEIVED]


def test_who_was_quicker_has_decided():
    class QuickRouter(FakeEndpoint):
        def classify(self, texts):
            ledger.entries["a"] = classified("a", UNSURE)
            return super().classify(texts)

    ledger = FakeLedger()
    (answer,) = intake(ledger=ledger, endpoint=QuickRouter()).take_in([DOCUMENT])
    assert answer.entry.prediction == UNSURE


def test_each_item_of_a_batch_is_judged_by_itself_with_one_call_of_the_model():
    endpoint = FakeEndpoint({"b": UNSURE})
    refused = Problem(kind="malformed", detail="no")
    documents = [
        DOCUMENT,
        refused,
        {**DOCUMENT, "id": "b"},
        {**DOCUMENT, "id": "c", "text": "\u200b"},
        DOCUMENT,
        {**DOCUMENT, "text": "other"},
    ]
    answers = intake(endpoint=endpoint).take_in(documents)
    assert states(answers) == [State.CLASSIFIED, 400, State.UNSURE, 422, State.CLASSIFIED, 422]
    assert [answer.is_new for answer in answers if isinstance(answer, Accepted)] == [True, True, False]
    assert endpoint.calls == [["a", "b"]]


def test_items_for_which_no_time_is_left_are_to_be_sent_again():
    ledger = FakeLedger()
    answers = intake(ledger=ledger, has_time=lambda: len(ledger.entries) < 2).take_in(
        [{**DOCUMENT, "id": str(i)} for i in range(4)]
    )
    assert states(answers) == [State.CLASSIFIED, State.CLASSIFIED, 503, 503]
    assert set(ledger.entries) == {"0", "1"}


def test_one_item_is_begun_however_little_time_there_is():
    assert states(intake(has_time=lambda: False).take_in([DOCUMENT])) == [State.CLASSIFIED]


FRENCH = "Le produit est arrivé cassé et je ne suis pas du tout content de la livraison, c'est une honte."


def test_a_channel_needs_no_endpoint_and_its_feedback_is_queued_without_delay():
    queue = FakeQueue()
    use_case = Intake(ledger=FakeLedger(), queue=queue, now=now)
    assert states(use_case.take_in([DOCUMENT], ask_model=False)) == [State.RECEIVED]
    assert (queue.sent, queue.delays) == (["a"], {0})


def test_an_endpoint_that_rests_is_not_asked_and_nothing_is_in_flight():
    ledger, endpoint = FakeLedger(), FakeEndpoint(is_resting=True)
    assert states(intake(ledger=ledger, endpoint=endpoint).take_in([DOCUMENT])) == [State.RECEIVED]
    assert (endpoint.calls, ledger.entries["a"].in_flight_until) == ([], None)


def test_while_one_request_asks_the_model_the_same_one_again_is_in_flight():
    class Meanwhile(FakeEndpoint):
        def classify(self, texts):
            again.extend(intake(ledger=ledger).take_in([DOCUMENT]))
            again.extend(intake(ledger=ledger).take_in([{**DOCUMENT, "text": "Other"}]))
            again.extend(intake(ledger=ledger).take_in([DOCUMENT], ask_model=False))
            return super().classify(texts)

    ledger, again = FakeLedger(), []
    assert states(intake(ledger=ledger, endpoint=Meanwhile()).take_in([DOCUMENT])) == [State.CLASSIFIED]
    assert states(again) == [409, 422, State.RECEIVED]


def test_a_language_the_model_does_not_know_is_decided_at_once_or_left_for_translation():
    for translates, state in ((False, State.UNSURE), (True, State.RECEIVED)):
        endpoint, queue = FakeEndpoint(), FakeQueue()
        documents = [{**DOCUMENT, "text": FRENCH}, {**DOCUMENT, "id": "b"}]
        answers = intake(endpoint=endpoint, queue=queue, translates=translates).take_in(documents)
        assert states(answers) == [state, State.CLASSIFIED]
        assert (endpoint.calls, queue.sent) == ([["b"]], ["a", "b"])


def test_what_the_sender_says_of_the_language_counts_more_than_what_it_looks_like():
    documents = [{**DOCUMENT, "language": "de"}, {**DOCUMENT, "id": "b", "text": FRENCH, "language": "en-GB"}]
    assert states(intake().take_in(documents)) == [State.UNSURE, State.CLASSIFIED]


def test_the_model_is_asked_about_the_redacted_text_and_the_original_is_kept():
    class Listening(FakeEndpoint):
        def classify(self, texts):
            heard.extend(text for _, text in texts)
            return super().classify(texts)

    ledger, heard = FakeLedger(), []
    text = "Write to jane.doe@example.com, the zip broke."
    document = {**DOCUMENT, "text": text, "metadata": {"from": "jane.doe@example.com", "page": "7"}}
    (answer,) = intake(ledger=ledger, endpoint=Listening()).take_in([document])
    event, original = answer.entry.event, ledger.originals["a"]
    assert heard == [event.text]
    assert "jane" not in str(event)
    assert event.metadata["page"] == "7"
    assert (original.text, original.metadata) == (text, document["metadata"])
    assert sum(original.redacted.values()) == 2


def test_stars_against_the_text_are_for_a_person_to_see():
    (answer,) = intake().take_in([{**DOCUMENT, "rating": 5}])
    assert answer.entry.review == "contradicted"
    (answer,) = intake().take_in([{**DOCUMENT, "rating": 3}])
    assert answer.entry.review is None
