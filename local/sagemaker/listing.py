"""Lists as SageMaker gives them: filtered, sorted and in pages.

Works on records of any kind by the names that the request's members have. Knows no store.
"""

import base64
import binascii
import json
from typing import Any

from local.sagemaker.errors import validation
from local.sagemaker.shapes import Fields

DEFAULT_PAGE = 10


def page(
    records: list[Fields], request: Fields, *, name: str, status: str | None = None, order: str = "Ascending"
) -> Fields:
    """One page of records: ``{"records": [...], "NextToken"?: str}``.

    ``name`` and ``status`` are the record's members that hold the name and the status; ``order`` is what AWS takes
    where the request has no SortOrder.
    """
    kept = [record for record in records if _is_wanted(record, request, name=name, status=status)]
    by = str(request.get("SortBy", "CreationTime"))
    kept.sort(key=lambda record: _place(record, by, name=name, status=status))
    if request.get("SortOrder", order) == "Descending":
        kept.reverse()
    return cut(kept, request)


def cut(records: list[Fields], request: Fields) -> Fields:
    """The page of an ordered list that the request's NextToken and MaxResults ask for."""
    start = _offset(request["NextToken"]) if request.get("NextToken") else 0
    end = start + int(request.get("MaxResults", DEFAULT_PAGE))
    answer: Fields = {"records": records[start:end]}
    if end < len(records):
        answer["NextToken"] = base64.urlsafe_b64encode(json.dumps({"from": end}).encode()).decode()
    return answer


def _offset(token: str) -> int:
    try:
        offset = json.loads(base64.urlsafe_b64decode(token))["from"]
    except (binascii.Error, ValueError, KeyError, TypeError) as error:
        raise validation("Invalid pagination token") from error
    if not isinstance(offset, int) or offset < 0:
        raise validation("Invalid pagination token")
    return offset


def _place(record: Fields, by: str, *, name: str, status: str | None) -> tuple[Any, float, str]:
    created, called = float(record.get("CreationTime", 0)), str(record.get(name, ""))
    if by == "Name":
        return (called, created, called)
    if by.endswith("Status") and status:
        return (str(record.get(status, "")), created, called)
    return (created, created, called)


def _is_wanted(record: Fields, request: Fields, *, name: str, status: str | None) -> bool:
    called = str(record.get(name, ""))
    created = float(record.get("CreationTime", 0))
    modified = float(record.get("LastModifiedTime", created))
    equal = {
        "StatusEquals": record.get(status or ""),
        "FeatureGroupStatusEquals": record.get("FeatureGroupStatus"),
        "EndpointName": record.get("EndpointName"),
        "MonitoringTypeEquals": record.get("MonitoringType"),
        "MonitoringJobDefinitionName": record.get("MonitoringJobDefinitionName"),
    }
    after = {"CreationTimeAfter": created, "CreatedAfter": created, "LastModifiedTimeAfter": modified}
    before = {"CreationTimeBefore": created, "CreatedBefore": created, "LastModifiedTimeBefore": modified}
    return (
        str(request.get("NameContains") or "").lower() in called.lower()
        and called.startswith(request.get("PipelineNamePrefix") or "")
        and all(value == request[member] for member, value in equal.items() if request.get(member) is not None)
        and all(value > request[member] for member, value in after.items() if request.get(member) is not None)
        and all(value < request[member] for member, value in before.items() if request.get(member) is not None)
    )
