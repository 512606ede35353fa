import pytest

from feedback.event import FeedbackEvent
from feedback.trends import (
    DayCounts,
    Place,
    Subject,
    SubjectKind,
    counter_name,
    example_name,
    places_of,
)

LATE = FeedbackEvent(
    id="f-1", channel="web", text="x", received_at="2026-03-01T09:59:59.999Z", product_id="P#1", category="Dresses"
)


def test_a_feedback_counts_once_for_its_product_its_category_and_its_channel_on_the_day_of_its_receipt():
    assert [(place.partition, place.subject.key) for place in places_of(LATE)] == [
        ("trend#2026-03-01", "product#P#1"),
        ("trend#2026-03-01", "category#Dresses"),
        ("trend#2026-03-01", "channel#web"),
    ]
    assert counter_name(LATE, "negative") == "09_negative"


def test_a_feedback_without_product_counts_for_its_channel():
    event = FeedbackEvent(id="f-2", channel="call", text="x", received_at="2026-03-01T23:00:00.000Z")
    assert [place.subject.key for place in places_of(event)] == ["channel#call"]


@pytest.mark.parametrize("name", ["P#1", "Größe 42", "a b"])
def test_the_key_of_a_subject_leads_back_to_it(name):
    subject = Subject(kind=SubjectKind.PRODUCT, name=name)
    assert Subject.from_key(subject.key) == subject


@pytest.mark.parametrize("key", ["", "product", "product#"])
def test_what_is_no_subject_is_refused(key):
    with pytest.raises(ValueError, match="kind"):
        Subject.from_key(key)


def test_counters_are_read_by_hour_and_other_attributes_are_passed_over():
    place = Place(day="2026-03-01", subject=Subject(kind=SubjectKind.PRODUCT, name="P-1"))
    document = {
        "pk": "trend#2026-03-01",
        "sk": "product#P-1",
        "expires_at": 1,
        "09_negative": 2,
        "09_unsure": 1,
        "10_positive": 3,
        "11_negative": 0,
        "example0": "f-1",
        "example2": "f-9",
        "99_negative": 7,
    }
    found = DayCounts.from_document(place, document)
    assert found.counts == {"negative": 2, "neutral": 0, "positive": 3, "unsure": 1}
    assert list(found.hours) == [9, 10]
    assert (found.judged, found.negatives) == (5, 2), "unsure is no evidence"
    assert found.examples == ("f-1", "f-9")


def test_a_day_remembers_few_examples_however_many_there_are():
    names = {
        example_name(FeedbackEvent(id=f"f-{n}", channel="web", text="x", received_at=LATE.received_at))
        for n in range(99)
    }
    assert names == {"example0", "example1", "example2"}
