"""The ledger's stream: translates its records into objects in the lake."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from lambdas.archive.rows import objects
from lambdas.archive.settings import Settings
from lambdas.aws.clients import client
from lambdas.aws.lake import Lake
from lambdas.aws.stream import read_change
from lambdas.telemetry import LambdaContext, count


def handle(event: Mapping[str, Any], context: LambdaContext) -> None:
    """Write one batch. Everything is read before anything is written, so that a malformed record leaves no half."""
    changes = [read_change(record).decided_entry() for record in event["Records"]]
    entries = [entry for entry in changes if entry is not None]
    for key, body in objects(entries).items():
        _lake().write(f"s3://{_settings().lake_bucket}/{key}", body, content_type="application/jsonlines")
    count(context, Archived=len(entries))


@cache
def _settings() -> Settings:
    return Settings.from_env()


@cache
def _lake() -> Lake:
    return Lake(s3=client("s3"))
