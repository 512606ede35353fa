import base64
import json

import boto3
import pytest

from lambdas.intake.handler import handle
from tests.unit.lambdas.fakes import FakeContext

PROBLEM_MEMBERS = {"type", "title", "status", "detail"}


@pytest.fixture
def post(load_event, table, queue_url, runtime):
    """Post a body, or the one in the golden event."""

    def send(document=None, *, name="api_post_feedback", **changes):
        event = load_event(name) | ({} if document is None else {"body": json.dumps(document)}) | changes
        response = handle(event, FakeContext())
        return response["statusCode"], response["headers"], json.loads(response["body"])

    return send


def messages(queue_url):
    attributes = boto3.client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=["All"])["Attributes"]
    return int(attributes["ApproximateNumberOfMessages"]) + int(attributes["ApproximateNumberOfMessagesDelayed"])


def test_feedback_is_answered_with_its_sentiment_and_is_in_ledger_and_queue(post, table, queue_url):
    status, headers, body = post()
    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert body == {
        "id": "order-1001",
        "state": "CLASSIFIED",
        "sentiment": -1,
        "label": "negative",
        "confidence": 0.94,
        "probabilities": {"negative": 0.94, "neutral": 0.04, "positive": 0.02},
        "model_version": "20260301-090000",
    }
    item = table.get_item(Key={"feedback_id": "order-1001"})["Item"]
    assert item["event"]["text"] == "The zip broke after two days and nobody answers."
    assert item["expires_at"] > 1_800_000_000
    assert messages(queue_url) == 1


def test_the_same_feedback_again_gets_the_same_bytes_and_no_second_effect(post, table, queue_url, runtime):
    assert post() == post()
    assert (table.item_count, messages(queue_url), runtime.calls) == (1, 1, 1)


def test_the_same_id_with_another_body_is_refused(post):
    post()
    status, headers, body = post({"id": "order-1001", "channel": "chat", "text": "Something else"})
    assert (status, headers["Content-Type"]) == (422, "application/problem+json")
    assert body["type"] == "urn:earshot:problem:id-reused"


def test_a_model_that_is_away_means_202_and_a_place_to_look(post, runtime, load_event):
    runtime.is_down = True
    status, _, body = post()
    assert (status, body) == (202, {"id": "order-1001", "state": "RECEIVED", "status_url": "/v1/feedback/order-1001"})
    response = handle(load_event("api_get_feedback"), FakeContext())
    assert (response["statusCode"], json.loads(response["body"])["state"]) == (200, "RECEIVED")


def test_an_accepted_feedback_can_be_looked_up(post, load_event):
    _, _, answer = post()
    response = handle(load_event("api_get_feedback"), FakeContext())
    found = json.loads(response["body"])
    assert response["statusCode"] == 200
    assert {name: found[name] for name in answer} == answer
    assert found["decided_at"] >= found["received_at"]


def test_an_unknown_id_is_not_found(load_event, table, queue_url, runtime):
    response = handle(load_event("api_get_feedback"), FakeContext())
    assert response["statusCode"] == 404
    assert set(json.loads(response["body"])) == PROBLEM_MEMBERS


def test_an_unsure_answer_has_no_sentiment(post):
    _, _, body = post({"channel": "web", "text": "Hm"})
    assert (body["state"], body["sentiment"], body["label"]) == ("UNSURE", None, "unsure")
    assert body["id"].startswith("fb-")


def test_a_batch_has_one_result_per_item_in_order(post, runtime):
    status, _, body = post(name="api_post_batch")
    results = body["results"]
    assert status == 200
    assert [result["status"] for result in results] == [200, 200, 422, 400, 200]
    assert [result.get("label") for result in results] == ["negative", "positive", None, None, "negative"]
    assert set(results[2]["problem"]) == PROBLEM_MEMBERS | {"errors"}
    assert runtime.calls == 1


@pytest.mark.parametrize(("items", "status"), [([], 422), ([{"channel": "web", "text": "x"}] * 101, 413)])
def test_a_batch_has_1_to_100_items(post, table, items, status):
    assert post({"items": items}, name="api_post_batch")[0] == status
    assert table.item_count == 0


def test_a_batch_of_100_is_taken_in_with_one_call(post, table, runtime, queue_url):
    items = [{"id": f"n-{number}", "channel": "web", "text": f"Lovely {number}"} for number in range(100)]
    status, _, body = post({"items": items}, name="api_post_batch")
    assert (status, {result["status"] for result in body["results"]}) == (200, {200})
    assert [result["id"] for result in body["results"]] == [item["id"] for item in items]
    assert (table.item_count, runtime.calls, messages(queue_url)) == (100, 1, 100)


