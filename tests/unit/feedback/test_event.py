from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedback.event import FeedbackEvent, UnusableFeedbackError, body_digest, derived_id, receive, timestamp

NOW = datetime(2026, 3, 1, 23, 30, 0, 123456, tzinfo=UTC)
DOCUMENT = {"channel": "chat", "text": "Too tight", "product_id": "P-1", "rating": 2, "metadata": {"locale": "en"}}


def test_a_document_becomes_an_event_and_comes_back_unchanged():
    event = receive({"id": "a-1", **DOCUMENT}, received_at=NOW)
    assert (event.id, event.text, event.received_at) == ("a-1", "Too tight", "2026-03-01T23:30:00.123Z")
    assert event.category is None
    assert FeedbackEvent.from_document(event.to_document()) == event


def test_the_text_is_kept_as_it_came():
    assert receive({**DOCUMENT, "text": " <b>So\u200b bad</b> "}, received_at=NOW).text == " <b>So\u200b bad</b> "


def test_the_same_content_on_the_same_day_has_the_same_derived_id():
    ids = {derived_id(DOCUMENT, received_at=moment) for moment in (NOW, NOW - timedelta(hours=5))}
    assert ids == {receive(DOCUMENT, received_at=NOW).id}
    assert derived_id(DOCUMENT, received_at=NOW + timedelta(hours=1)) not in ids


def test_the_digest_is_of_the_content_in_any_order_and_without_the_id():
    reversed_document = dict(reversed(DOCUMENT.items()))
    assert body_digest({"id": "x", **reversed_document}) == body_digest(DOCUMENT)
    assert body_digest({**DOCUMENT, "rating": 1}) != body_digest(DOCUMENT)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"text": " \t\u200b\n"}, "/text"),
        ({"text": "<p></p>"}, "/text"),
        ({"text": "nul \x00"}, "/text"),
        ({"text": "half \ud800"}, "/text"),
        ({"product_id": "\udfff"}, "/product_id"),
        ({"metadata": {"k": "\x00"}}, "/metadata"),
        ({"metadata": {"\ud800": "v"}}, "/metadata"),
        ({"metadata": {"k" * 65: "v"}}, "/metadata"),
        ({"metadata": {"": "v"}}, "/metadata"),
    ],
)
def test_what_cannot_be_read_or_stored_is_refused_with_its_place(change, pointer):
    with pytest.raises(UnusableFeedbackError) as raised:
        receive({**DOCUMENT, **change}, received_at=NOW)
    assert raised.value.pointer == pointer


@settings(max_examples=100, deadline=None)
@given(st.text(min_size=1, max_size=50))
def test_any_text_becomes_an_event_or_is_refused(text):
    try:
        event = receive({"channel": "web", "text": text}, received_at=NOW)
    except UnusableFeedbackError:
        return
    assert event.text.encode("utf-8")


def test_timestamps_are_utc_and_need_a_time_zone():
    assert timestamp(NOW.astimezone(timezone(timedelta(hours=5)))) == "2026-03-01T23:30:00.123Z"
    with pytest.raises(ValueError, match="time zone"):
        timestamp(NOW.replace(tzinfo=None))
