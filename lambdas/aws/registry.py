"""The model registry: the packages of one group. It does not know which model is good enough."""

from collections.abc import Iterator
from typing import Any, Final

from lambdas.aws.clients import Client

_DESCRIPTION_LIMIT: Final = 1024


class Registry:
    """A SageMaker model package group."""

    def __init__(self, *, group: str, sagemaker: Client) -> None:
        self._group = group
        self._sagemaker = sagemaker

    def newest_approved(self) -> dict[str, Any] | None:
        """The newest approved package as DescribeModelPackage tells it, or None."""
        for summary in self._summaries(ModelApprovalStatus="Approved"):
            return describe_package(summary["ModelPackageArn"], sagemaker=self._sagemaker)
        return None

    def find_by_description(self, description: str) -> str | None:
        """The ARN of the newest package with exactly this description, or None."""
        for summary in self._summaries():
            if summary.get("ModelPackageDescription") == description:
                arn: str = summary["ModelPackageArn"]
                return arn
        return None

    def create(self, request: dict[str, Any]) -> str:
        """Register a package in this group and return its ARN."""
        arn: str = self._sagemaker.create_model_package(ModelPackageGroupName=self._group, **request)["ModelPackageArn"]
        return arn

    def _summaries(self, **filters: str) -> Iterator[dict[str, Any]]:
        pages = self._sagemaker.get_paginator("list_model_packages").paginate(
            ModelPackageGroupName=self._group, SortBy="CreationTime", SortOrder="Descending", **filters
        )
        for page in pages:
            yield from page["ModelPackageSummaryList"]


def describe_package(arn: str, *, sagemaker: Client) -> dict[str, Any]:
    """One package of any group."""
    package: dict[str, Any] = sagemaker.describe_model_package(ModelPackageName=arn)
    return package


def reject_package(arn: str, reason: str, *, sagemaker: Client) -> None:
    """Take the approval back, and say why: nothing compares itself with this package any more, or releases it."""
    sagemaker.update_model_package(
        ModelPackageArn=arn, ModelApprovalStatus="Rejected", ApprovalDescription=reason[:_DESCRIPTION_LIMIT]
    )
