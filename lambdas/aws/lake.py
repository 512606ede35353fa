"""Objects in S3: written whole, read whole or digested. It does not know what is in them."""

import hashlib
from typing import Any, Final
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from lambdas.aws.clients import Client

_CHUNK_BYTES: Final = 1024 * 1024


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

    def sha256(self, uri: str) -> str:
        """The digest of the object, read in pieces; NoSuchObjectError."""
        digest = hashlib.sha256()
        for chunk in self._get(uri)["Body"].iter_chunks(_CHUNK_BYTES):
            digest.update(chunk)
        return digest.hexdigest()

    def _get(self, uri: str) -> dict[str, Any]:
        bucket, key = split_uri(uri)
        try:
            answer: dict[str, Any] = self._s3.get_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "NoSuchBucket", "404", "AccessDenied"):
                raise NoSuchObjectError(f"There is no object {uri}, or no right to read it.") from error
            raise
        return answer


def split_uri(uri: str) -> tuple[str, str]:
    """Bucket and key of an ``s3://`` address; ValueError for anything else."""
    parts = urlsplit(uri, allow_fragments=False)
    key = parts.path.removeprefix("/")
    if parts.scheme != "s3" or not parts.netloc or not key or parts.query:
        raise ValueError(f"{uri!r} is no s3://bucket/key address")
    return parts.netloc, key
