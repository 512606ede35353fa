import json
from dataclasses import replace

import pytest

from feedback.event import FeedbackEvent
from feedback.ledger import Correction, State
from feedback.sentiment import Sentiment, from_stars
from lambdas.archive.rows import objects, row
from tests.unit.lambdas.fakes import UNSURE, classified, received

COLUMNS = [
    "feedback_id",
    "channel",
    "text",
    "product_id",
    "category",
    "language",
    "rating",
    "received_at",
    "decided_at",
    "state",
    "sentiment",
    "label",
    "confidence",
    "negative",
    "neutral",
    "positive",
    "model_version",
    "customer_ref",
]


def test_a_row_has_every_column_of_the_table():
    values = row(classified("a"))
    assert list(values) == COLUMNS
    assert (values["sentiment"], values["label"], values["negative"], values["category"]) == (-1, "negative", 0.9, None)


def test_an_unsure_row_has_probabilities_and_no_sentiment():
    values = row(classified("a", UNSURE))
    assert (values["sentiment"], values["label"], values["neutral"]) == (None, "unsure", 0.3)


def test_a_failed_row_has_nothing_of_a_model():
    values = row(replace(received("a"), state=State.FAILED, failure="empty_text"))
    assert {values[name] for name in COLUMNS[10:17]} == {None}


def test_rows_of_a_day_stand_together_under_a_name_that_depends_on_them_alone():
    later = FeedbackEvent(id="c", channel="web", text="x", received_at="2026-03-02T00:00:00.000Z")
    entries = [classified("a"), classified("b"), replace(classified("c"), event=later)]
    written = objects(entries)
    assert written == objects(entries)
    assert [key.split("/")[1] for key in written] == ["dt=2026-03-01", "dt=2026-03-02"]
    first, second = written.values()
    assert [json.loads(line)["feedback_id"] for line in first.splitlines()] == ["a", "b"]
    assert [json.loads(line)["feedback_id"] for line in second.splitlines()] == ["c"]


def test_a_text_of_many_lines_stays_on_one():
    entry = classified("a")
    entry = replace(entry, event=replace(entry.event, text="one\ntwo\u2028three"))
    (body,) = objects([entry]).values()
    assert len(body.decode().splitlines()) == 1


def test_nothing_decided_writes_nothing():
    assert objects([]) == {}


def corrected(id_, sentiment, prediction=UNSURE):
    correction = Correction(sentiment=sentiment, by="Ann Bell", at="2026-04-02T09:00:00.000Z", note="obvious")
    entry = classified(id_, prediction)
    return replace(entry, state=State.CORRECTED, decided_at=correction.at, correction=correction)


def test_a_corrected_row_says_what_the_person_said_and_keeps_the_models_figures():
    values = row(corrected("a", Sentiment.NEGATIVE))
    assert (values["state"], values["sentiment"], values["label"]) == ("CORRECTED", -1, "negative")
    assert (values["confidence"], values["neutral"], values["model_version"]) == (0.4, 0.3, "m-1")


@pytest.mark.parametrize(
    ("sentiment", "rating"), [(Sentiment.NEGATIVE, 1), (Sentiment.NEUTRAL, 3), (Sentiment.POSITIVE, 5)]
)
def test_a_correction_is_also_a_review_to_train_on(sentiment, rating):
    written = objects([classified("a"), corrected("b", sentiment)])
    assert [key.rpartition("/")[0] for key in written] == [
        "feedback/dt=2026-03-01",
        "raw/corrections/ingest_date=2026-04-02",
    ]
    (line,) = written[list(written)[1]].splitlines()
    assert json.loads(line) == {
        "review_id": "b",
        "text": "Too tight",
        "rating": rating,
        "product_id": "P-1",
        "category": None,
        "channel": "web",
        "created_at": "2026-03-01T10:00:00.000Z",
        "corrected_at": "2026-04-02T09:00:00.000Z",
    }
    assert from_stars(rating) is sentiment


def test_who_corrected_and_why_stays_in_the_ledger():
    body = b"".join(objects([corrected("b", Sentiment.NEUTRAL)]).values())
    assert b"Ann Bell" not in body
    assert b"obvious" not in body
