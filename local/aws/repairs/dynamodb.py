"""Table properties: expiry, point-in-time recovery, encryption. A protected table is kept."""

from typing import Any

from botocore.exceptions import ClientError

from local.aws import resources
from local.aws.clients import client
from local.aws.repairs import repair
from local.aws.seams import Properties


def register() -> frozenset[str]:
    """The types that are repaired here."""
    return frozenset({repair("AWS::DynamoDB::Table", _table, _refuse_where_protected)})


def _table(name: str, old: Properties, new: Properties) -> None:
    differing = resources.changed(old, new)
    if "TimeToLiveSpecification" in differing:
        _expiry(name, old.get("TimeToLiveSpecification"), new.get("TimeToLiveSpecification"))
    if "PointInTimeRecoverySpecification" in differing:
        _recovery(name, new.get("PointInTimeRecoverySpecification") or {})
    if "SSESpecification" in differing:
        _encryption(name, new.get("SSESpecification") or {})
    if "DeletionProtectionEnabled" in differing and (old or _true(new.get("DeletionProtectionEnabled"))):
        client("dynamodb").update_table(
            TableName=name, DeletionProtectionEnabled=_true(new.get("DeletionProtectionEnabled"))
        )


def _expiry(name: str, old: Any, new: Any) -> None:
    if new:
        wanted = {"AttributeName": new["AttributeName"], "Enabled": _true(new.get("Enabled", True))}
    else:
        wanted = {"AttributeName": old["AttributeName"], "Enabled": False}
    described = client("dynamodb").describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    # Both AWS and ministack refuse to switch to the state that already is.
    if (described["TimeToLiveStatus"] == "ENABLED") != wanted["Enabled"]:
        client("dynamodb").update_time_to_live(TableName=name, TimeToLiveSpecification=wanted)


def _recovery(name: str, wanted: Properties) -> None:
    specification: dict[str, Any] = {"PointInTimeRecoveryEnabled": _true(wanted.get("PointInTimeRecoveryEnabled"))}
    if "RecoveryPeriodInDays" in wanted:
        specification["RecoveryPeriodInDays"] = int(wanted["RecoveryPeriodInDays"])
    client("dynamodb").update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=specification)


def _encryption(name: str, wanted: Properties) -> None:
    specification: dict[str, Any] = {"Enabled": _true(wanted.get("SSEEnabled"))}
    if specification["Enabled"]:
        specification["SSEType"] = wanted.get("SSEType", "KMS")
        if "KMSMasterKeyId" in wanted:
            specification["KMSMasterKeyId"] = wanted["KMSMasterKeyId"]
    client("dynamodb").update_table(TableName=name, SSESpecification=specification)


def _refuse_where_protected(name: str, properties: Properties) -> None:
    try:
        table = client("dynamodb").describe_table(TableName=name)["Table"]
    except ClientError:
        return
    if table.get("DeletionProtectionEnabled"):
        raise ValueError(
            "Resource cannot be deleted as it is currently protected against deletion. "
            "Disable deletion protection first."
        )


def _true(value: Any) -> bool:
    return str(value).lower() == "true"
