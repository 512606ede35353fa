"""The end of a stage: what is destroyed is gone, what is kept is named. Runs last, since nothing is left after it."""

from typing import Any

from tests.e2e.product import Product


def test_destroy_leaves_only_what_it_lists(told: dict[str, Any], product: Product) -> None:
    kept = product.json("destroy", "--yes")["kept"]
    remaining = product.client("cloudformation").list_stacks(
        StackStatusFilter=["CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_FAILED"]
    )["StackSummaries"]
    assert [stack["StackName"] for stack in remaining] == ["CDKToolkit"]
    names = {resource["name"] for resource in kept}
    buckets = {bucket["Name"] for bucket in product.client("s3").list_buckets()["Buckets"]}
    assert {bucket for bucket in buckets if not bucket.startswith("cdk-hnb659fds-")} <= names
    assert set(product.client("dynamodb").list_tables()["TableNames"]) <= names
    assert product.client("sagemaker").list_endpoints()["Endpoints"] == []
    assert product.client("lambda").list_functions()["Functions"] == []
    assert [process["what"] for process in product.json("status")["local"]["processes"]] == ["local AWS"]
