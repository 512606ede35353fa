"""The originals: what a feedback said before personal data was taken out of it, as the put that accepts it needs it.

No function reads them back. It does not know when there is an original, nor what redaction looks for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lambdas.aws.attributes import to_item


@dataclass(frozen=True, kw_only=True)
class Original:
    """The text and metadata of one feedback as they came, and how many of what kind were taken out."""

    text: str
    metadata: Mapping[str, str]
    redacted: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Originals:
    """The table of the originals, each kept for ``keep`` from its receipt."""

    table: str
    keep: timedelta

    def put(self, feedback_id: str, original: Original, *, now: datetime) -> dict[str, Any]:
        """The write of one original as an action of a DynamoDB transaction."""
        document: dict[str, Any] = {
            "feedback_id": feedback_id,
            "text": original.text,
            "redacted": dict(original.redacted),
            "expires_at": int((now + self.keep).timestamp()),
        }
        if original.metadata:
            document["metadata"] = dict(original.metadata)
        return {"Put": {"TableName": self.table, "Item": to_item(document)}}
