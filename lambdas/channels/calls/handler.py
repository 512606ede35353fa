"""The calls' queue's messages: translates between SQS batches of S3's notices and the calls' channel."""

from collections.abc import Mapping
from functools import cache, partial
from typing import Any

from lambdas.aws.clients import client
from lambdas.channels.accepting import delivery
from lambdas.channels.batch import DropBatch
from lambdas.channels.bucket import DropBucket
from lambdas.channels.calls.channel import PREFIX
from lambdas.channels.calls.settings import Settings
from lambdas.channels.calls.taking import CallsChannel
from lambdas.channels.calls.transcriber import Transcriber
from lambdas.channels.drop import read_notice
from lambdas.telemetry import LambdaContext

_NEEDED_SECONDS = 20.0  # the longest transcript, with every call answered late


def handle(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Take in one batch of recordings and transcripts and report the messages that are to come again."""
    batch = DropBatch(
        read=partial(read_notice, bucket=_settings().drop_bucket, prefix=PREFIX),
        take=_channel().take,
        needed_seconds=_NEEDED_SECONDS,
    )
    return batch.process(event, context)


@cache
def _settings() -> Settings:
    return Settings.from_env()


@cache
def _channel() -> CallsChannel:
    settings = _settings()
    transcriber = Transcriber(
        transcribe=client("transcribe"),
        languages=settings.languages,
        separates_channels=settings.customer_speaker.startswith("ch_"),
        key_id=settings.drop_key_id,
    )
    return CallsChannel(
        bucket=DropBucket(s3=client("s3")),
        transcriber=transcriber,
        delivery=delivery(settings),
        customer_speaker=settings.customer_speaker,
    )
