"""An upgrade from any release to these stacks replaces and removes nothing that holds state, as `cdk diff` tells it."""

from pathlib import Path

import pytest

from tests.synthesis import Assembly
from tests.upgrades import released
from tests.upgrades.__main__ import prod_templates

pytestmark = pytest.mark.skipif(not released.CDK.exists(), reason="the CDK command line is missing: make node_modules")


@pytest.mark.parametrize("version", released.versions())
def test_an_upgrade_from_a_release_loses_nothing(assembly: Path, tmp_path: Path, version: str) -> None:
    assert released.losses(released.templates_of(version), assembly, tmp_path) == []


def test_there_is_a_release_to_compare_with() -> None:
    assert released.versions()


def test_a_replacement_and_a_removal_are_seen(app: Assembly, assembly: Path, tmp_path: Path) -> None:
    stack = prod_templates(app)["DataLake"]
    resources = dict(stack["Resources"])  # type: ignore[call-overload]
    bucket = resources["LakeBucketCECD5697"]
    renamed = {**bucket, "Properties": {**bucket["Properties"], "BucketName": "reviews"}}
    old = {**stack, "Resources": {**resources, "LakeBucketCECD5697": renamed, "LakeOfOld": bucket}}
    assert sorted(released.losses({"DataLake": old}, assembly, tmp_path)) == [
        "DataLake: LakeBucketCECD5697 (AWS::S3::Bucket): replace",
        "DataLake: LakeOfOld (AWS::S3::Bucket): orphan",
    ]