HOSTILE = [
    (None, {}, 400),
    ("{", {}, 400),
    ("null", {}, 400),
    ("[" * 100_000, {}, 400),
    ('{"a":' * 5_000 + "1" + "}" * 5_000, {}, 400),
    ('{"channel":"web","text":"x","rating":' + "9" * 5_000 + "}", {}, 400),
    ('{"channel":"web","text":"x","rating":NaN}', {}, 400),
    ('{"channel":"web","text":"x","rating":1e999}', {}, 400),
    ('{"channel":"web","text":"good","text":"bad"}', {}, 400),
    (base64.b64encode(b"\xff\xfe\x00").decode(), {"isBase64Encoded": True}, 400),
    ("%%%", {"isBase64Encoded": True}, 400),
    ('{"channel":"web","text":"half \\ud800"}', {}, 422),
    ('{"channel":"web","text":"half \ud800"}', {}, 422),
    ('{"channel":"web","text":"nul \\u0000"}', {}, 422),
    ('{"channel":"web","text":"x","\\ud800":1}', {}, 400),
    ('{"channel":"web","text":"\\u200b\\u202e \\n"}', {}, 422),
    ('{"channel":"web","text":"<p> </p>"}', {}, 422),
    ('{"channel":"web","text":"x","__class__":{}}', {}, 400),
    ('{"channel":"web","text":"x","rating":true}', {}, 400),
    (json.dumps({"channel": "web", "text": "x" * 10_001}), {}, 413),
    (" " * 300_000, {}, 413),
    ("x=1", {"headers": {"Content-Type": "application/x-www-form-urlencoded"}}, 415),
    ("--", {"headers": {"content-type": "multipart/form-data"}}, 415),
    ("\x93NUMPY", {"headers": {"Content-Type": "application/x-npy"}}, 415),
    ("{}", {"headers": {"Content-Encoding": "gzip"}}, 415),
]


@pytest.mark.parametrize("name", ["api_post_feedback", "api_post_batch"])
def test_bad_input_gets_a_problem_and_nothing_is_stored(post, table, queue_url, runtime, capsys, name):
    for body, changes, expected in HOSTILE:
        status, headers, problem = post(name=name, **{"body": body, **changes})
        case = (str(body)[:60], status)
        assert (status == expected) if name == "api_post_feedback" else (400 <= status < 500), case
        assert headers["Content-Type"] == "application/problem+json", case
        assert problem["status"] == status, case
        assert set(problem) >= PROBLEM_MEMBERS, case
        assert "Traceback" not in json.dumps(problem), case
    assert (table.item_count, messages(queue_url), runtime.calls) == (0, 0, 0)
    assert '"ERROR"' not in capsys.readouterr().out


@pytest.mark.parametrize(("method", "resource"), [("DELETE", "/v1/feedback"), ("POST", "/"), (None, None)])
def test_other_addresses_are_not_found(post, method, resource):
    assert post(httpMethod=method, resource=resource)[0] == 404


def test_strange_but_readable_text_is_accepted_as_it_is(post, table):
    slack = "@channel <!here> <script>x</script> boo"
    for text in (slack, "=1+1", "a\r\nERROR forged \x1b[31m", "x", "😀", "x" * 10_000, "Ça ne va pas"):
        status, _, body = post({"channel": "web", "text": text})
        assert status == 200
        assert table.get_item(Key={"feedback_id": body["id"]})["Item"]["event"]["text"] == text


def test_no_feedback_text_is_in_the_log(post, runtime, capsys):
    secret = "zebra-4711"
    post({"id": "a", "channel": "web", "text": secret})
    post({"id": "a", "channel": "web", "text": secret + "!"})
    post({"channel": "web", "text": secret * 5_000})
    runtime.is_down = True
    post({"channel": "app", "text": secret})
    logged = capsys.readouterr().out
    assert "Accepted" in logged
    assert secret not in logged


def test_a_ledger_that_is_away_means_503_and_when_to_try_again(post, queue_url, load_event):
    boto3.client("dynamodb").delete_table(TableName="ledger")
    status, headers, problem = post()
    assert (status, headers["Retry-After"], problem["type"]) == (503, "5", "urn:earshot:problem:unavailable")
    assert post(name="api_post_batch")[0] == 200  # two of its items are refused for good, which the sender must see
    assert post({"items": [{"channel": "web", "text": "x"}]}, name="api_post_batch")[0] == 503
    assert handle(load_event("api_get_feedback"), FakeContext())["statusCode"] == 503
    assert messages(queue_url) == 0


