"""Batch transform jobs: how objects become requests, how answers become objects, and every way in which they end."""

import contextlib
import gzip
from collections.abc import Iterator
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from local.sagemaker.hosting.chain import Chain, ChainBrokenError, ChainError
from local.sagemaker.hosting.connection import Reply
from local.sagemaker.hosting.fleet import HostingError
from local.sagemaker.jobs.transform import MEBIBYTE, Cutting, TransformError
from tests.unit.local_sagemaker.job_kit import ended


class Shouting:
    """Stands for a model's containers: answers each line in capitals, after the failures it is told of."""

    def __init__(self) -> None:
        self.requests: list[tuple[bytes, str, str]] = []
        self.failures: list[Exception] = []
        self.is_up = False

    @contextlib.contextmanager
    def serving(self, what: str, model_name: str, *, log_group: str) -> Iterator[Chain]:
        assert (what, model_name, log_group) == ("job", "model", "/aws/sagemaker/TransformJobs")
        self.is_up = True
        yield cast(Chain, self)
        self.is_up = False

    def invoke(self, body: bytes, *, content_type: str, accept: str, timeout_seconds: float) -> Reply:
        assert self.is_up
        assert timeout_seconds == 600
        self.requests.append((body, content_type, accept))
        if self.failures:
            raise self.failures.pop(0)
        return Reply(status=200, headers={}, body=body.upper())


@pytest.fixture
def model(local_aws: Any, monkeypatch: pytest.MonkeyPatch) -> Shouting:
    shouting = Shouting()
    monkeypatch.setattr(local_aws.service._transforms, "_serve", shouting.serving)
    monkeypatch.setattr("local.sagemaker.jobs.transform.RETRY_SECONDS", 0.01)
    local_aws.client.create_model(
        ModelName="model",
        ExecutionRoleArn="arn:aws:iam::000000000000:role/model",
        PrimaryContainer={"Image": "image", "ModelDataUrl": "s3://b/model.tar.gz"},
    )
    return shouting


def transform(
    local_aws: Any, *, given: dict[str, Any] | None = None, wanted: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """Run a job over s3://b/in/ to its end."""
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/in/"}}
    local_aws.client.create_transform_job(
        TransformJobName="job",
        ModelName="model",
        TransformInput={"DataSource": source, "ContentType": "application/jsonlines", "SplitType": "Line"}
        | (given or {}),
        TransformOutput={"S3OutputPath": "s3://b/out", "Accept": "application/jsonlines"} | (wanted or {}),
        TransformResources={"InstanceType": "ml.c6i.large", "InstanceCount": 1},
        **more,
    )
    return cast(dict[str, Any], ended(local_aws, "Transform"))


def test_every_object_gets_an_out_object_with_its_answers_in_order(local_aws: Any, model: Shouting) -> None:
    local_aws.put("s3://b/in/a.jsonl", b"one\ntwo\n")
    local_aws.put("s3://b/in/day/b.jsonl", b"three\n")

    job = transform(local_aws)

    assert job["TransformJobStatus"] == "Completed", job
    assert local_aws.get("s3://b/out/a.jsonl.out") == b"ONE\nTWO\n"
    assert local_aws.get("s3://b/out/day/b.jsonl.out") == b"THREE\n"
    assert {request[1:] for request in model.requests} == {("application/jsonlines", "application/jsonlines")}
    assert not model.is_up


def test_single_records_are_asked_one_by_one_and_keep_their_order(local_aws: Any, model: Shouting) -> None:
    lines = [f"line {number}" for number in range(50)]
    local_aws.put("s3://b/in/a.jsonl", "\n".join(lines).encode())

    transform(local_aws, wanted={"AssembleWith": "Line"}, BatchStrategy="SingleRecord", MaxConcurrentTransforms=8)

    assert len(model.requests) == 50
    assert local_aws.get("s3://b/out/a.jsonl.out").decode().splitlines() == [line.upper() for line in lines]


def test_gzip_is_opened_first(local_aws: Any, model: Shouting) -> None:
    local_aws.put("s3://b/in/a.gz", gzip.compress(b"one"))

    transform(local_aws, given={"CompressionType": "Gzip", "SplitType": "None"})

    assert local_aws.get("s3://b/out/a.gz.out") == b"ONE"


def test_a_container_that_broke_is_asked_again(local_aws: Any, model: Shouting) -> None:
    local_aws.put("s3://b/in/a.jsonl", b"one\n")
    model.failures = [ChainBrokenError("classify", "gone", was_sent=True), ChainError("classify", 500, "busy")]

    assert transform(local_aws)["TransformJobStatus"] == "Completed"
    assert local_aws.get("s3://b/out/a.jsonl.out") == b"ONE\n"


def test_a_refused_record_fails_the_job_with_the_containers_words(local_aws: Any, model: Shouting) -> None:
    local_aws.put("s3://b/in/a.jsonl", b"one\n")
    model.failures = [ChainError("transform", 415, "Send JSON lines.")]

    job = transform(local_aws)

    assert job["TransformJobStatus"] == "Failed"
    assert job["FailureReason"] == "AlgorithmError: transform answered 415: Send JSON lines."
    assert local_aws.keys("s3://b/out") == []


@pytest.mark.parametrize(
    ("objects", "given", "reason"),
    [
        ({}, {}, "ClientError: there is no object under s3://b/in/"),
        ({"a.gz": b"not gzip"}, {"CompressionType": "Gzip"}, "ClientError: in/a.gz is not gzip"),
        ({"a": b"x" * (MEBIBYTE + 1)}, {"SplitType": "None"}, "above the payload limit of 1048576 bytes"),
    ],
)
def test_an_input_that_cannot_be_used_fails_the_job(
    local_aws: Any, model: Shouting, objects: dict[str, bytes], given: dict[str, str], reason: str
) -> None:
    for name, content in objects.items():
        local_aws.put(f"s3://b/in/{name}", content)

    job = transform(local_aws, given=given, MaxPayloadInMB=1)

    assert job["TransformJobStatus"] == "Failed"
    assert reason in job["FailureReason"]


def test_a_model_that_does_not_come_up_fails_the_job(
    local_aws: Any, model: Shouting, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> contextlib.AbstractContextManager[Chain]:
        raise HostingError("no ping")

    monkeypatch.setattr(local_aws.service._transforms, "_serve", refuse)
    local_aws.put("s3://b/in/a.jsonl", b"one\n")

    assert transform(local_aws)["FailureReason"] == "InternalServerError: no ping"


@pytest.mark.parametrize(
    "change",
    [
        {"ModelName": "other"},
        {"DataProcessing": {"JoinSource": "Input"}},
        {"TransformResources": {"InstanceType": "ml.c6i.large", "InstanceCount": 2}},
    ],
)
def test_what_is_not_here_is_refused_at_once(local_aws: Any, model: Shouting, change: dict[str, Any]) -> None:
    with pytest.raises(ClientError):
        local_aws.client.create_transform_job(
            **{
                "TransformJobName": "job",
                "ModelName": "model",
                "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/in/"}}},
                "TransformOutput": {"S3OutputPath": "s3://b/out"},
                "TransformResources": {"InstanceType": "ml.c6i.large", "InstanceCount": 1},
                **change,
            }
        )


def test_lines_are_batched_up_to_the_limit_and_none_is_cut() -> None:
    cutting = Cutting(by_line=True, one_record_each=False, maximum_bytes=10)

    assert list(cutting.requests(b"123\n456\n789\n0\n12345678\n")) == [b"123\n456\n", b"789\n0\n", b"12345678\n"]
    with pytest.raises(TransformError):
        list(cutting.requests(b"12345678901\n"))
