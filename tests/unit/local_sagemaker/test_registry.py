"""The model registry through a real client: versions, approval, metadata, and the events."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::000000000000:role/earshot-local"
IMAGE = "000000000000.dkr.ecr.us-east-1.amazonaws.com/inference:1"
SPECIFICATION = {
    "Containers": [{"Image": IMAGE, "ModelDataUrl": f"s3://b/{name}.tar.gz"} for name in ("transform", "classify")],
    "SupportedContentTypes": ["application/jsonlines"],
    "SupportedResponseMIMETypes": ["application/jsonlines"],
}


@pytest.fixture
def group(local_aws: Any) -> str:
    local_aws.client.create_model_package_group(ModelPackageGroupName="reviews")
    return "reviews"


def _register(local_aws: Any, group: str, **more: Any) -> str:
    arn: str = local_aws.client.create_model_package(
        ModelPackageGroupName=group, InferenceSpecification=SPECIFICATION, **more
    )["ModelPackageArn"]
    return arn


def test_packages_of_a_group_are_numbered_and_numbers_are_not_given_twice(local_aws: Any, group: str) -> None:
    first, second = _register(local_aws, group), _register(local_aws, group)
    assert (first, second) == tuple(
        f"arn:aws:sagemaker:us-east-1:000000000000:model-package/reviews/{version}" for version in (1, 2)
    )
    local_aws.client.delete_model_package(ModelPackageName=second)
    assert _register(local_aws, group).endswith("/reviews/3")


def test_a_package_keeps_its_metrics_and_metadata(local_aws: Any, group: str) -> None:
    metrics = {"ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": "s3://b/evaluation.json"}}}
    arn = _register(local_aws, group, ModelMetrics=metrics, CustomerMetadataProperties={"run": "1", "rows": "90"})
    local_aws.client.update_model_package(
        ModelPackageArn=arn, CustomerMetadataProperties={"run": "2"}, CustomerMetadataPropertiesToRemove=["rows"]
    )
    described = local_aws.client.describe_model_package(ModelPackageName=arn)
    assert described["ModelMetrics"] == metrics
    assert described["CustomerMetadataProperties"] == {"run": "2"}
    assert (described["ModelPackageStatus"], described["ModelPackageVersion"]) == ("Completed", 1)
    assert described["ModelApprovalStatus"] == "PendingManualApproval"


def test_a_package_keeps_its_model_card_until_it_is_reviewed(local_aws: Any, group: str) -> None:
    content = '{"model_overview":{"model_creator":"Earshot"},"evaluation_details":[{"name":"Frozen test rows"}]}'
    card = {"ModelCardContent": content, "ModelCardStatus": "PendingReview"}
    arn = _register(local_aws, group, ModelCard=card)
    assert local_aws.client.describe_model_package(ModelPackageName=arn)["ModelCard"] == card
    (listed,) = local_aws.client.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"]
    assert "ModelCard" not in listed
    reviewed = card | {"ModelCardStatus": "Approved"}
    local_aws.client.update_model_package(ModelPackageArn=arn, ModelCard=reviewed)
    assert local_aws.client.describe_model_package(ModelPackageName=arn)["ModelCard"] == reviewed


def test_an_approval_is_told_to_the_event_bus(local_aws: Any, group: str) -> None:
    arn = _register(local_aws, group)
    local_aws.client.update_model_package(
        ModelPackageArn=arn, ModelApprovalStatus="Approved", ApprovalDescription="good"
    )
    (source, kind, made), (_, _, approved) = local_aws.bus.events
    assert (source, kind) == ("aws.sagemaker", "SageMaker Model Package State Change")
    assert (made["ModelApprovalStatus"], made["UpdatedModelPackageFields"]) == ("PendingManualApproval", [])
    assert approved["ModelApprovalStatus"] == "Approved"
    assert approved["UpdatedModelPackageFields"] == ["ApprovalDescription", "ModelApprovalStatus"]
    assert approved["ModelPackageGroupName"] == "reviews"
    assert approved["ModelPackageVersion"] == 1
    assert approved["ModelPackageArn"] == arn
    assert isinstance(approved["CreationTime"], int)
    assert approved["CreationTime"] > 1_600_000_000_000


def test_packages_are_listed_by_group_and_approval(local_aws: Any, group: str) -> None:
    arns = [_register(local_aws, group) for _ in range(3)]
    local_aws.client.update_model_package(ModelPackageArn=arns[1], ModelApprovalStatus="Approved")
    listed = local_aws.client.list_model_packages(ModelPackageGroupName=group, SortOrder="Descending")
    assert [package["ModelPackageVersion"] for package in listed["ModelPackageSummaryList"]] == [3, 2, 1]
    approved = local_aws.client.list_model_packages(ModelPackageGroupName=group, ModelApprovalStatus="Approved")
    assert [package["ModelPackageArn"] for package in approved["ModelPackageSummaryList"]] == [arns[1]]
    assert local_aws.client.list_model_packages()["ModelPackageSummaryList"] == []


def test_the_same_token_registers_once(local_aws: Any, group: str) -> None:
    token = {"ClientToken": "run-20260101"}
    assert _register(local_aws, group, **token) == _register(local_aws, group, **token)
    assert len(local_aws.bus.events) == 1


def test_a_package_without_a_group_has_a_name_and_no_approval(local_aws: Any) -> None:
    local_aws.client.create_model_package(ModelPackageName="alone", InferenceSpecification=SPECIFICATION)
    described = local_aws.client.describe_model_package(ModelPackageName="alone")
    assert "ModelApprovalStatus" not in described
    with pytest.raises(ClientError, match="only be updated for versioned"):
        local_aws.client.update_model_package(
            ModelPackageArn=described["ModelPackageArn"], ModelApprovalStatus="Approved"
        )
    with pytest.raises(ClientError, match="already exists"):
        local_aws.client.create_model_package(ModelPackageName="alone", InferenceSpecification=SPECIFICATION)


def test_a_package_is_in_a_group_or_has_a_name(local_aws: Any, group: str) -> None:
    with pytest.raises(ClientError, match="Cannot determine which one to use"):
        _register(local_aws, group, ModelPackageName="alone")
    with pytest.raises(ClientError, match="model-package-group/other does not exist"):
        _register(local_aws, "other")


def test_a_group_that_holds_packages_is_not_deleted(local_aws: Any, group: str) -> None:
    arn = _register(local_aws, group)
    with pytest.raises(ClientError, match="still contains Model Packages") as caught:
        local_aws.client.delete_model_package_group(ModelPackageGroupName=group)
    assert caught.value.response["Error"]["Code"] == "ConflictException"
    local_aws.client.delete_model_package(ModelPackageName=arn)
    local_aws.client.delete_model_package_group(ModelPackageGroupName=group)


def test_only_an_approved_package_becomes_a_model(local_aws: Any, group: str) -> None:
    arn = _register(local_aws, group)
    request = {"ModelName": "m", "ExecutionRoleArn": ROLE, "PrimaryContainer": {"ModelPackageName": arn}}
    with pytest.raises(ClientError, match="its ModelApprovalStatus is PendingManualApproval"):
        local_aws.client.create_model(**request)
    local_aws.client.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    local_aws.client.create_model(**request)
    assert local_aws.client.describe_model(ModelName="m")["PrimaryContainer"]["ModelPackageName"] == arn
