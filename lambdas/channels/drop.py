"""What S3 says was dropped: the notices in a queue's messages, read into objects.

Responsible for S3's ways of writing a key, for the test message that S3 sends when notifications are set up, and for
turning away what no honest notice holds. It does not know AWS, nor what is in the objects.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote_plus

from feedback.strict_json import BrokenJsonError, parse

_KEY_LIMIT_BYTES: Final = 1024  # S3's own
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f]")
_CREATED: Final = "ObjectCreated:"
_TEST_EVENT: Final = "s3:TestEvent"


class UnreadableNoticeError(ValueError):
    """A message that is no notice of a dropped object; the sentence quotes nothing of it."""


@dataclass(frozen=True, kw_only=True)
class Dropped:
    """One object, in the one version that the notice is about; ``size`` in bytes, None where S3 did not say."""

    bucket: str
    key: str
    version_id: str | None = None
    etag: str | None = None
    size: int | None = None

    @property
    def identity(self) -> str:
        """The same for every notice of this version of this object, and for no other: 40 hex digits."""
        parts = (self.bucket, self.key, self.version_id or self.etag or "")
        return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:40]


def read_notice(body: str, *, bucket: str, prefix: str) -> list[Dropped]:
    """The objects that a message tells of; none for S3's test message and for objects that were taken away.

    UnreadableNoticeError where it is no notice, or one of another bucket or prefix than those given.
    """
    try:
        document = parse(body)
    except BrokenJsonError as error:
        raise UnreadableNoticeError("The message is not JSON.") from error
    if not isinstance(document, dict):
        raise UnreadableNoticeError("The message is no notice of S3.")
    if document.get("Event") == _TEST_EVENT:
        return []
    records = document.get("Records")
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise UnreadableNoticeError("The message is no notice of S3.")
    found = [_dropped(record) for record in records if str(record.get("eventName")).startswith(_CREATED)]
    for dropped in found:
        if dropped.bucket != bucket or not dropped.key.startswith(prefix):
            raise UnreadableNoticeError("The notice is about an object that is not this channel's.")
    return found


def has_plain_key(dropped: Dropped) -> bool:
    """Whether the key is one that a person or a program would choose: no path tricks, no control characters.

    To S3 a key is only a name, and here it never becomes a path of a file system. But a key is shown to people and to
    other tools, for which ``../`` may mean something.
    """
    segments = dropped.key.split("/")
    return not ({".", ".."} & set(segments) or "\\" in dropped.key or _CONTROL.search(dropped.key))


def _dropped(record: Mapping[str, Any]) -> Dropped:
    try:
        s3 = record["s3"]
        bucket, described = s3["bucket"]["name"], s3["object"]
        raw, version, etag = described["key"], described.get("versionId"), described.get("eTag")
        size = described.get("size")
    except (KeyError, TypeError, AttributeError) as error:
        raise UnreadableNoticeError("A record of the notice names no object.") from error
    if not isinstance(bucket, str) or not isinstance(raw, str) or not raw:
        raise UnreadableNoticeError("A record of the notice names no object.")
    return Dropped(
        bucket=bucket,
        key=_key(raw),
        version_id=version if isinstance(version, str) and version not in ("", "null") else None,
        etag=etag if isinstance(etag, str) and etag else None,
        size=size if isinstance(size, int) and not isinstance(size, bool) and size >= 0 else None,
    )


def _key(raw: str) -> str:
    """The key, which S3 writes as a form does: a space is a plus, everything unusual a percent sequence of UTF-8."""
    try:
        key = unquote_plus(raw, errors="strict")
        length = len(key.encode("utf-8"))
    except UnicodeError as error:
        raise UnreadableNoticeError("The key in the notice is not UTF-8.") from error
    if length > _KEY_LIMIT_BYTES:
        raise UnreadableNoticeError("The key in the notice is longer than S3 allows.")
    return key
