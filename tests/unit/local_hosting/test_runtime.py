"""The runtime as a real SDK client sees it, and what data capture writes."""

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.unit.local_hosting.hosting_kit import HostingKit, RuntimeServer, archive, echo

REFUSING = """
class Refused(Exception):
    status_code = 415
    message = "only JSON Lines are read here"

def model_fn(model_dir): ...
def transform_fn(model, data, content_type, accept):
    raise Refused
"""


@pytest.fixture
def runtime(kit: HostingKit) -> Iterator[Any]:
    """A boto3 sagemaker-runtime client over the hosting."""
    server = RuntimeServer(kit.hosting)
    client = boto3.client(
        "sagemaker-runtime",
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )
    yield client
    client.close()
    server.close()


def test_an_sdk_client_gets_the_answer_and_the_variant(kit: HostingKit, runtime: Any) -> None:
    kit.model("one", echo("a"))
    kit.endpoint("shop", kit.config("one"))
    answer = runtime.invoke_endpoint(EndpointName="shop", Body=b"hi", ContentType="text/plain", Accept="text/csv")
    assert answer["Body"].read() == b"hi|a<text/plain>[text/csv]"
    assert answer["ContentType"] == "application/x-a"
    assert answer["InvokedProductionVariant"] == "main"


def test_an_sdk_client_gets_a_model_error_with_all_its_members(kit: HostingKit, runtime: Any) -> None:
    kit.model("two", echo("a"), archive(REFUSING))
    kit.endpoint("shop", kit.config("two"))
    with pytest.raises(runtime.exceptions.ModelError) as error:
        runtime.invoke_endpoint(EndpointName="shop", Body=b"hi", ContentType="text/plain")
    answer = error.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert answer["OriginalStatusCode"] == 415
    assert answer["OriginalMessage"] == '{"message": "only JSON Lines are read here"}'
    assert re.fullmatch(
        r"arn:aws:logs:us-east-1:000000000000:log-group:/aws/sagemaker/Endpoints/shop:log-stream:main/i-\w+/container-2",
        answer["LogStreamArn"],
    )
    assert "Received client error (415) from container-2" in answer["Error"]["Message"]


def test_an_sdk_client_gets_validation_errors(kit: HostingKit, runtime: Any) -> None:
    with pytest.raises(ClientError) as unknown:
        runtime.invoke_endpoint(EndpointName="shop", Body=b"hi")
    assert unknown.value.response["Error"] == {
        "Code": "ValidationError",
        "Message": "Endpoint shop of account 000000000000 not found.",
    }
    kit.model("one", echo("a"))
    kit.endpoint("shop", kit.config("one"))
    with pytest.raises(ClientError, match="exceeds the limit") as too_large:
        runtime.invoke_endpoint(EndpointName="shop", Body=b"x" * (6 * 1024 * 1024 + 1))
    assert too_large.value.response["Error"]["Code"] == "ValidationError"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostingKit]:
    """An endpoint for requests that are refused."""
    made = HostingKit(tmp_path_factory.mktemp("shop"))
    made.model("one", echo("a"))
    made.endpoint("shop", made.config("one"))
    yield made
    made.hosting.close()
    made.store.close()


def capture_config(**changes: Any) -> dict[str, Any]:
    return {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": "s3://lake/capture/",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {"JsonContentTypes": ["application/json"], "CsvContentTypes": ["text/csv"]},
        **changes,
    }


def captured(kit: HostingKit) -> dict[str, list[dict[str, Any]]]:
    """What was written, after the hosting is closed."""
    kit.hosting.close()
    return {
        address: [json.loads(line) for line in content.decode().splitlines()]
        for address, content in kit.s3.objects.items()
        if address.startswith("s3://lake/")
    }


