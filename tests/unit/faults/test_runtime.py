"""Intake against a runtime over real sockets, in every mode: bounded, never raising, never a wrong label."""

import json
import time
import urllib.error
import urllib.request

import pytest

from faults.runtime import Mode, Runtime, sentiment_of
from feedback.ledger import State
from lambdas.aws import clients
from lambdas.intake import handler
from lambdas.intake.acceptance import Accepted, Intake
from lambdas.intake.response import feedback_response
from tests.unit.lambdas.fakes import FakeLedger, FakeQueue, now

BUDGET_SECONDS = 0.4
TRIES = 3  # other work beside the tests may hold up one of them
ANSWERS = {Mode.HEALTHY}


@pytest.fixture(scope="module")
def runtime():
    with Runtime(hang_seconds=5.0) as served:
        yield served


@pytest.fixture(scope="module")
def endpoint(runtime):
    """The endpoint as intake's handler makes it."""
    caches = (clients.client, handler._settings, handler._endpoint)
    with pytest.MonkeyPatch.context() as environment:
        for name in (*handler.Settings.environment_names(), "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            environment.setenv(name, "testing")
        environment.setenv("ORIGINAL_DAYS", "30")
        environment.setenv("TRANSLATE", "off")
        environment.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        environment.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", runtime.url)
        environment.setenv("CLASSIFY_BUDGET_SECONDS", str(BUDGET_SECONDS))
        for cached in caches:
            cached.cache_clear()
        yield handler._endpoint()
    for cached in caches:
        cached.cache_clear()


def take_in(endpoint, *texts):
    intake = Intake(ledger=FakeLedger(), queue=FakeQueue(), endpoint=endpoint, now=now)
    return intake.take_in([{"text": text, "channel": "web"} for text in texts])


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("texts", [["The zip is broken"], ["I love it", "It came late", "It is a coat"]])
def test_intake_answers_in_time_and_never_with_a_wrong_label(runtime, endpoint, mode, texts):
    runtime.mode = mode
    for _ in range(TRIES):
        calls = runtime.calls
        began = time.monotonic()
        answers = take_in(endpoint, *texts)
        seconds = time.monotonic() - began
        assert runtime.calls == calls + 1, "one call for a batch, whatever comes of it"
        if seconds < BUDGET_SECONDS + 0.3:
            break
    assert seconds < BUDGET_SECONDS + 0.3
    for text, answer in zip(texts, answers, strict=True):
        assert isinstance(answer, Accepted)
        assert feedback_response(answer)["statusCode"] == (200 if mode in ANSWERS else 202)
        if mode in ANSWERS:
            assert answer.entry.prediction.sentiment is sentiment_of(text)
        else:
            assert (answer.entry.state, answer.entry.prediction) == (State.RECEIVED, None)


def control(runtime, document):
    request = urllib.request.Request(f"{runtime.url}/_faults", data=json.dumps(document).encode(), method="PUT")
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.load(answer)


def test_the_mode_changes_at_run_time(runtime, endpoint):
    assert control(runtime, {"mode": "503"})["mode"] == "503"
    assert feedback_response(take_in(endpoint, "I love it")[0])["statusCode"] == 202
    control(runtime, {"mode": "healthy"})
    assert feedback_response(take_in(endpoint, "I love it")[0])["statusCode"] == 200


@pytest.mark.parametrize("document", [{}, {"mode": "sick"}, [], "healthy"])
def test_an_unknown_mode_is_refused_and_changes_nothing(runtime, document):
    control(runtime, {"mode": "healthy"})
    with pytest.raises(urllib.error.HTTPError, match="400") as refused:
        control(runtime, document)
    refused.value.close()
    assert runtime.mode is Mode.HEALTHY
