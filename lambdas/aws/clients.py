"""AWS clients with explicit time limits and attempts, made once per process.

boto3 is imported with the first client, not with a handler: a handler's import stays a few milliseconds. It does not
know what the clients are used for.
"""

from functools import cache
from typing import Any

Client = Any
"""A boto3 client: they are generated at run time and have no static types."""


@cache
def client(service: str, *, connect_seconds: float = 1.0, read_seconds: float = 5.0, attempts: int = 3) -> Client:
    """A client whose calls end after ``attempts`` tries of at most ``connect_seconds`` + ``read_seconds`` each."""
    import boto3
    from botocore.config import Config

    config = Config(
        connect_timeout=connect_seconds,
        read_timeout=read_seconds,
        retries={"mode": "standard", "total_max_attempts": attempts},
    )
    return boto3.client(service, config=config)
