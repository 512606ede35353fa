import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedback.alert import QUOTE_LIMIT, SUBJECT_LIMIT, AlertPolicy, compose_alert, quote
from feedback.event import FeedbackEvent
from feedback.ledger import Entry, State
from feedback.prediction import Prediction
from feedback.sentiment import Sentiment

EVENT = FeedbackEvent(
    id="fb-1",
    channel="chat",
    text="The <b>zip</b>\nbroke &amp; nobody answers",
    received_at="2026-03-01T10:00:07.000Z",
    product_id="P-1042",
    category="Dresses",
    rating=1,
)


def prediction(negative, sentiment=Sentiment.NEGATIVE):
    return Prediction(
        sentiment=sentiment,
        probabilities=(negative, 1 - negative, 0.0),
        confidence=max(negative, 1 - negative),
        model_version="m-7",
    )


def entry(predicted, state=State.CLASSIFIED):
    return Entry(event=EVENT, body_digest="d", state=state, prediction=predicted)


@pytest.mark.parametrize(
    ("candidate", "wanted"),
    [
        (entry(prediction(0.8)), True),
        (entry(prediction(0.7999)), False),
        (entry(prediction(0.95), State.CORRECTED), True),
        (entry(prediction(0.95, None), State.UNSURE), False),
        (entry(prediction(0.95, Sentiment.POSITIVE)), False),
        (entry(None, State.FAILED), False),
        (entry(None, State.RECEIVED), False),
    ],
)
def test_only_negative_feedback_from_the_threshold_on_is_told(candidate, wanted):
    assert AlertPolicy(threshold=0.8).wants(candidate) is wanted


@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan")])
def test_a_threshold_is_a_probability(threshold):
    with pytest.raises(ValueError, match="probability"):
        AlertPolicy(threshold=threshold)


def test_an_alert_says_what_was_said_about_what_and_where_to_look():
    alert = compose_alert(EVENT, prediction(0.94), feedback_url="https://care.example/feedback/")
    assert alert.subject == "Negative feedback (94%) via chat: P-1042"
    assert alert.body == (
        "A customer is unhappy:\n\n"
        '  "The zip broke & nobody answers"\n\n'
        "Product:    P-1042\n"
        "Category:   Dresses\n"
        "Channel:    chat\n"
        "Rating:     1 of 5 stars\n"
        "Confidence: 94% negative (model m-7)\n"
        "Received:   2026-03-01 10:00 UTC\n"
        "Feedback:   fb-1\n"
        "Link:       https://care.example/feedback/fb-1\n"
    )
    assert alert.attributes == {"feedback_id": "fb-1", "product_id": "P-1042", "sentiment": "negative"}


def test_what_is_not_known_is_left_out():
    event = FeedbackEvent(id="x", channel="web", text="Bad", received_at="2026-03-01T10:00:00.000Z")
    alert = compose_alert(event, prediction(0.9), feedback_url="/")
    assert alert.subject == "Negative feedback (90%) via web"
    assert "Product" not in alert.body
    assert "product_id" not in alert.attributes


@settings(max_examples=100, deadline=None)
@given(text=st.text(max_size=80), product=st.text(min_size=1, max_size=128))
def test_no_text_breaks_the_message(text, product):
    event = FeedbackEvent(id="x", channel="web", text=text, received_at="2026-03-01T10:00:00.000Z", product_id=product)
    alert = compose_alert(event, prediction(0.9), feedback_url="/")
    assert alert.subject.isascii()
    assert alert.subject.isprintable()
    assert len(alert.subject) < SUBJECT_LIMIT
    assert len(alert.body.splitlines()) == 10
    assert alert.attributes["product_id"]


def test_a_long_text_is_cut_at_a_word():
    shortened = quote("word " * 1000)
    assert len(shortened) <= QUOTE_LIMIT
    assert shortened.endswith("word…")
    assert len(quote("x" * 5000)) == QUOTE_LIMIT
