"""A bucket as every bucket of data here is: private, versioned, encrypted with a key of ours, over TLS only.

Does not know what lies in it, how long it is kept, nor who is told of new objects.
"""

from collections.abc import Sequence

from aws_cdk import RemovalPolicy
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.constructs.data_key import DataKey


def private_bucket(
    scope: Construct,
    *,
    key: DataKey,
    lifecycle_rules: Sequence[s3.LifecycleRule],
    delete_with_stack: bool,
    access_logs: s3.IBucket | None = None,
    access_log_prefix: str | None = None,
) -> s3.Bucket:
    """The bucket `Bucket` of a construct."""
    return s3.Bucket(
        scope,
        "Bucket",
        encryption=s3.BucketEncryption.KMS,
        encryption_key=key.key,
        bucket_key_enabled=True,
        versioned=True,
        enforce_ssl=True,
        minimum_tls_version=1.2,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        # No default retention: what a customer wants forgotten can be deleted. Evidence can be locked by object.
        object_lock_enabled=True,
        server_access_logs_bucket=access_logs,
        server_access_logs_prefix=access_log_prefix,
        lifecycle_rules=lifecycle_rules,
        removal_policy=RemovalPolicy.DESTROY if delete_with_stack else RemovalPolicy.RETAIN,
        auto_delete_objects=delete_with_stack,
    )
