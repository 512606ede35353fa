"""What a function says about its work: structured log lines and counts, as JSON lines on standard output.

Counts are written in CloudWatch's embedded metric format, 20 lines here instead of a library that imports aiohttp.
Neither ever holds a feedback's text: fields are ids, counts, states, codes and the names of errors, and an error's own
message is left out, since it may quote what it choked on.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
import time
import traceback
from collections.abc import Mapping
from typing import Final, Protocol

NAMESPACE: Final = "Earshot"

Scalar = str | int | float | bool | None


class LambdaContext(Protocol):
    """What is used of the object that Lambda hands to a handler."""

    function_name: str
    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends this invocation."""


def log(level: str, message: str, **details: Scalar) -> None:
    """One log line. ``message`` is a constant sentence; what varies goes into ``details``."""
    print(json.dumps({"level": level, "message": message, **details}), flush=True)


def log_error(message: str, error: BaseException, **details: Scalar) -> None:
    """One log line about an exception: its type, its code where AWS gave one, and where it came from."""
    frames = traceback.extract_tb(error.__traceback__)
    where = " < ".join(f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in reversed(frames))
    log("ERROR", message, error=type(error).__name__, code=aws_code(error), where=where, **details)


def aws_code(error: BaseException) -> str | None:
    """The error code in a botocore ClientError, or in what it was raised from; None where there is none."""
    cause: BaseException | None = error
    while cause is not None:
        response = getattr(cause, "response", None)
        if isinstance(response, Mapping):
            return str(response.get("Error", {}).get("Code"))
        cause = cause.__cause__
    return None


def count(context: LambdaContext, **metrics: int) -> None:
    """Count what happened, with the function's name as the one dimension. Zeros are not written."""
    counted = {name: value for name, value in metrics.items() if value}
    if not counted:
        return
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [["FunctionName"]],
        "Metrics": [{"Name": name, "Unit": "Count"} for name in counted],
    }
    line = {
        "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]},
        "FunctionName": context.function_name,
        **counted,
    }
    print(json.dumps(line), flush=True)


def measure(dimensions: Mapping[str, str], figures: Mapping[str, float]) -> None:
    """Write figures as high-resolution metrics, of which alarms may look at ten seconds at a time."""
    if not figures:
        return
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [list(dimensions)],
        "Metrics": [{"Name": name, "Unit": "None", "StorageResolution": 1} for name in figures],
    }
    line = {
        "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]},
        **dimensions,
        **figures,
    }
    print(json.dumps(line), flush=True)
