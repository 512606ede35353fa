import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedback.prediction import LineFailure, MalformedAnswerError, Prediction, parse_answer, parse_line
from feedback.sentiment import Sentiment

LINE = {
    "id": "a",
    "sentiment": -1,
    "label": "negative",
    "probabilities": {"negative": 0.9, "neutral": 0.06, "positive": 0.04},
    "confidence": 0.9,
    "model_version": "m-1",
}


def test_a_line_becomes_a_prediction_and_comes_back():
    prediction = parse_line(json.dumps(LINE), id_="a")
    assert isinstance(prediction, Prediction)
    assert (prediction.sentiment, prediction.label, prediction.probability(Sentiment.NEUTRAL)) == (
        Sentiment.NEGATIVE,
        "negative",
        0.06,
    )
    assert {"id": "a", **prediction.to_document()} == LINE


def test_unsure_has_no_sentiment():
    prediction = parse_line(json.dumps({**LINE, "sentiment": None, "label": "unsure"}), id_="a")
    assert isinstance(prediction, Prediction)
    assert prediction.sentiment is None
    assert prediction.label == "unsure"


@pytest.mark.parametrize(
    "change",
    [
        {"sentiment": True},
        {"sentiment": 1},
        {"sentiment": -1.0},
        {"sentiment": None},
        {"label": "unsure"},
        {"label": "NEGATIVE"},
        {"confidence": None},
        {"confidence": True},
        {"confidence": "0.9"},
        {"confidence": 1.2},
        {"probabilities": {"negative": 0.9, "neutral": 0.1}},
        {"probabilities": {"negative": 0.9, "neutral": 0.9, "positive": 0.9}},
        {"probabilities": {"negative": -0.1, "neutral": 0.1, "positive": 1.0}},
        {"probabilities": [0.9, 0.06, 0.04]},
        {"model_version": ""},
        {"model_version": 3},
        {"id": "b"},
        {"error": "no"},
        {"error": {"code": 7, "message": "x"}},
    ],
)
def test_a_line_that_does_not_keep_the_contract_is_refused(change):
    with pytest.raises(MalformedAnswerError):
        parse_line(json.dumps({**LINE, **change}), id_="a")


@pytest.mark.parametrize("field", [name for name in LINE if name != "id"])
def test_a_missing_field_is_refused(field):
    with pytest.raises(MalformedAnswerError):
        parse_line(json.dumps({name: value for name, value in LINE.items() if name != field}), id_="a")


def test_nan_is_refused():
    with pytest.raises(MalformedAnswerError):
        parse_line(json.dumps(LINE).replace("0.06", "NaN"), id_="a")


def test_a_bad_line_fails_alone_and_in_its_place():
    error = {"id": "b", "error": {"code": "empty_text", "message": "The text is empty."}}
    body = "\n".join([json.dumps(LINE), json.dumps(error), "<html>", ""]).encode()
    good, empty, broken = parse_answer(body, ids=["a", "b", "c"])
    assert isinstance(good, Prediction)
    assert empty == LineFailure(code="empty_text", message="The text is empty.")
    assert empty.is_final
    assert isinstance(broken, LineFailure)
    assert (broken.code, broken.is_final) == ("malformed_answer", False)


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", json.dumps(LINE).encode() * 1, b"\n\n\n"])
def test_lines_and_texts_must_match_up(body):
    with pytest.raises(MalformedAnswerError):
        parse_answer(body, ids=["a", "b"])


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.binary(max_size=60), st.text(max_size=60).map(lambda text: text.encode("utf-8", "replace"))))
def test_any_answer_is_read_or_refused(body):
    try:
        (outcome,) = parse_answer(body, ids=["a"])
    except MalformedAnswerError:
        return
    assert isinstance(outcome, LineFailure)
