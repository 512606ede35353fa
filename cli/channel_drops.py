"""A file into the drop bucket, and what became of it.

What a mail or a transcript becomes is read here by the channel's own code, without accepting it, so that its feedback
can be asked for by the id that the channel will give it. It does not know what the user typed.
"""

from __future__ import annotations

import io
import json
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cli.connection import Client
from cli.errors import Problem

if TYPE_CHECKING:
    from feedback.problem import Problem as Refusal
    from lambdas.channels.drop import Dropped
    from lambdas.intake.acceptance import Answer

POLL_SECONDS = 0.5


@dataclass(frozen=True, kw_only=True)
class Looking:
    """Waits for objects until a deadline."""

    s3: Client
    deadline: float

    def wait_for(self, bucket: str, key: str) -> Mapping[str, Any]:
        """The object's answer, once it is there; Problem when the time is up."""
        from botocore.exceptions import ClientError

        while True:
            try:
                found: Mapping[str, Any] = self.s3.get_object(Bucket=bucket, Key=key)
            except ClientError as error:
                if error.response["Error"]["Code"] not in ("NoSuchKey", "404"):
                    raise
            else:
                return found
            self.pause(f"s3://{bucket}/{key} is not there yet")

    def pause(self, meanwhile: str) -> None:
        """A moment; Problem when the time is up."""
        if time.monotonic() >= self.deadline:
            raise Problem(f"Nothing was heard of it in time: {meanwhile}. Look at `earshot redrive --list`.")
        time.sleep(POLL_SECONDS)


def drop(s3: Client, *, bucket: str, key: str, content: bytes) -> Dropped:
    """Put the object; the version of it that S3 made."""
    from lambdas.channels.drop import Dropped

    answer = s3.put_object(Bucket=bucket, Key=key, Body=content)
    return Dropped(
        bucket=bucket,
        key=key,
        version_id=answer.get("VersionId"),
        etag=answer["ETag"].strip('"'),
        size=len(content),
    )


def result_of_file(dropped: Dropped, looking: Looking) -> dict[str, Any]:
    """The result that the files' channel writes for this version."""
    from lambdas.channels.files.progress import result_key

    key = result_key(dropped)
    while True:
        result: dict[str, Any] = json.loads(looking.wait_for(dropped.bucket, key)["Body"].read())
        if dropped.version_id is None or result["version_id"] == dropped.version_id:
            return result
        looking.pause("only the result of an earlier version is there")


def transcript_of(recording: Dropped, looking: Looking) -> tuple[Dropped, bytes]:
    """The transcript that Transcribe writes of a recording."""
    from lambdas.channels.calls.taking import transcript_key
    from lambdas.channels.drop import Dropped

    key = transcript_key(recording)
    found = looking.wait_for(recording.bucket, key)
    return Dropped(bucket=recording.bucket, key=key, version_id=found.get("VersionId")), found["Body"].read()


def feedback_ids(dropped: Dropped, content: bytes, *, channel: str) -> list[str]:
    """The ids of the feedback that a mail or a transcript will be; none where it is no feedback."""
    from lambdas.channels.batch import UnusableObjectError
    from lambdas.channels.bucket import DropBucket
    from lambdas.channels.calls.channel import CHANNEL as CALLS
    from lambdas.channels.calls.taking import CallsChannel
    from lambdas.channels.delivery import Delivery
    from lambdas.channels.email.taking import EmailChannel

    read = _Read()
    bucket = DropBucket(s3=_Held(content))
    delivery = Delivery(accepting=read)
    email = EmailChannel(bucket=bucket, delivery=delivery, refuses_unverified=False)
    calls = CallsChannel(
        bucket=bucket, delivery=delivery, transcriber=read, customer_speaker=CALLS.environment["CUSTOMER_SPEAKER"]
    )
    try:
        with redirect_stdout(sys.stderr):  # where the functions' log lines are not taken for the answer
            (email if channel == "email" else calls).take(dropped)
    except UnusableObjectError as error:
        raise Problem(f"It cannot be read: {error.reason}") from None
    return read.ids


@dataclass
class _Read:
    """An acceptance that accepts nothing and remembers the ids, and a transcriber that starts nothing."""

    ids: list[str] = field(default_factory=list)

    def take_in(self, documents: Iterable[Mapping[str, Any] | Refusal], *, ask_model: bool = True) -> list[Answer]:
        self.ids += [document["id"] for document in documents if isinstance(document, Mapping)]
        return []

    def start(self, recording: Dropped, *, media_format: str, output: str) -> bool:
        return False


@dataclass(frozen=True)
class _Held:
    """The one object that was just dropped, as S3 would hand it out."""

    content: bytes

    def get_object(self, **_: str) -> dict[str, Any]:
        return {"Body": io.BytesIO(self.content)}
