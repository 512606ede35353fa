"""Objects in S3: written whole, read whole or in pieces. It does not know what is in them."""

from datetime import datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from lambdas.aws.clients import Client


class Stream(Protocol):
    """The content of an object that is not read yet."""

    def read(self, size: int, /) -> bytes:
        """At most ``size`` bytes, none at the end."""


class NoSuchObjectError(LookupError):
    """There is no object at this address, or no right to know of one."""


class TooLargeError(ValueError):
    """The object is larger than it may be."""


class Lake:
    """S3 by ``s3://bucket/key`` addresses."""

    def __init__(self, *, s3: Client) -> None:
        self._s3 = s3

    def write(self, uri: str, body: bytes, *, content_type: str) -> None:
        """Write one object; the same address and body again change nothing."""
        bucket, key = split_uri(uri)
        self._s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType=content_type)

    def read(self, uri: str, *, limit_bytes: int) -> bytes:
        """The object's content; NoSuchObjectError or TooLargeError."""
        answer = self._get(uri)
        if answer["ContentLength"] > limit_bytes:
            raise TooLargeError(f"{uri} is larger than {limit_bytes} bytes.")
        body: bytes = answer["Body"].read()
        return body

    def open(self, uri: str) -> Stream:
        """The object's content, to be read in pieces; NoSuchObjectError."""
        body: Stream = self._get(uri)["Body"]
        return body

    def newest(self, prefix: str) -> list[str]:
        """Addresses of what lies under the prefix, newest first; of more than 1,000 objects, any 1,000."""
        bucket, key = split_uri(prefix)
        listed = self._s3.list_objects_v2(Bucket=bucket, Prefix=key).get("Contents", [])
        return [f"s3://{bucket}/{each['Key']}" for each in sorted(listed, key=_changed, reverse=True)]

    def _get(self, uri: str) -> dict[str, Any]:
        bucket, key = split_uri(uri)
        try:
            answer: dict[str, Any] = self._s3.get_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "NoSuchBucket", "404", "AccessDenied"):
                raise NoSuchObjectError(f"There is no object {uri}, or no right to read it.") from error
            raise
        return answer


def _changed(listed: dict[str, Any]) -> datetime:
    changed: datetime = listed["LastModified"]
    return changed


def split_uri(uri: str) -> tuple[str, str]:
    """Bucket and key of an ``s3://`` address; ValueError for anything else."""
    parts = urlsplit(uri, allow_fragments=False)
    key = parts.path.removeprefix("/")
    if parts.scheme != "s3" or not parts.netloc or not key or parts.query:
        raise ValueError(f"{uri!r} is no s3://bucket/key address")
    return parts.netloc, key