def test_capture_writes_awss_layout_and_records(kit: HostingKit) -> None:
    kit.model("one", echo("a"))
    described = kit.endpoint("shop", kit.config("one", DataCaptureConfig=capture_config()))
    assert described["DataCaptureConfig"]["CaptureStatus"] == "Started"
    kit.hosting.invoke("shop", {"Content-Type": "text/csv; charset=utf-8"}, b"1,2")
    kit.hosting.invoke("shop", {"Content-Type": "application/json", "X-Amzn-SageMaker-Inference-Id": "id-7"}, b"{}")
    written = captured(kit)
    records = [record for group in written.values() for record in group]
    for address in written:
        assert re.fullmatch(
            r"s3://lake/capture/shop/main/\d{4}/\d\d/\d\d/\d\d/\d\d-\d\d-\d{3}-[0-9a-f-]{36}\.jsonl", address
        )
    first, second = records
    assert first["captureData"]["endpointInput"] == {
        "observedContentType": "text/csv; charset=utf-8",
        "mode": "INPUT",
        "data": "1,2",
        "encoding": "CSV",
    }
    output = first["captureData"]["endpointOutput"]
    assert (output["mode"], output["encoding"], output["observedContentType"]) == (
        "OUTPUT",
        "BASE64",
        "application/x-a",
    )
    assert base64.b64decode(output["data"]).startswith(b"1,2|a")
    assert first["eventVersion"] == "0"
    assert set(first["eventMetadata"]) == {"eventId", "inferenceTime"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", first["eventMetadata"]["inferenceTime"])
    assert second["captureData"]["endpointInput"]["encoding"] == "JSON"
    assert second["eventMetadata"]["inferenceId"] == "id-7"


@pytest.mark.parametrize(
    ("changes", "sides"),
    [
        ({"InitialSamplingPercentage": 0}, []),
        ({"EnableCapture": False}, []),
        ({"CaptureOptions": [{"CaptureMode": "Output"}]}, ["endpointOutput"]),
        ({"CaptureOptions": [{"CaptureMode": "InputAndOutput"}]}, ["endpointInput", "endpointOutput"]),
    ],
)
def test_capture_takes_only_what_is_asked_for(kit: HostingKit, changes: dict[str, Any], sides: list[str]) -> None:
    kit.model("one", echo("a"))
    kit.endpoint("shop", kit.config("one", DataCaptureConfig=capture_config(**changes)))
    assert kit.hosting.invoke("shop", {}, b"hi")[0] == 200
    found = [side for group in captured(kit).values() for record in group for side in record["captureData"]]
    assert found == sides


@pytest.mark.parametrize(
    ("header", "value", "told"),
    [
        ("Target-Model", "other", "multi-model"),
        ("Session-Id", "NEW_SESSION", "Stateful sessions"),
        ("Enable-Explanations", "`true`", "explainer"),
        ("Inference-Component", "part", "inference components"),
        ("Target-Container-Hostname", "container-1", "Direct mode"),
        ("Target-Variant", "other", "Variant other of endpoint shop not found"),
        ("Custom-Attributes", "x" * 1025, "1024 visible US-ASCII"),
        ("Inference-Id", "x" * 65, "1 to 64 printable"),
    ],
)
def test_what_this_kind_of_endpoint_does_not_take_is_refused(
    shop: HostingKit, header: str, value: str, told: str
) -> None:
    status, headers, body = shop.hosting.invoke("shop", {f"X-Amzn-SageMaker-{header}": value}, b"hi")
    assert (status, headers["x-amzn-errortype"]) == (400, "ValidationError")
    assert told in json.loads(body)["Message"]


def test_an_endpoint_whose_variants_have_no_weight_answers_only_who_names_one(kit: HostingKit) -> None:
    kit.model("one", echo("a"))
    kit.endpoint("shop", kit.config("none", {"VariantName": "main", "ModelName": "one", "InitialVariantWeight": 0.0}))
    status, _, body = kit.hosting.invoke("shop", {}, b"hi")
    assert (status, json.loads(body)["Message"]) == (400, "No variant of endpoint shop has a weight.")
    assert kit.hosting.invoke("shop", {"X-Amzn-SageMaker-Target-Variant": "main"}, b"hi")[0] == 200
