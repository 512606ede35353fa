"""The record of automatic responses, on the desk: the evidence for each, and what was raised, noted or taken back.

It does not know policies or the bus.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from feedback.alerting.responses import ResponseState
from feedback.event import timestamp
from lambdas.aws.desk import Desk

RESPONSES: Final = "response"

_EVIDENCE: Final = "response-evidence#"
_KEPT: Final = timedelta(days=400)
_EVIDENCE_LIMIT: Final = 1000


class ResponseRecord:
    """All responses."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def gather(self, key: str, feedback_id: str, *, since: datetime, until: datetime) -> list[str]:
        """Add a feedback that was received at ``until``; the ids of all received from ``since`` to then."""
        partition = _EVIDENCE + key
        received_at = timestamp(until)
        self._desk.put(partition, f"{received_at}#{feedback_id}", {"id": feedback_id}, expires_at=until + _KEPT)
        found = self._desk.query(
            partition, after=timestamp(since), before=f"{received_at}${feedback_id}", limit=_EVIDENCE_LIMIT
        )
        return [str(each["id"]) for each in found]

    def begin(self, response_id: str, document: Mapping[str, Any], *, state: ResponseState, now: datetime) -> None:
        """Note a response, unless it was noted before."""
        noted = {**document, "state": state.value, "at": timestamp(now)}
        self._desk.put(RESPONSES, response_id, noted, unless_exists=True, expires_at=now + _KEPT)

    def find(self, response_id: str) -> dict[str, Any] | None:
        """The response, or None."""
        return self._desk.get(RESPONSES, response_id)

    def all(self, *, limit: int) -> list[dict[str, Any]]:
        """The responses that are remembered."""
        return self._desk.query(RESPONSES, limit=limit)

    def move(self, noted: Mapping[str, Any], state: ResponseState, *, now: datetime, **more: str) -> None:
        """Write what became of a response that was found."""
        document = {name: value for name, value in noted.items() if name not in ("pk", "sk", "expires_at")}
        changed = {**document, "state": state.value, f"{state.value.lower()}_at": timestamp(now), **more}
        self._desk.put(RESPONSES, str(noted["sk"]), changed, expires_at=now + _KEPT)
