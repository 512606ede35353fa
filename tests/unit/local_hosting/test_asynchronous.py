"""Asynchronous endpoints: what is accepted is answered in S3, once, also over a restart; what fails says so there."""

import json
from pathlib import Path
from typing import Any

import pytest

from local.sagemaker.hosting import asynchronous
from local.sagemaker.hosting.asynchronous import Asynchronous
from local.sagemaker.hosting.runtime import Answer, service_unavailable
from local.sagemaker.store import Store
from tests.unit.local_hosting.hosting_kit import HostingKit, ObjectsInMemory, echo, wait_for

OUTPUT = {
    "OutputConfig": {
        "S3OutputPath": "s3://b/out/",
        "S3FailurePath": "s3://b/failed",
        "NotificationConfig": {"SuccessTopic": "arn:good", "ErrorTopic": "arn:bad"},
    }
}
HEADERS = {"x-amzn-sagemaker-inputlocation": "s3://b/in/1.jsonl", "x-amzn-sagemaker-content-type": "text/plain"}


class Topics:
    """SNS as far as publishing goes."""

    def __init__(self) -> None:
        self.published: list[tuple[str, dict[str, Any]]] = []

    def publish(self, *, TopicArn: str, Message: str) -> None:  # noqa: N803
        self.published.append((TopicArn, json.loads(Message)))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store.sqlite")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asynchronous, "RETRY_SECONDS", 0.05)


def capitals(endpoint: str, headers: dict[str, str], body: bytes) -> Answer:
    assert (endpoint, headers) == ("shop", {"content-type": "text/plain"})
    return 200, {"content-type": "text/plain"}, body.upper()


def test_an_accepted_request_is_answered_in_s3_and_told(store: Store) -> None:
    s3, topics = ObjectsInMemory(), Topics()
    s3.objects["s3://b/in/1.jsonl"] = b"hello"
    service = Asynchronous(store, capitals, s3=s3, sns=lambda: topics)

    status, places, body = service.accept("shop", OUTPUT, {**HEADERS, "x-amzn-sagemaker-inference-id": "mine"})

    assert (status, json.loads(body)) == (202, {"InferenceId": "mine"})
    wait_for(lambda: bool(topics.published))
    assert s3.objects[places["x-amzn-sagemaker-outputlocation"]] == b"HELLO"
    ((topic, message),) = topics.published
    assert topic == "arn:good"
    assert (message["invocationStatus"], message["inferenceId"]) == ("Completed", "mine")
    wait_for(lambda: store.list(asynchronous.KIND) == [])
    service.close()


def test_what_was_accepted_outlives_the_process(store: Store) -> None:
    s3, topics = ObjectsInMemory(), Topics()
    s3.objects["s3://b/in/1.jsonl"] = b"hello"
    before = Asynchronous(store, lambda *_: service_unavailable("not yet"), s3=s3, sns=lambda: topics)
    _, places, _ = before.accept("shop", OUTPUT, HEADERS)
    before.close()
    assert places["x-amzn-sagemaker-outputlocation"] not in s3.objects

    after = Asynchronous(store, capitals, s3=s3, sns=lambda: topics)
    after.start()

    wait_for(lambda: s3.objects.get(places["x-amzn-sagemaker-outputlocation"]) == b"HELLO")
    after.close()


@pytest.mark.parametrize(
    ("content", "headers", "reason"),
    [
        (None, {}, "cannot read s3://b/in/1.jsonl"),
        (b"hello", {"x-amzn-sagemaker-requestttlseconds": "-1"}, "time to live"),
        (b"refuse", {}, "transform said no"),
    ],
)
def test_a_failure_is_written_where_failures_go(
    store: Store, content: bytes | None, headers: dict[str, str], reason: str
) -> None:
    def refuse(*_: object) -> Answer:
        return 424, {}, json.dumps({"Message": "model error", "OriginalMessage": "transform said no"}).encode()

    s3, topics = ObjectsInMemory(), Topics()
    if content is not None:
        s3.objects["s3://b/in/1.jsonl"] = content
    service = Asynchronous(store, refuse, s3=s3, sns=lambda: topics)

    _, places, _ = service.accept("shop", OUTPUT, {**HEADERS, **headers})

    wait_for(lambda: bool(topics.published))
    assert reason in s3.objects[places["x-amzn-sagemaker-failurelocation"]].decode()
    assert places["x-amzn-sagemaker-failurelocation"].startswith("s3://b/failed/")
    assert topics.published[0][0] == "arn:bad"
    service.close()


def test_an_endpoint_is_asked_in_its_own_way_only(kit: HostingKit) -> None:
    kit.model("one", echo("a"))
    kit.endpoint("later", kit.config("one", AsyncInferenceConfig=OUTPUT))
    kit.endpoint("now", kit.config("two", {"VariantName": "main", "ModelName": "one"}))

    assert kit.hosting.invoke("later", {}, b"hi")[0] == 400
    assert kit.hosting.invoke_asynchronously("later", HEADERS)[0] == 202
    assert kit.hosting.invoke_asynchronously("later", {})[0] == 400
    assert kit.hosting.invoke_asynchronously("now", HEADERS)[0] == 400
    assert kit.hosting.invoke_asynchronously("nowhere", HEADERS)[0] == 400
