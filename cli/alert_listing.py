"""The alerts of a stage as they stand in its tables. It does not know how they are shown."""

from __future__ import annotations

from typing import Any

from cli.connection import Connection


def listed(connection: Connection, *, state: str | None, limit: int) -> list[dict[str, Any]]:
    """The newest alerts, of feedback and of many, without their deliveries; of one state if one is given."""
    from lambdas.aws.alert_place import ALERTS

    dynamodb = connection.client("dynamodb")
    pages = dynamodb.get_paginator("scan").paginate(
        TableName=connection.output("intake", "Ledger"),
        FilterExpression="attribute_exists(alert)",
        ProjectionExpression="feedback_id, alert",
    )
    of_feedback = [_alert(item, "feedback_id") for page in pages for item in page["Items"]]
    pages = dynamodb.get_paginator("query").paginate(
        TableName=connection.output("intake", "Desk"),
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": ALERTS}},
    )
    of_many = [_alert(item, "sk") for page in pages for item in page["Items"]]
    found = [alert for alert in of_feedback + of_many if state is None or alert["state"] == state]
    return sorted(found, key=lambda alert: str(alert["at"]), reverse=True)[:limit]


def _alert(item: dict[str, Any], key: str) -> dict[str, Any]:
    from lambdas.aws.attributes import from_item

    document = from_item(item)
    alert: dict[str, Any] = document["alert"]
    kind = "feedback" if key == "feedback_id" else "digest" if "window" in alert else "product"
    return {"id": document[key], "kind": kind, **{name: value for name, value in alert.items() if name != "deliveries"}}