def test_a_fault_of_ours_is_a_problem_whose_details_are_in_the_log_only(post, monkeypatch, capsys):
    monkeypatch.delenv("QUEUE_URL")
    status, _, problem = post()
    assert status == 500
    assert "QUEUE_URL" not in json.dumps(problem)
    assert "QUEUE_URL is missing" in capsys.readouterr().out


EMAIL = "Write to jane.doe@example.com: the zip broke."


def test_personal_data_is_in_the_originals_and_nowhere_else(post, table, queue_url):
    status, _, body = post(
        {"id": "order-1", "channel": "web", "text": EMAIL, "metadata": {"from": "jane.doe@example.com"}}
    )
    assert status == 200
    item = json.dumps(table.get_item(Key={"feedback_id": "order-1"})["Item"], default=str)
    assert "jane.doe" not in item
    assert "the zip broke" in item
    original = boto3.resource("dynamodb").Table("originals").get_item(Key={"feedback_id": "order-1"})["Item"]
    assert (original["text"], original["metadata"]) == (EMAIL, {"from": "jane.doe@example.com"})
    assert sum(original["redacted"].values()) == 2
    assert original["expires_at"] > 1_700_000_000
    assert "jane.doe" not in json.dumps(body)


def test_the_same_redacted_feedback_again_is_answered_alike_and_another_one_is_refused(post, queue_url, runtime):
    document = {"id": "order-1", "channel": "web", "text": EMAIL}
    assert post(document) == post(document)
    assert (messages(queue_url), runtime.calls) == (1, 1)
    assert post(document | {"text": EMAIL.replace("jane", "john")})[0] == 422, "the digest is of what came"


def test_what_needs_no_redaction_leaves_no_original(post):
    post()
    assert boto3.resource("dynamodb").Table("originals").scan()["Count"] == 0


def test_the_key_in_the_header_is_the_id(post, table):
    headers = {"Content-Type": "application/json", "idempotency-key": '"order-7"'}
    document = {"channel": "web", "text": "Too tight"}
    first = post(document, headers=headers)
    assert (first[0], first[2]["id"]) == (200, "order-7")
    assert post(document, headers=headers) == first
    assert post(document | {"id": "order-7"})[2] == first[2], "header or body, the key is the key"
    assert post(document | {"text": "Too wide"}, headers=headers)[0] == 422
    assert post(document | {"id": "order-8"}, headers=headers)[0] == 400
    assert table.item_count == 1


@pytest.mark.parametrize("key", ["order-7", '"', '""', '"a b"', "'a'", '"' + "x" * 129 + '"', '"\u00e4"'])
def test_a_header_that_is_no_string_or_no_id_is_malformed(post, table, key):
    headers = {"Idempotency-Key": key}
    assert post({"channel": "web", "text": "Too tight"}, headers=headers)[0] == 400
    assert table.item_count == 0


def test_a_feedback_in_flight_elsewhere_is_409_and_soon_over(post, table, load_event, runtime):
    post()
    table.update_item(
        Key={"feedback_id": "order-1001"},
        UpdateExpression="SET #state = :received, in_flight_until = :later REMOVE label, decided_at",
        ExpressionAttributeNames={"#state": "state"},
        ExpressionAttributeValues={":received": "RECEIVED", ":later": "2999-01-01T00:00:00.000Z"},
    )
    status, headers, problem = post()
    assert (status, headers["Retry-After"], problem["type"]) == (409, "1", "urn:earshot:problem:in-flight")
    assert post(headers={"Prefer": "respond-async"})[0] == 202, "who does not wait for the model is not in its way"
    table.update_item(
        Key={"feedback_id": "order-1001"},
        UpdateExpression="SET in_flight_until = :past",
        ExpressionAttributeValues={":past": "2020-01-01T00:00:00.000Z"},
    )
    assert post()[0] == 200


def test_the_same_feedback_after_a_202_is_a_202_again_at_once(post, runtime, table):
    runtime.is_down = True
    assert post() == post()
    assert "in_flight_until" not in table.get_item(Key={"feedback_id": "order-1001"})["Item"]


