"""The errors that botocore's clients raise, made here. It does not know when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

STATUS: Mapping[str, int] = {
    "AccessDenied": 403,
    "AccessDeniedException": 403,
    "InternalError": 500,
    "InternalFailure": 500,
    "InternalServerError": 500,
    "KMSThrottlingException": 400,
    "PreconditionFailed": 412,
    "RequestThrottled": 403,
    "ServiceUnavailable": 503,
    "SlowDown": 503,
    "Throttling": 400,
}
RETRIED = frozenset(
    {
        "InternalError",
        "InternalServerError",
        "ProvisionedThroughputExceededException",
        "RequestThrottled",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TransactionInProgressException",
    }
)
"""What botocore's standard mode tries again by itself, as far as it is made here."""


def refusal(code: str, operation: str, *, status: int | None = None, **more: Any) -> ClientError:
    """An answer that is an error."""
    known = STATUS.get(code, 400) if status is None else status
    response = {"Error": {"Code": code, "Message": "simulated"}, "ResponseMetadata": {"HTTPStatusCode": known}, **more}
    return ClientError(response, operation)


def lost() -> ConnectionClosedError:
    """No answer: whether the call was carried out is not known."""
    return ConnectionClosedError(endpoint_url="https://simulated")


def late() -> ReadTimeoutError:
    """No answer in time."""
    return ReadTimeoutError(endpoint_url="https://simulated")


def is_retried(error: Exception) -> bool:
    """Whether botocore itself would make another attempt."""
    if not isinstance(error, ClientError):
        return True
    return error.response["Error"]["Code"] in RETRIED
