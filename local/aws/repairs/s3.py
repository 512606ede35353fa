"""Bucket properties: encryption, lifecycle, ownership, access logs, lock, tags. A bucket that holds objects is kept."""

from typing import Any

from botocore.exceptions import ClientError

from local.aws import resources, shapes
from local.aws.clients import client
from local.aws.repairs import repair
from local.aws.seams import Properties


def register() -> frozenset[str]:
    """The types that are repaired here."""
    return frozenset({repair("AWS::S3::Bucket", _bucket, _refuse_to_delete_objects)})


def _bucket(name: str, old: Properties, new: Properties) -> None:
    differing = resources.changed(old, new)
    if "BucketEncryption" in differing:
        _encryption(name, new.get("BucketEncryption"))
    if "LifecycleConfiguration" in differing:
        _lifecycle(name, new.get("LifecycleConfiguration"))
    if "OwnershipControls" in differing and "OwnershipControls" in new:
        client("s3").put_bucket_ownership_controls(Bucket=name, OwnershipControls=new["OwnershipControls"])
    if "LoggingConfiguration" in differing:
        _logging(name, new.get("LoggingConfiguration"))
    if "VersioningConfiguration" in differing and "VersioningConfiguration" in new:
        client("s3").put_bucket_versioning(Bucket=name, VersioningConfiguration=new["VersioningConfiguration"])
    if "ObjectLockEnabled" in differing and str(new.get("ObjectLockEnabled", False)).lower() == "true":
        client("s3").put_object_lock_configuration(
            Bucket=name, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"}
        )
    if "Tags" in differing:
        _tags(name, resources.tags_of(new))


def _encryption(name: str, wanted: Any) -> None:
    if not wanted:
        client("s3").delete_bucket_encryption(Bucket=name)
        return
    rules = []
    for rule in wanted["ServerSideEncryptionConfiguration"]:
        default = rule["ServerSideEncryptionByDefault"]
        if default["SSEAlgorithm"] == "aws:kms" and not default.get("KMSMasterKeyID"):
            # On AWS this is the key alias/aws/s3 of the account; ministack then refuses every PutObject.
            return
        rules.append(
            {
                "ApplyServerSideEncryptionByDefault": default,
                "BucketKeyEnabled": str(rule.get("BucketKeyEnabled", False)).lower() == "true",
            }
        )
    client("s3").put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": rules})


def _lifecycle(name: str, wanted: Any) -> None:
    if not wanted:
        client("s3").delete_bucket_lifecycle(Bucket=name)
        return
    rules = [_lifecycle_rule(position, rule) for position, rule in enumerate(wanted["Rules"])]
    shape = shapes.input_shape("s3", "PutBucketLifecycleConfiguration").members["LifecycleConfiguration"]
    client("s3").put_bucket_lifecycle_configuration(
        Bucket=name, LifecycleConfiguration=shapes.fit({"Rules": rules}, shape)
    )


def _lifecycle_rule(position: int, rule: Properties) -> Properties:
    """One rule in the API's words: the template flattens what the API nests."""
    wanted: Properties = {
        "ID": rule.get("Id") or f"rule-{position}",
        "Status": rule["Status"],
        "Filter": {"Prefix": rule.get("Prefix", "")},
    }
    expiration = {
        ours: rule[theirs]
        for ours, theirs in (
            ("Days", "ExpirationInDays"),
            ("Date", "ExpirationDate"),
            ("ExpiredObjectDeleteMarker", "ExpiredObjectDeleteMarker"),
        )
        if theirs in rule
    }
    if expiration:
        wanted["Expiration"] = expiration
    if "AbortIncompleteMultipartUpload" in rule:
        wanted["AbortIncompleteMultipartUpload"] = rule["AbortIncompleteMultipartUpload"]
    if noncurrent := rule.get("NoncurrentVersionExpiration"):
        wanted["NoncurrentVersionExpiration"] = noncurrent
    elif days := rule.get("NoncurrentVersionExpirationInDays"):
        wanted["NoncurrentVersionExpiration"] = {"NoncurrentDays": days}
    if transitions := rule.get("Transitions"):
        wanted["Transitions"] = [
            {
                ours: transition[theirs]
                for ours, theirs in (
                    ("StorageClass", "StorageClass"),
                    ("Days", "TransitionInDays"),
                    ("Date", "TransitionDate"),
                )
                if theirs in transition
            }
            for transition in transitions
        ]
    if transitions := rule.get("NoncurrentVersionTransitions"):
        wanted["NoncurrentVersionTransitions"] = [
            {"StorageClass": each["StorageClass"], "NoncurrentDays": each["TransitionInDays"]} for each in transitions
        ]
    return wanted


def _logging(name: str, wanted: Any) -> None:
    status = {}
    if wanted and wanted.get("DestinationBucketName"):
        status["LoggingEnabled"] = {
            "TargetBucket": wanted["DestinationBucketName"],
            "TargetPrefix": wanted.get("LogFilePrefix", ""),
        }
    client("s3").put_bucket_logging(Bucket=name, BucketLoggingStatus=status)


def _tags(name: str, tags: dict[str, str]) -> None:
    if tags:
        tag_set = [{"Key": key, "Value": value} for key, value in tags.items()]
        client("s3").put_bucket_tagging(Bucket=name, Tagging={"TagSet": tag_set})
    else:
        client("s3").delete_bucket_tagging(Bucket=name)


def _refuse_to_delete_objects(name: str, properties: Properties) -> None:
    """ministack would drop the bucket with everything in it; this also removes it from disk."""
    try:
        client("s3").delete_bucket(Bucket=name)
    except ClientError as problem:
        if problem.response["Error"]["Code"] != "NoSuchBucket":
            raise ValueError(problem.response["Error"].get("Message", str(problem))) from None
