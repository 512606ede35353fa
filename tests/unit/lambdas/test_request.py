import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdas.intake.request import (
    BODY_LIMIT_BYTES,
    RefusedError,
    read_batch,
    read_document,
    read_feedback,
    read_feedback_id,
)

GOOD = {"channel": "web", "text": "Too tight"}


def read(body, *, headers=None, is_base64=False):
    event = {"body": body, "isBase64Encoded": is_base64, "headers": headers}
    return read_feedback(read_document(event, limit_bytes=BODY_LIMIT_BYTES))


def status_of(body, **more):
    try:
        read(body, **more)
    except RefusedError as error:
        return error.problem.status
    return 200


def refusal(call, *arguments, **named):
    with pytest.raises(RefusedError) as raised:
        call(*arguments, **named)
    return raised.value.problem


@pytest.mark.parametrize(
    "headers",
    [
        None,
        {},
        {"Content-Type": "application/json"},
        {"content-type": "Application/JSON; charset=UTF-8"},
        {"Content-Encoding": "identity"},
    ],
)
def test_a_document_is_read(headers):
    assert read(json.dumps(GOOD), headers=headers) == GOOD


def test_a_base64_body_is_read():
    assert read(base64.b64encode(json.dumps(GOOD).encode()).decode(), is_base64=True) == GOOD


@pytest.mark.parametrize(
    ("body", "is_base64"),
    [
        (None, False),
        ("", False),
        ("{", False),
        ("null", False),
        ("[]", False),
        ('"text"', False),
        ("7", False),
        ("[" * 100_000, False),
        ('{"text":' * 5_000, False),
        ('{"channel":"web","text":"x","rating":' + "9" * 5_000 + "}", False),
        ('{"channel":"web","text":"x","rating":NaN}', False),
        ('{"channel":"web","text":"x","rating":1e999}', False),
        ('{"channel":"web","text":"x","text":"y"}', False),
        ("\ufeff" + json.dumps(GOOD), False),
        (base64.b64encode(b"\xff\xfe{\x00}\x00").decode(), True),
        ("not base64!", True),
        ("é", True),
        (json.dumps({**GOOD, "colour": "red"}), False),
        (json.dumps({**GOOD, "__proto__": {}}), False),
        (json.dumps({**GOOD, "rating": True}), False),
        (json.dumps({**GOOD, "rating": 4.0}), False),
        (json.dumps({**GOOD, "rating": "4"}), False),
        (json.dumps({**GOOD, "product_id": None}), False),
        (json.dumps({**GOOD, "metadata": {"a": {"b": "c"}}}), False),
        (json.dumps({**GOOD, "channel": "pigeon"}), False),
        (json.dumps({"channel": "web"}), False),
        (json.dumps({"text": "x"}), False),
        (json.dumps({**GOOD, "text": ["x"]}), False),
        (json.dumps({**GOOD, "received_at": "2026-03-01"}), False),
    ],
)
def test_a_document_of_the_wrong_form_is_malformed(body, is_base64):
    problem = refusal(read, body, is_base64=is_base64)
    assert problem.status == 400
    assert "Traceback" not in json.dumps(problem.to_document())


@pytest.mark.parametrize(
    ("change", "status", "pointer"),
    [
        ({"text": ""}, 422, "/text"),
        ({"text": "x" * 10_001}, 413, "/text"),
        ({"rating": 0}, 422, "/rating"),
        ({"rating": 6}, 422, "/rating"),
        ({"id": ""}, 422, "/id"),
        ({"id": "a b"}, 422, "/id"),
        ({"id": "a\n"}, 422, "/id"),
        ({"id": "x" * 129}, 422, "/id"),
        ({"language": "english please"}, 422, "/language"),
        ({"product_id": "x" * 129}, 422, "/product_id"),
        ({"metadata": {str(i): "v" for i in range(21)}}, 422, "/metadata"),
        ({"metadata": {"a/b~c\u00e9": "v" * 501}}, 422, "/metadata/a~1b~0c?"),
    ],
)
def test_a_value_out_of_its_limits_is_refused_with_its_place(change, status, pointer):
    problem = refusal(read, json.dumps({**GOOD, **change}))
    assert problem.status == status
    assert [error.pointer for error in problem.errors] == [pointer]


def test_a_text_of_the_largest_size_is_read_however_it_is_escaped():
    text = "😀" * 10_000
    assert read(json.dumps({**GOOD, "text": text}))["text"] == text


@pytest.mark.parametrize(
    ("body", "is_base64"),
    [
        (" " * (BODY_LIMIT_BYTES + 1), False),
        ("é" * BODY_LIMIT_BYTES, False),
        ("A" * (3 * BODY_LIMIT_BYTES), True),
        ("A" * (BODY_LIMIT_BYTES // 3 * 4 + 8), True),
    ],
    ids=["characters", "bytes", "encoded", "decoded"],
)
def test_a_body_too_large_is_refused_before_it_is_read(body, is_base64):
    assert refusal(read, body, is_base64=is_base64).status == 413


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "application/x-npy"},
        {"Content-Type": "multipart/form-data"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Encoding": "gzip"},
    ],
)
def test_another_content_type_is_refused(headers):
    assert refusal(read, json.dumps(GOOD), headers=headers).status == 415


def test_a_batch_is_an_object_with_up_to_100_items():
    assert read_batch({"items": [1, {}]}) == [1, {}]
    assert refusal(read_batch, {"items": []}).status == 422
    assert refusal(read_batch, {"items": [{}] * 101}).status == 413
    for wrong in ([], {}, {"items": {}}, {"items": [], "more": 1}, None, "items"):
        assert refusal(read_batch, wrong).status == 400


@pytest.mark.parametrize("id_", [None, "", "a b", "x" * 3000, "../etc", "\ud800"])
def test_an_id_that_no_feedback_can_have_is_not_found(id_):
    assert refusal(read_feedback_id, {"pathParameters": {"id": id_}}).status == 404
    assert refusal(read_feedback_id, {"pathParameters": None}).status == 404


def test_an_id_in_the_path_is_decoded():
    assert read_feedback_id({"pathParameters": {"id": "shop%3A42"}}) == "shop:42"


@settings(max_examples=200, deadline=None)
@given(body=st.text(max_size=80), is_base64=st.booleans(), content_type=st.text(max_size=20))
def test_any_request_is_read_or_refused(body, is_base64, content_type):
    assert status_of(body, headers={"content-type": content_type}, is_base64=is_base64) in (200, 400, 413, 415, 422)


VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.lists(st.text(max_size=3), max_size=2)
    | st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2)
)


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["id", "channel", "text", "rating", "language", "metadata", "product_id", "x"]), VALUES
    )
)
def test_any_document_is_feedback_or_refused(document):
    assert status_of(json.dumps(document)) in (200, 400, 413, 422)
