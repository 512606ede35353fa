"""The drop bucket: reads exactly the version that a notice was about, and writes results beside.

It does not know what is in the objects.
"""

from typing import Any, Final

from botocore.exceptions import ClientError

from lambdas.aws.clients import Client
from lambdas.aws.lake import Stream
from lambdas.channels.drop import Dropped

_GONE: Final = ("NoSuchKey", "NoSuchVersion", "404", "MethodNotAllowed", "405", "PreconditionFailed", "412")


class ObjectGoneError(LookupError):
    """The object, in this version, was deleted or overwritten meanwhile: there is nothing left to do."""


class ObjectTooLargeError(ValueError):
    """The object is larger than it may be."""


class DropBucket:
    """What was dropped, as S3 keeps it."""

    def __init__(self, *, s3: Client) -> None:
        self._s3 = s3

    def open(self, dropped: Dropped, *, start: int = 0) -> Stream:
        """The content from byte ``start`` on, to be read in pieces; ObjectGoneError."""
        body: Stream = self._get(dropped, start)["Body"]
        return body

    def read(self, dropped: Dropped, *, limit_bytes: int) -> bytes:
        """The whole content; ObjectGoneError or ObjectTooLargeError."""
        body: bytes = self._get(dropped, 0)["Body"].read(limit_bytes + 1)
        if len(body) > limit_bytes:
            raise ObjectTooLargeError(f"The object is larger than {limit_bytes} bytes.")
        return body

    def write(self, dropped: Dropped, key: str, body: bytes, *, content_type: str) -> None:
        """Write one object into the same bucket; the same again changes nothing that matters."""
        self._s3.put_object(Bucket=dropped.bucket, Key=key, Body=body, ContentType=content_type)

    def _get(self, dropped: Dropped, start: int) -> dict[str, Any]:
        pinned = {"VersionId": dropped.version_id} if dropped.version_id else {}
        if not pinned and dropped.etag:
            pinned = {"IfMatch": dropped.etag}
        span = {"Range": f"bytes={start}-"} if start else {}
        try:
            answer: dict[str, Any] = self._s3.get_object(Bucket=dropped.bucket, Key=dropped.key, **pinned, **span)
        except ClientError as error:
            if error.response["Error"]["Code"] in _GONE:
                raise ObjectGoneError("The object is gone.") from error
            raise
        return answer
