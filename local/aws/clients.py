"""boto3 clients of the local AWS itself, for what the adapter does through public interfaces. Knows no resources."""

import threading
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

_session_lock = threading.Lock()
_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 2},
    s3={"addressing_style": "path"},
    connect_timeout=5,
    read_timeout=120,
    max_pool_connections=32,
)


@cache
def client(service: str) -> Any:
    """The client for a service by boto3's name, at ``AWS_ENDPOINT_URL``; made once, safe to share by threads."""
    with _session_lock:
        return boto3.client(service, config=_CONFIG)
