"""What the local SageMaker refuses, and in which words."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.sagemaker import shapes
from local.sagemaker.errors import AwsError

ROLE = "arn:aws:iam::000000000000:role/earshot-local"
IMAGE = "000000000000.dkr.ecr.us-east-1.amazonaws.com/inference:1"


def _refusal(call: Any, **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**request)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_missing_member_is_named_as_aws_names_it(local_aws: Any) -> None:
    code, message = _refusal(local_aws.client.create_training_job, TrainingJobName="job")
    assert code == "ValidationException"
    assert message.startswith("2 validation errors detected: ")
    assert "Value null at 'roleArn' failed to satisfy constraint: Member must not be null" in message


def test_a_name_that_breaks_the_pattern_is_refused(local_aws: Any) -> None:
    _, message = _refusal(
        local_aws.client.create_model, ModelName="my_model", ExecutionRoleArn=ROLE, PrimaryContainer={"Image": IMAGE}
    )
    assert message.startswith(
        "1 validation error detected: Value 'my_model' at 'modelName' failed to satisfy constraint: "
        "Member must satisfy regular expression pattern: "
    )


def test_nested_members_lengths_ranges_and_enums_are_checked(local_aws: Any) -> None:
    variant = {"VariantName": "v", "ModelName": "m", "InstanceType": "ml.none", "InitialInstanceCount": 0}
    _, message = _refusal(
        local_aws.client.create_endpoint_config, EndpointConfigName="n" * 64, ProductionVariants=[variant]
    )
    assert (
        "at 'endpointConfigName' failed to satisfy constraint: Member must have length less than or equal to 63"
        in message
    )
    assert "Value '0' at 'productionVariants.1.member.initialInstanceCount'" in message
    assert (
        "'ml.none' at 'productionVariants.1.member.instanceType' failed to satisfy constraint: Member must satisfy enum"
        in message
    )


def test_a_wrong_type_cannot_be_converted(local_aws: Any) -> None:
    with pytest.raises(AwsError) as caught:
        local_aws.service.call("CreateModel", {"ModelName": 7})
    assert caught.value.code == "SerializationException"


def test_a_member_that_the_api_lacks_is_refused_and_not_dropped(local_aws: Any) -> None:
    with pytest.raises(AwsError, match="'modelNmae' is not a member"):
        local_aws.service.call("CreateModel", {"ModelName": "m", "ModelNmae": "m"})


def test_an_operation_that_is_not_here_says_so(local_aws: Any) -> None:
    code, message = _refusal(local_aws.client.list_clusters)
    assert (code, message) == (
        "UnknownOperationException",
        "The local SageMaker does not implement ListClusters.",
    )


ARN = "arn:aws:sagemaker:us-east-1:000000000000"


@pytest.mark.parametrize(
    ("call", "member", "code", "message"),
    [
        ("describe_training_job", "TrainingJobName", "ValidationException", "Requested resource not found."),
        (
            "describe_processing_job",
            "ProcessingJobName",
            "ValidationException",
            "Could not find requested job with name: x",
        ),
        ("describe_model", "ModelName", "ValidationException", f'Could not find model "{ARN}:model/x".'),
        (
            "delete_endpoint_config",
            "EndpointConfigName",
            "ValidationException",
            f'Could not find endpoint configuration "{ARN}:endpoint-config/x".',
        ),
        ("describe_pipeline", "PipelineName", "ResourceNotFound", f"Pipeline '{ARN}:pipeline/x' does not exist."),
        (
            "describe_model_package_group",
            "ModelPackageGroupName",
            "ValidationException",
            f"ModelPackageGroup {ARN}:model-package-group/x does not exist.",
        ),
        (
            "describe_model_package",
            "ModelPackageName",
            "ValidationException",
            f"ModelPackage {ARN}:model-package/x does not exist.",
        ),
    ],
)
def test_what_is_not_there_is_refused_as_each_operation_does(
    local_aws: Any, call: str, member: str, code: str, message: str
) -> None:
    assert _refusal(getattr(local_aws.client, call), **{member: "x"}) == (code, message)


def test_broken_json_is_a_serialization_error(local_aws: Any) -> None:
    status, headers, body = local_aws.service.handle("POST", "/", {"x-amz-target": "SageMaker.ListModels"}, b"{")
    assert (status, json.loads(body)["__type"]) == (400, "SerializationException")
    assert headers["content-type"] == "application/x-amz-json-1.1"


def test_a_runtime_path_that_is_not_here_says_so(local_aws: Any) -> None:
    status, headers, _ = local_aws.service.handle("POST", "/endpoints/e/elsewhere", {}, b"")
    assert (status, headers["x-amzn-errortype"]) == (404, "UnknownOperationException")


def test_every_pattern_of_the_api_can_be_read() -> None:
    seen: set[str] = set()

    def walk(shape: Any) -> None:
        if shape.name in seen:
            return
        seen.add(shape.name)
        if pattern := shape.metadata.get("pattern"):
            shapes._compiled(pattern)
        inner = {
            "structure": lambda: shape.members.values(),
            "list": lambda: [shape.member],
            "map": lambda: [shape.key, shape.value],
        }
        for part in inner.get(shape.type_name, tuple)():
            walk(part)

    for operation in shapes._service().operation_names:
        if shape := shapes._service().operation_model(operation).input_shape:
            walk(shape)
    assert len(seen) > 1000


def test_text_is_coerced_to_the_types_of_the_api() -> None:
    coerced = shapes.coerce(
        "CreateEndpointConfig",
        {
            "EndpointConfigName": 7,
            "EnableNetworkIsolation": "true",
            "KmsKeyId": None,
            "ProductionVariants": [{"VariantName": "v", "InitialInstanceCount": "2", "InitialVariantWeight": "0.5"}],
            "DataCaptureConfig": {"EnableCapture": "False", "InitialSamplingPercentage": "many"},
        },
    )
    assert coerced == {
        "EndpointConfigName": "7",
        "EnableNetworkIsolation": True,
        "ProductionVariants": [{"VariantName": "v", "InitialInstanceCount": 2, "InitialVariantWeight": 0.5}],
        "DataCaptureConfig": {"EnableCapture": False, "InitialSamplingPercentage": "many"},
    }


def test_tokens_that_an_sdk_fills_in_are_filled_in() -> None:
    assert len(shapes.coerce("CreatePipeline", {"PipelineName": "p", "RoleArn": ROLE})["ClientRequestToken"]) >= 32
