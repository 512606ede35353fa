"""SNS in memory: what was published, as every subscriber got it. It does not know who subscribed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.simulation.errors import refusal

_LIMIT_BYTES = 256 * 1024


@dataclass(frozen=True, kw_only=True)
class Published:
    """One message of a topic."""

    id: str
    subject: str
    body: str
    attributes: Mapping[str, str]


class Topics:
    """The calls of boto3's client, by name of the method."""

    def __init__(self) -> None:
        self.published: list[Published] = []

    def publish(self, call: Mapping[str, Any]) -> dict[str, Any]:
        subject, body = call.get("Subject", ""), call["Message"]
        if len(subject) >= 100 or not subject.isascii() or "\n" in subject or len(body.encode()) > _LIMIT_BYTES:
            raise refusal("InvalidParameter", "Publish")
        attributes = {name: value["StringValue"] for name, value in call.get("MessageAttributes", {}).items()}
        message = Published(id=f"sns-{len(self.published) + 1}", subject=subject, body=body, attributes=attributes)
        self.published.append(message)
        return {"MessageId": message.id}
