"""The OpenAPI document and the handler agree: generated requests, good and bad, get the answers that it describes.

EARSHOT_OPENAPI_CASES sets how many of each kind for each operation.
"""

import json
import os
from urllib.parse import quote

import jsonschema_rs
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.core.transport import Response

from benchmarks.bad_inputs import place
from feedback.openapi import PATH, describe
from feedback.schema import feedback_schema

CASES = int(os.environ.get("EARSHOT_OPENAPI_CASES", "12"))
DESCRIBED = schemathesis.openapi.from_dict(describe())
OPERATIONS = {operation.ok().label: operation.ok() for operation in DESCRIBED.get_all_operations()}
KNOWN = "known-1"

generated = settings(
    max_examples=CASES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def api():
    """The handler, in a world where one feedback is known already."""
    with place() as at:
        ask(at, "POST", "/v1/feedback", body={"id": KNOWN, "channel": "web", "text": "Terrible, it broke"})
        yield at


def ask(at, method, resource, *, body=None, path_parameters=None, headers=None):
    """What the handler answers, as schemathesis takes it."""
    path = resource
    for name, value in (path_parameters or {}).items():
        path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
    text = body.decode("latin-1") if isinstance(body, bytes) else None if body is None else json.dumps(body)
    event = {
        "httpMethod": method,
        "resource": resource,
        "path": path,
        "headers": {"Content-Type": "application/json", **(headers or {})},
        "pathParameters": {name: quote(str(value), safe="") for name, value in (path_parameters or {}).items()} or None,
        "queryStringParameters": None,
        "requestContext": {"requestId": "openapi"},
        "body": text,
        "isBase64Encoded": False,
    }
    result, error, seconds = at.call("intake", event)
    assert error is None
    assert not at.world.unknown
    return Response(
        status_code=result["statusCode"],
        headers={name: [value] for name, value in result["headers"].items()},
        content=result["body"].encode(),
        request=requests.Request(method, f"https://api.example{path}").prepare(),
        elapsed=seconds,
        verify=True,
    )


def ask_for(at, case):
    body = None if case.body is schemathesis.core.NOT_SET else case.body
    headers = {name: value for name, value in (case.headers or {}).items() if isinstance(value, str)}
    return ask(at, case.method, case.operation.path, body=body, path_parameters=case.path_parameters, headers=headers)


def is_as_described(case):
    """Whether the body is one that the document allows; bytes are none, nor is what has no form in JSON."""
    schema = case.operation.definition.raw["requestBody"]["content"]["application/json"]["schema"]
    try:
        body = json.loads(json.dumps(case.body))
    except (TypeError, ValueError):
        return False
    return jsonschema_rs.is_valid({**schema, "components": describe()["components"]}, body)


def conforms(case, answer):
    """The status is one that is described, and so are the media type and the shape of the body."""
    described = case.operation.definition.raw["responses"]
    assert str(answer.status_code) in described, (answer.status_code, answer.text)
    assert answer.status_code < 500, answer.text
    case.operation.validate_response(answer)


@pytest.mark.parametrize("label", OPERATIONS)
def test_what_is_allowed_gets_an_answer_that_is_described(api, label):
    @generated
    @given(case=OPERATIONS[label].as_strategy(generation_mode=GenerationMode.POSITIVE))
    def each(case):
        conforms(case, ask_for(api, case))

    each()


@pytest.mark.parametrize("label", [label for label in OPERATIONS if "POST" in label])
def test_what_is_not_allowed_is_refused_as_described(api, label):
    @generated
    @given(case=OPERATIONS[label].as_strategy(generation_mode=GenerationMode.NEGATIVE))
    def each(case):
        answer = ask_for(api, case)
        conforms(case, answer)
        if not is_as_described(case) and "/batch" not in label:  # of a batch, each item is refused by itself
            assert answer.status_code >= 400, (case.body, answer.text)

    each()


@pytest.mark.parametrize("label", [label for label in OPERATIONS if "{id}" in label])
def test_a_known_feedback_is_answered_as_described(api, label):
    operation = OPERATIONS[label]
    bodies = {
        "/v1/feedback/{id}/correction": {"sentiment": -1, "by": "ann"},
        "/v1/alerts/{id}": {"action": "acknowledge", "by": "ann"},
    }
    case = operation.Case(path_parameters={"id": KNOWN}, body=bodies.get(operation.path, schemathesis.core.NOT_SET))
    conforms(case, ask_for(api, case))


def test_the_document_is_served_as_it_is_generated(api):
    answer = ask(api, "GET", PATH)
    assert answer.status_code == 200
    assert answer.json() == json.loads(json.dumps(describe()))


def test_no_route_is_left_out_of_the_document(api):
    """A route that is described is known to the handler; one that is not is refused as no address."""
    for label, operation in OPERATIONS.items():
        answer = ask(api, operation.method.upper(), operation.path, body={}, path_parameters={"id": "unknown"})
        assert "unknown-route" not in answer.text, label
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        assert ask(api, method, "/v1/feedback").status_code == 404


def test_the_schema_of_the_document_is_the_one_that_is_validated_by():
    described = describe()["components"]["schemas"]["Feedback"]
    assert described["properties"] == feedback_schema()["properties"]
    assert described["required"] == feedback_schema()["required"]
