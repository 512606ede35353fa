"""Getting answers of one version out of an endpoint that decides itself which version answers."""

import itertools

import pytest

from feedback.prediction import LineFailure, Prediction
from feedback.sentiment import Sentiment
from lambdas.aws.endpoint import EndpointFailure, EndpointUnavailableError
from lambdas.canary.answers import Question, are_answers, labels, likeliest, write_answers
from lambdas.canary.asking import Newcomer, ask_newcomer, ask_served

QUESTIONS = [Question(text="one"), Question(text="two"), Question(text="three")]


def prediction(sentiment, version, probabilities=(0.9, 0.05, 0.05)):
    return Prediction(sentiment=sentiment, probabilities=probabilities, confidence=0.9, model_version=version)


class FakeEndpoint:
    """Each call is answered by the next of ``turns``: a version, or why it fails. ``tick`` is how long a call takes."""

    def __init__(self, turns, *, tick=0.0):
        self.turns = iter(turns)
        self.calls = []
        self.now = 0.0
        self.tick = tick

    def classify(self, texts):
        self.calls.append(len(texts))
        self.now += self.tick
        turn = next(self.turns)
        if isinstance(turn, EndpointFailure):
            raise EndpointUnavailableError(turn)
        return [prediction(Sentiment.NEGATIVE, turn) for _ in texts]


def newcomer(endpoint, *, questions=QUESTIONS, seconds=20.0):
    return ask_newcomer(
        questions,
        is_new=lambda version: version != "old",
        slow_milliseconds=1000.0,
        seconds=seconds,
        endpoint=endpoint,
        clock=lambda: endpoint.now,
    )


def test_a_call_is_repeated_until_the_new_version_answers_all_questions():
    endpoint = FakeEndpoint(["old", "new", "old", "new", "new", "old", "old", "new"], tick=0.01)
    answered = newcomer(endpoint)
    assert (answered.answers, answered.errors) == ("---", 0)
    assert answered.milliseconds == pytest.approx(10.0)
    assert endpoint.calls == [1, 1, 1, 1, 1, 3, 3, 3]


def test_as_long_as_there_is_no_second_version_nothing_is_known():
    answered = newcomer(FakeEndpoint(itertools.repeat("old"), tick=0.01))
    assert answered == Newcomer(answers="...", milliseconds=None, errors=0)


def test_a_slow_version_is_timed_once_and_not_waited_for_again():
    endpoint = FakeEndpoint(["old", "new"], tick=3.0)
    answered = newcomer(endpoint)
    assert answered.milliseconds == pytest.approx(3000.0)
    assert (answered.answers, endpoint.calls) == ("...", [1, 1])


def test_failing_calls_are_counted_and_end_the_asking():
    endpoint = FakeEndpoint(["old", EndpointFailure.BROKEN, "new", EndpointFailure.TIMEOUT, "new"])
    answered = newcomer(endpoint)
    assert (answered.answers, answered.errors) == ("...", 2)
    assert len(endpoint.calls) == 4


def test_a_busy_endpoint_is_no_fault_of_the_model():
    answered = newcomer(FakeEndpoint([EndpointFailure.BUSY, *["new"] * 4]))
    assert (answered.answers, answered.errors) == ("---", 0)


def test_time_is_limited():
    endpoint = FakeEndpoint(itertools.repeat("old"), tick=1.0)
    newcomer(endpoint, seconds=5.0)
    assert endpoint.now <= 7.0


def test_many_texts_are_asked_a_few_at_a_time_and_as_many_as_there_is_time_for():
    many = [Question(text="one")] * 25
    endpoint = FakeEndpoint(["new", "new", "new", "new", "old", "new", "new"], tick=1.0)
    answered = newcomer(endpoint, questions=many, seconds=5.5)
    assert endpoint.calls == [1, 1, 1, 10, 10, 10]
    assert answered.answers == "-" * 20 + "." * 5
    assert ask_served(many, endpoint=FakeEndpoint(["m-1"] * 3)) == ("m-1", "-" * 25)


def test_the_served_version_says_which_it_is():
    assert ask_served(QUESTIONS, endpoint=FakeEndpoint(["m-1"])) == ("m-1", "---")


def test_an_answer_is_one_character():
    outcomes = [
        prediction(Sentiment.NEGATIVE, "m"),
        prediction(Sentiment.POSITIVE, "m"),
        prediction(None, "m", (0.3, 0.45, 0.25)),
        LineFailure(code="empty_text", message="The text is empty."),
    ]
    answers = write_answers(outcomes)
    assert answers == "-+o!"
    assert labels(answers) == ["negative", "positive", "unsure", None]
    assert likeliest(answers) == ["negative", "positive", "neutral", None]


@pytest.mark.parametrize(("value", "is_one"), [("-+0", True), ("-+", False), ("-+x", False), (None, False), (3, False)])
def test_what_comes_back_through_the_state_machine_is_checked(value, is_one):
    assert are_answers(value, QUESTIONS) is is_one