@pytest.mark.parametrize("prefer", ["respond-async", "wait=10, Respond-Async", "respond-async; x=1"])
def test_who_prefers_not_to_wait_gets_202_without_the_model(post, runtime, queue_url, prefer):
    status, headers, body = post(headers={"prefer": prefer})
    assert (status, headers["Preference-Applied"], body["state"]) == (202, "respond-async", "RECEIVED")
    assert (runtime.calls, messages(queue_url)) == (0, 1)


def test_a_batch_that_is_not_waited_for_asks_no_model(post, runtime):
    status, headers, body = post(name="api_post_batch", headers={"Prefer": "respond-async"})
    assert (status, headers["Preference-Applied"], runtime.calls) == (200, "respond-async", 0)
    assert {result["status"] for result in body["results"]} == {202, 400, 422}


def test_a_language_that_the_model_does_not_know_is_said_so(post, runtime):
    text = "Le produit est arrivé cassé et je ne suis pas du tout content de la livraison, c'est une honte."
    status, _, body = post({"channel": "web", "text": text})
    assert (status, body["state"], body["label"], body["sentiment"]) == (200, "UNSURE", "unsure", None)
    assert (body["unsure_because"], runtime.calls) == ("language", 0)


def test_a_model_that_is_away_is_left_alone_after_eight_tries(post, runtime, table):
    runtime.is_down = True
    statuses = {post({"channel": "web", "text": f"Text {number}"})[0] for number in range(30)}
    assert (statuses, runtime.calls) == ({202}, 8)
    waiting = [item for item in table.scan()["Items"] if "in_flight_until" in item]
    assert waiting == []


@pytest.fixture
def correct(post):
    def send(document, id_="order-1001"):
        status, _, body = post(
            document,
            resource="/v1/feedback/{id}/correction",
            pathParameters={"id": id_},
        )
        return status, body

    return send


def test_a_person_wins_over_the_model(post, correct, table, load_event):
    post()
    status, body = correct({"label": "neutral", "by": "ann", "note": "irony"})
    assert (status, body["state"], body["label"], body["sentiment"]) == (200, "CORRECTED", "neutral", 0)
    assert (body["correction"]["by"], body["confidence"]) == ("ann", 0.94)
    assert correct({"label": "neutral", "by": "ann", "note": "irony"}) == (status, body), "once is enough"
    assert correct({"label": "positive", "by": "bob"})[1]["label"] == "positive"
    item = table.get_item(Key={"feedback_id": "order-1001"})["Item"]
    assert (item["state"], item["label"], item["correction"]["label"]) == ("CORRECTED", "negative", "positive")
    assert post()[2]["label"] == "positive"


def test_a_correction_that_cannot_be_is_a_problem(post, correct, runtime):
    assert correct({"label": "neutral", "by": "ann"}, id_="nobody")[0] == 404
    assert correct({"label": "neutral", "by": "ann"}, id_="a/../b")[0] == 404
    runtime.is_down = True
    post()
    assert correct({"label": "neutral", "by": "ann"})[0] == 409
    for document, status in (
        ({}, 400),
        ({"label": "awful", "by": "ann"}, 400),
        ({"label": "neutral", "by": ""}, 422),
        ({"label": "neutral", "by": "ann", "note": "x" * 1001}, 422),
        ({"label": "neutral", "by": "ann", "more": 1}, 400),
    ):
        assert correct(document)[0] == status


def test_an_alert_is_acted_on_and_what_cannot_be_is_a_problem(post, table):
    post()
    table.update_item(
        Key={"feedback_id": "order-1001"},
        UpdateExpression="SET alert = :alert",
        ExpressionAttributeValues={
            ":alert": {
                "state": "SENT",
                "severity": "high",
                "team": "care",
                "rule": "r",
                "at": "2026-03-01T10:00:00.000Z",
            }
        },
    )

    def act(document, id_="order-1001"):
        return post(document, resource="/v1/alerts/{id}", pathParameters={"id": id_})

    status, _, alert = act({"action": "acknowledge", "by": "ann"})
    assert (status, alert["id"], alert["state"]) == (200, "order-1001", "ACKNOWLEDGED")
    assert act({"action": "acknowledge", "by": "ann"}, id_="nobody")[0] == 404
    assert act({"action": "acknowledge", "by": "ann"}, id_="")[0] == 404
    assert act({"action": "explode", "by": "ann"})[0] == 422
    assert act([])[0] == 400


def test_the_api_describes_itself(post):
    status, _, document = post(httpMethod="GET", resource="/v1/openapi.json")
    assert (status, document["openapi"]) == (200, "3.1.0")
    assert "/v1/alerts/{id}" in document["paths"]
