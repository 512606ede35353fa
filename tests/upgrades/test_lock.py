"""No change of the stacks loses what a stage holds: every stateful resource stays as the lock says."""

from dataclasses import replace

import pytest

from tests.synthesis import STAGES, Assembly
from tests.upgrades import lock
from tests.upgrades.__main__ import locked_stages
from tests.upgrades.stateful import Stateful, create_only_properties, stateful_resources

BUCKET = Stateful(
    type="AWS::S3::Bucket",
    deletion_policy="Retain",
    update_replace_policy="Retain",
    create_only={"BucketName": "reviews"},
)


def losses(old: Stateful, new: Stateful | None) -> list[str]:
    return lock.losses({"DataLake": {"Lake": old}}, {"DataLake": {"Lake": new} if new else {}})


@pytest.mark.parametrize("stage", STAGES)
def test_no_stateful_resource_is_removed_replaced_or_less_kept(app: Assembly, stage: str) -> None:
    wanted = "a wanted change: docs/upgrades.md"
    assert lock.losses(lock.read()[stage], locked_stages(app)[stage]) == [], wanted


@pytest.mark.parametrize("stage", STAGES)
def test_every_stateful_resource_is_locked(app: Assembly, stage: str) -> None:
    wanted = 'python -m tests.upgrades lock --reason "..."'
    assert lock.unlocked(lock.read()[stage], locked_stages(app)[stage]) == [], wanted


def test_an_unchanged_resource_loses_nothing() -> None:
    assert losses(BUCKET, BUCKET) == []
    assert losses(replace(BUCKET, deletion_policy="Delete"), BUCKET) == []


def test_a_removed_resource_is_named_with_what_becomes_of_it() -> None:
    assert losses(BUCKET, None) == [
        "DataLake/Lake (AWS::S3::Bucket) is gone from the template: it is left behind without an owner"
    ]
    (sentence,) = losses(replace(BUCKET, deletion_policy="Delete"), None)
    assert sentence.endswith("it is deleted with what it holds")


def test_a_changed_create_only_property_is_named_with_both_values() -> None:
    (sentence,) = losses(BUCKET, replace(BUCKET, create_only={"BucketName": "feedback"}))
    assert 'BucketName can only be set at creation, and goes from "reviews" to "feedback"' in sentence
    (sentence,) = losses(BUCKET, replace(BUCKET, create_only={}))
    assert "to a name that CloudFormation chooses" in sentence


def test_a_weaker_policy_and_another_type_are_named() -> None:
    (sentence,) = losses(BUCKET, replace(BUCKET, update_replace_policy="Delete"))
    assert "UpdateReplacePolicy goes from Retain to Delete" in sentence
    (sentence,) = losses(BUCKET, replace(BUCKET, type="AWS::S3Tables::TableBucket"))
    assert "becomes an AWS::S3Tables::TableBucket" in sentence


def test_create_only_properties_come_from_the_schemas() -> None:
    assert "BucketName" in create_only_properties("AWS::S3::Bucket")
    assert {"TableName", "KeySchema"} <= set(create_only_properties("AWS::DynamoDB::Table"))
    assert "TableInput/Name" in create_only_properties("AWS::Glue::Table")
    template = {"Resources": {"Names": {"Type": "AWS::Glue::Database", "Properties": {"DatabaseInput": {"Name": "a"}}}}}
    assert stateful_resources(template)["Names"].create_only == {"DatabaseInput/Name": "a"}


def test_prod_keeps_more_than_one_thing_of_each_kind_that_holds_data(app: Assembly) -> None:
    """The lock is worth as much as what is in it."""
    kept = [
        resource.type
        for resources in lock.read()["prod"].values()
        for resource in resources.values()
        if resource.deletion_policy == "Retain"
    ]
    assert {"AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::KMS::Key", "AWS::SageMaker::ModelPackageGroup"} <= set(
        kept
    )
