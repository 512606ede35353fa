"""Events of the response bus: writes each as an object, one key for each response and what is asked about it.

So an event that comes twice writes the same object again, and a withdrawal never overwrites what it withdraws.
"""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from lambdas.aws.clients import client
from lambdas.response_example.settings import Settings
from lambdas.telemetry import LambdaContext, count

PREFIX = "reports/cases/"


def handle(event: Mapping[str, Any], context: LambdaContext) -> dict[str, str]:
    """Write the case, or its withdrawal."""
    detail_type, detail = event["detail-type"], event["detail"]
    is_withdrawal = detail_type.endswith("Withdrawn")
    case = {**detail, "event": detail_type, "status": "withdrawn" if is_withdrawal else "open", "time": event["time"]}
    key = f"{PREFIX}{detail['response_id']}/{case['status']}.json"
    body = json.dumps(case, sort_keys=True).encode("utf-8")
    s3 = client("s3", read_seconds=5.0)
    s3.put_object(Bucket=_settings().lake_bucket, Key=key, Body=body, ContentType="application/json")
    count(context, CasesWithdrawn=int(is_withdrawal), CasesOpened=int(not is_withdrawal))
    return {"key": key}


@cache
def _settings() -> Settings:
    return Settings.from_env()
