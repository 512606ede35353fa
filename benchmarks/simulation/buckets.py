"""S3 in memory: objects by key, each write whole. It does not know what is in them."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from benchmarks.simulation.errors import refusal

Arguments = Mapping[str, Any]


class Buckets:
    """The calls of boto3's client, by name of the method."""

    def __init__(self, *, clock: Callable[[], float]) -> None:
        self.objects: dict[tuple[str, str], bytes] = {}
        self._written: dict[tuple[str, str], float] = {}
        self._clock = clock

    def put_object(self, call: Arguments) -> dict[str, Any]:
        at = (call["Bucket"], call["Key"])
        if call.get("IfNoneMatch") == "*" and at in self.objects:
            raise refusal("PreconditionFailed", "PutObject")
        self.objects[at] = bytes(call["Body"])
        self._written[at] = self._clock()
        return {"ETag": _tag(self.objects[at])}

    def get_object(self, call: Arguments) -> dict[str, Any]:
        body = self._find(call, "GetObject")
        if "Range" in call:
            body = body[int(call["Range"].removeprefix("bytes=").partition("-")[0]) :]
        return {"Body": io.BytesIO(body), "ContentLength": len(body), "ETag": _tag(body)}

    def head_object(self, call: Arguments) -> dict[str, Any]:
        body = self._find(call, "HeadObject")
        return {"ContentLength": len(body), "ETag": _tag(body)}

    def list_objects_v2(self, call: Arguments) -> dict[str, Any]:
        found = [
            {"Key": key, "LastModified": datetime.fromtimestamp(self._written[bucket, key], UTC), "Size": len(body)}
            for (bucket, key), body in sorted(self.objects.items())
            if bucket == call["Bucket"] and key.startswith(call.get("Prefix", ""))
        ]
        return {"Contents": found, "KeyCount": len(found), "IsTruncated": False}

    def _find(self, call: Arguments, operation: str) -> bytes:
        try:
            return self.objects[call["Bucket"], call["Key"]]
        except KeyError:
            raise refusal("NoSuchKey", operation, status=404) from None


def _tag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'
