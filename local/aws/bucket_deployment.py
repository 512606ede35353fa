"""``Custom::CDKBucketDeployment`` in this process: CDK's own function wants the AWS CLI at a fixed path.

Puts the files of zip assets into a bucket with their markers replaced, prunes what is no longer there, and empties
the destination on delete where asked. Knows no other custom resource.
"""

import fnmatch
import io
import mimetypes
import zipfile
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from local.aws import seams
from local.aws.clients import client
from local.aws.seams import Created, Properties

TYPE = "Custom::CDKBucketDeployment"


class BucketDeploymentType:
    """Creates, updates and deletes one deployment of assets."""

    def create(self, logical_id: str, properties: Properties, stack: str) -> Created:
        """Copy everything; the identity is drawn anew as CDK's function does."""
        _deploy(properties)
        return f"aws.cdk.s3deployment.{uuid4()}", _attributes(properties)

    def update(self, physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str) -> Created:
        """Copy again; a former destination is emptied where asked."""
        if not _true(old, "RetainOnDelete") and _destination(old) != _destination(new):
            _empty(*_destination(old))
        _deploy(new)
        return physical_id, _attributes(new)

    def delete(self, physical_id: str, properties: Properties) -> None:
        """Only where the deployment was not to be retained, which is CDK's default."""
        if not _true(properties, "RetainOnDelete", default=True):
            _empty(*_destination(properties))


def register() -> frozenset[str]:
    """Take the type over; it calls back over HTTP."""
    seams.register_resource(TYPE, BucketDeploymentType())
    return frozenset({TYPE})


def _deploy(properties: Properties) -> None:
    bucket, prefix = _destination(properties)
    written: set[str] = set()
    markers = properties.get("SourceMarkers") or [{}] * len(properties["SourceObjectKeys"])
    for source, key, marks in zip(
        properties["SourceBucketNames"], properties["SourceObjectKeys"], markers, strict=True
    ):
        content = client("s3").get_object(Bucket=source, Key=key)["Body"].read()
        for name, body in _files(properties, key, content):
            for mark, value in (marks or {}).items():
                body = body.replace(mark.encode(), str(value).encode())
            if _wanted(name, properties):
                client("s3").put_object(Bucket=bucket, Key=prefix + name, Body=body, **_headers(name, properties))
                written.add(prefix + name)
    if _true(properties, "Prune", default=True):
        for key in _keys(bucket, prefix):
            if key not in written and _wanted(key.removeprefix(prefix), properties):
                client("s3").delete_object(Bucket=bucket, Key=key)


def _files(properties: Properties, key: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    if not _true(properties, "Extract", default=True):
        yield key.rpartition("/")[2], content
        return
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for entry in archive.infolist():
            if not entry.is_dir():
                yield entry.filename, archive.read(entry)


def _wanted(name: str, properties: Properties) -> bool:
    excluded = any(fnmatch.fnmatch(name, pattern) for pattern in properties.get("Exclude") or [])
    return not excluded or any(fnmatch.fnmatch(name, pattern) for pattern in properties.get("Include") or [])


def _headers(name: str, properties: Properties) -> dict[str, Any]:
    system = {key.lower(): value for key, value in (properties.get("SystemMetadata") or {}).items()}
    headers: dict[str, Any] = {
        "ContentType": system.get("content-type") or mimetypes.guess_type(name)[0] or "application/octet-stream"
    }
    if "cache-control" in system:
        headers["CacheControl"] = system["cache-control"]
    if properties.get("UserMetadata"):
        headers["Metadata"] = properties["UserMetadata"]
    return headers


def _keys(bucket: str, prefix: str) -> list[str]:
    pages = client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [each["Key"] for page in pages for each in page.get("Contents", [])]


def _empty(bucket: str, prefix: str) -> None:
    for key in _keys(bucket, prefix):
        client("s3").delete_object(Bucket=bucket, Key=key)


def _destination(properties: Properties) -> tuple[str, str]:
    prefix = (properties.get("DestinationBucketKeyPrefix") or "").lstrip("/")
    return properties["DestinationBucketName"], prefix if not prefix or prefix.endswith("/") else f"{prefix}/"


def _attributes(properties: Properties) -> dict[str, Any]:
    return {
        "DestinationBucketArn": f"arn:aws:s3:::{properties['DestinationBucketName']}",
        "SourceObjectKeys": properties["SourceObjectKeys"]
        if _true(properties, "OutputObjectKeys", default=True)
        else [],
    }


def _true(properties: Properties, name: str, *, default: bool = False) -> bool:
    return str(properties.get(name, default)).lower() == "true"
