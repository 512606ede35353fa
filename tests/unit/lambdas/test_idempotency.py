"""Sequences of requests by key, body and time, against a model of what the sender is promised.

IDEMPOTENCY_SEQUENCES gives their number; 100,000 is the full size.
"""

import os
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from feedback.ledger import State
from lambdas.aws.endpoint import EndpointFailure
from lambdas.intake.acceptance import Accepted, Intake
from lambdas.intake.response import feedback_response, view
from tests.unit.lambdas.fakes import NOW, FakeEndpoint, FakeLedger, FakeQueue

SEQUENCES = int(os.environ.get("IDEMPOTENCY_SEQUENCES", "150"))
FLIGHT = timedelta(seconds=6)

TEXTS = ("Too tight", "Write to jane.doe@example.com", "Je ne suis pas content du tout, la livraison est une honte")
REQUEST = st.fixed_dictionaries(
    {
        "key": st.sampled_from("ab"),
        "text": st.sampled_from(TEXTS),
        "ask_model": st.booleans(),
        "model": st.sampled_from(["answers", "times out", "rests"]),
        "queue": st.sampled_from(["takes", "takes", "is down"]),
        "ledger": st.sampled_from(["well", "well", "no accept", "no decide"]),
        "dies": st.booleans(),
        "seconds_later": st.integers(0, 8),
    }
)


class Death(BaseException):
    """The function is gone."""


class DyingEndpoint(FakeEndpoint):
    """The function dies while it waits for the model."""

    def classify(self, texts):
        super().classify(texts)
        raise Death


class Shop:
    """The sender's view: what each key was first used for, and what was answered last."""

    def __init__(self):
        self.now = NOW
        self.ledger = FakeLedger()
        self.texts = {}
        self.died_at = {}
        self.queued = set()

    def post(self, request):
        self.now += timedelta(seconds=request["seconds_later"])
        self.ledger.broken = {"no accept": {"accept"}, "no decide": {"decide"}}.get(request["ledger"], set())
        kind = DyingEndpoint if request["dies"] else FakeEndpoint
        endpoint = kind(
            failure=EndpointFailure.TIMEOUT if request["model"] == "times out" else None,
            is_resting=request["model"] == "rests",
        )
        queue = FakeQueue(is_down=request["queue"] == "is down")
        use_case = Intake(
            ledger=self.ledger, queue=queue, endpoint=endpoint, now=lambda: self.now, in_flight_for=FLIGHT
        )
        document = {"id": request["key"], "channel": "web", "text": request["text"]}
        (answer,) = use_case.take_in([document], ask_model=request["ask_model"])
        return answer, queue, endpoint


@settings(max_examples=SEQUENCES, deadline=None, derandomize=True, database=None)
@given(st.lists(REQUEST, min_size=1, max_size=8))
def test_whatever_is_sent_when_a_key_means_one_body_and_one_decision(requests):
    shop = Shop()
    for request in requests:
        key, text = request["key"], request["text"]
        before = shop.ledger.entries.get(key)
        first_text = shop.texts.get(key)
        decisions = [id_ for state, id_ in shop.ledger.writes if state != "accept"]
        try:
            answer, queue, endpoint = shop.post(request)
        except Death:
            assert shop.ledger.entries[key].state is State.RECEIVED
            shop.texts.setdefault(key, text)
            shop.died_at[key] = shop.now
            continue
        status = feedback_response(answer)["statusCode"]
        if request["ledger"] == "no accept":
            assert (status, shop.ledger.entries.get(key), endpoint.calls) == (503, before, [])
            continue
        shop.texts.setdefault(key, text)
        if first_text is not None and text != first_text:
            assert (status, answer.kind, shop.ledger.entries[key]) == (422, "id-reused", before)
            assert (queue.sent, endpoint.calls) == ([], [])
            continue
        if before is not None and before.state.is_decided:
            assert (status, answer.entry) == (200, before)
            assert (queue.sent, endpoint.calls) == ([], [])
            continue
        if status == 409:
            assert request["ask_model"]
            assert shop.now < shop.died_at[key] + FLIGHT, "only a request that is under way is in flight"
            continue
        if isinstance(answer, Accepted):
            assert view(answer.entry) == view(shop.ledger.entries[key])
            assert queue.sent == [key] or answer.entry.state.is_decided
        else:
            assert (status, request["queue"]) == (503, "is down")
        now_decided = [id_ for state, id_ in shop.ledger.writes if state != "accept"]
        assert len(now_decided) - len(decisions) == shop.ledger.entries[key].state.is_decided
    for id_ in shop.ledger.entries:
        assert [written for state, written in shop.ledger.writes if state == "accept"].count(id_) == 1
        assert [written for state, written in shop.ledger.writes if state != "accept"].count(id_) <= 1
