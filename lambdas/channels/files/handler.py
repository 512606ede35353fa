"""The files' queue's messages: S3's notices of new files, and our own of files to go on with. Needs a batch of one."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from lambdas.aws.clients import client
from lambdas.channels.accepting import delivery
from lambdas.channels.batch import DropBatch
from lambdas.channels.bucket import DropBucket
from lambdas.channels.drop import Dropped, read_notice
from lambdas.channels.files.channel import PREFIX
from lambdas.channels.files.own_queue import ChannelQueue
from lambdas.channels.files.progress import read_message
from lambdas.channels.files.settings import Settings
from lambdas.channels.files.taking import FilesChannel
from lambdas.telemetry import LambdaContext

_RESERVE_SECONDS: Final = 60.0  # for the block that is under way, the result or the message


def handle(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Take in a file or its next part and report the message if it is to come again."""
    batch = DropBatch(read=_read, take=_channel(context).take, needed_seconds=_RESERVE_SECONDS)
    return batch.process(event, context)


def _read(body: str) -> Sequence[Dropped]:
    bucket = _settings().drop_bucket
    begun = read_message(body, bucket=bucket)
    return [begun] if begun is not None else read_notice(body, bucket=bucket, prefix=PREFIX)


def _channel(context: LambdaContext) -> FilesChannel:
    return FilesChannel(
        bucket=DropBucket(s3=client("s3", read_seconds=20.0)),
        queue=ChannelQueue(url=_settings().channel_queue_url, sqs=client("sqs")),
        delivery=delivery(_settings()),
        has_time=lambda: context.get_remaining_time_in_millis() > _RESERVE_SECONDS * 1000,
    )


@cache
def _settings() -> Settings:
    return Settings.from_env()
