import io
import json

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    IncompleteReadError,
    ReadTimeoutError,
)

from feedback.prediction import LineFailure
from lambdas.aws.endpoint import Endpoint, EndpointFailure, EndpointUnavailableError
from tests.unit.lambdas.fakes import NEGATIVE

URL = "http://endpoint.example"
TEXTS = [("a", "Too tight"), ("b", "Lone \ud83d half")]


def answer(*ids):
    return "".join(json.dumps({"id": id_, **NEGATIVE.to_document()}) + "\n" for id_ in ids).encode()


def client_error(code, *, http=400, original=None):
    response = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": http}}
    if original is not None:
        response["OriginalStatusCode"] = original
    return ClientError(response, "InvokeEndpoint")


class BrokenBody:
    def __init__(self, error):
        self.error = error

    def read(self, _limit):
        raise self.error


class FakeRuntime:
    """Answers, or raises, what it is given, one a call."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.requests = []

    def invoke_endpoint(self, **request):
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return {"Body": io.BytesIO(answer) if isinstance(answer, bytes) else answer}


def endpoint(runtime, *, attempts=1):
    pauses = []
    return Endpoint(name="e", runtime=runtime, attempts=attempts, sleep=pauses.append), pauses


def test_texts_go_out_as_json_lines_and_outcomes_come_back_in_order():
    runtime = FakeRuntime(answer("a", "b"))
    assert endpoint(runtime)[0].classify(TEXTS) == [NEGATIVE, NEGATIVE]
    (request,) = runtime.requests
    assert (request["EndpointName"], request["ContentType"], request["Accept"]) == ("e", *["application/jsonlines"] * 2)
    assert [json.loads(line) for line in request["Body"].splitlines()] == [{"id": i, "text": t} for i, t in TEXTS]


FAULTS = [
    (ReadTimeoutError(endpoint_url=URL), EndpointFailure.TIMEOUT),
    (ConnectTimeoutError(endpoint_url=URL), EndpointFailure.TIMEOUT),
    (EndpointConnectionError(endpoint_url=URL), EndpointFailure.BUSY),
    (ConnectionClosedError(endpoint_url=URL), EndpointFailure.BUSY),
    (BrokenBody(IncompleteReadError(actual_bytes=1, expected_bytes=2)), EndpointFailure.BUSY),
    (BrokenBody(ReadTimeoutError(endpoint_url=URL)), EndpointFailure.TIMEOUT),
    (client_error("ModelError", http=424, original=500), EndpointFailure.BROKEN),
    (client_error("ModelError", http=424), EndpointFailure.BROKEN),
    (client_error("ModelError", http=424, original=503), EndpointFailure.BUSY),
    (client_error("ModelError", http=424, original=429), EndpointFailure.BUSY),
    (client_error("ModelError", http=424, original=400), EndpointFailure.REFUSED),
    (client_error("ModelError", http=424, original=415), EndpointFailure.REFUSED),
    (client_error("ModelNotReadyException", http=429), EndpointFailure.BUSY),
    (client_error("ThrottlingException"), EndpointFailure.BUSY),
    (client_error("ServiceUnavailable", http=503), EndpointFailure.BUSY),
    (client_error("InternalDependencyException", http=530), EndpointFailure.BUSY),
    (client_error("502", http=502), EndpointFailure.BUSY),
    (client_error("ValidationError"), EndpointFailure.MISSING),
    (client_error("AccessDeniedException", http=403), EndpointFailure.MISSING),
    (b"", EndpointFailure.BROKEN),
    (b"<html>Bad gateway</html>", EndpointFailure.BROKEN),
    (b"\xff\xfe", EndpointFailure.BROKEN),
    (answer("a"), EndpointFailure.BROKEN),
    (answer("a", "b", "c"), EndpointFailure.BROKEN),
]


@pytest.mark.parametrize(("fault", "failure"), FAULTS, ids=lambda value: getattr(value, "value", None))
def test_every_fault_is_one_of_few_failures(fault, failure):
    with pytest.raises(EndpointUnavailableError) as raised:
        endpoint(FakeRuntime(fault))[0].classify(TEXTS)
    assert raised.value.failure is failure


def test_a_truncated_line_fails_alone():
    good, bad = endpoint(FakeRuntime(answer("a", "b")[:-40]))[0].classify(TEXTS)
    assert good == NEGATIVE
    assert isinstance(bad, LineFailure)
    assert not bad.is_final


def test_answers_in_the_wrong_order_are_not_taken_for_right():
    assert [outcome.code for outcome in endpoint(FakeRuntime(answer("b", "a")))[0].classify(TEXTS)] == [
        "malformed_answer",
        "malformed_answer",
    ]


def test_a_busy_endpoint_is_tried_again_after_a_pause():
    runtime = FakeRuntime(client_error("ModelNotReadyException", http=429), answer("a", "b"))
    tried, pauses = endpoint(runtime, attempts=2)
    assert tried.classify(TEXTS) == [NEGATIVE, NEGATIVE]
    assert pauses == [0.2]


@pytest.mark.parametrize(("fault", "failure"), [pair for pair in FAULTS if pair[1] is not EndpointFailure.BUSY])
def test_nothing_else_is_tried_again(fault, failure):
    runtime = FakeRuntime(fault, answer("a", "b"))
    with pytest.raises(EndpointUnavailableError):
        endpoint(runtime, attempts=2)[0].classify(TEXTS)
    assert len(runtime.requests) == 1
