"""The e-mail queue's messages: translates between SQS batches of S3's notices and the e-mail channel."""

from collections.abc import Mapping
from functools import cache, partial
from typing import Any

from lambdas.aws.clients import client
from lambdas.channels.accepting import delivery
from lambdas.channels.batch import DropBatch
from lambdas.channels.bucket import DropBucket
from lambdas.channels.drop import read_notice
from lambdas.channels.email.channel import PREFIX
from lambdas.channels.email.settings import Settings
from lambdas.channels.email.taking import EmailChannel
from lambdas.telemetry import LambdaContext

_NEEDED_SECONDS = 15.0  # a mail of the largest size, with every call answered late


def handle(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Take in one batch of mails and report the messages that are to come again."""
    settings = _settings()
    batch = DropBatch(
        read=partial(read_notice, bucket=settings.drop_bucket, prefix=PREFIX),
        take=_channel().take,
        needed_seconds=_NEEDED_SECONDS,
    )
    return batch.process(event, context)


@cache
def _settings() -> Settings:
    return Settings.from_env()


@cache
def _channel() -> EmailChannel:
    return EmailChannel(
        bucket=DropBucket(s3=client("s3")),
        delivery=delivery(_settings()),
        refuses_unverified=_settings().refuses_unverified,
    )
