import pytest

from feedback.event import FeedbackEvent
from feedback.ledger import AlertState, Entry, MalformedEntryError, State, state_of
from feedback.prediction import Prediction
from feedback.sentiment import Sentiment

EVENT = FeedbackEvent(id="a", channel="web", text="Bad", received_at="2026-03-01T10:00:00.000Z")
NEGATIVE = Prediction(sentiment=Sentiment.NEGATIVE, probabilities=(0.9, 0.06, 0.04), confidence=0.9, model_version="m")
UNSURE = Prediction(sentiment=None, probabilities=(0.4, 0.3, 0.3), confidence=0.4, model_version="m")


@pytest.mark.parametrize(
    "entry",
    [
        Entry(event=EVENT, body_digest="d", state=State.RECEIVED),
        Entry(
            event=EVENT,
            body_digest="d",
            state=State.CLASSIFIED,
            prediction=NEGATIVE,
            decided_at="2026-03-01T10:00:01.000Z",
        ),
        Entry(
            event=EVENT, body_digest="d", state=State.UNSURE, prediction=UNSURE, decided_at="2026-03-01T10:00:01.000Z"
        ),
        Entry(
            event=EVENT,
            body_digest="d",
            state=State.FAILED,
            failure="empty_text",
            decided_at="2026-03-01T10:00:01.000Z",
        ),
    ],
    ids=lambda entry: entry.state.value,
)
def test_an_entry_is_stored_and_read_back(entry):
    assert Entry.from_document(entry.to_document()) == entry


def test_the_alert_of_an_item_is_read():
    document = Entry(event=EVENT, body_digest="d", state=State.RECEIVED).to_document()
    assert Entry.from_document({**document, "alert": {"state": "SENT", "at": "x"}}).alert_state is AlertState.SENT


@pytest.mark.parametrize(
    "change",
    [
        {"state": "LOST"},
        {"event": None},
        {"event": {"nothing": 1}},
        {"label": "negative", "sentiment": 1},
        {"alert": {}},
    ],
)
def test_what_is_no_entry_is_refused(change):
    document = Entry(event=EVENT, body_digest="d", state=State.RECEIVED).to_document()
    with pytest.raises(MalformedEntryError):
        Entry.from_document({**document, **change})


def test_only_what_is_received_waits_for_a_decision():
    assert [state for state in State if not state.is_decided] == [State.RECEIVED]
    assert (state_of(NEGATIVE), state_of(UNSURE)) == (State.CLASSIFIED, State.UNSURE)
