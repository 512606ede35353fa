"""``Custom::S3AutoDeleteObjects`` in this process: CDK's own function needs an AWS SDK for Node that is not here.

Empties a bucket when its stack lets go of it, versions included. Knows no other custom resource.
"""

from typing import Any

from botocore.exceptions import ClientError

from local.aws import seams
from local.aws.clients import client
from local.aws.seams import Created, Properties

TYPE = "Custom::S3AutoDeleteObjects"
_TAG = "aws-cdk:auto-delete-objects"
_BATCH = 1000


class AutoDeleteObjectsType:
    """One bucket that may be emptied; its identity is the bucket's name."""

    def create(self, logical_id: str, properties: Properties, stack: str) -> Created:
        """Nothing to do yet."""
        return properties["BucketName"], {}

    def update(self, physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str) -> Created:
        """Another bucket is another identity, so the engine lets go of the former."""
        return self.create(logical_id, new, stack)

    def delete(self, physical_id: str, properties: Properties) -> None:
        """Empty it where it still asks for that by its tag, as CDK's function does."""
        if _asks_for_it(physical_id):
            empty(physical_id)


def register() -> frozenset[str]:
    """Take the type over; it calls back over HTTP."""
    seams.register_resource(TYPE, AutoDeleteObjectsType())
    return frozenset({TYPE})


def _asks_for_it(bucket: str) -> bool:
    try:
        tags = client("s3").get_bucket_tagging(Bucket=bucket)["TagSet"]
    except ClientError as problem:
        if problem.response["Error"]["Code"] in ("NoSuchBucket", "NoSuchTagSet"):
            return False
        raise
    return any(tag["Key"] == _TAG and tag["Value"] == "true" for tag in tags)


def empty(bucket: str) -> None:
    """Delete every version of every object, and every delete marker."""
    s3 = client("s3")
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        found: list[dict[str, Any]] = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        for start in range(0, len(found), _BATCH):
            batch = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in found[start : start + _BATCH]]
            s3.delete_objects(Bucket=bucket, Delete={"Objects": batch, "Quiet": True})
