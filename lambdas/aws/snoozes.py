"""What people silenced for a while: subjects of alerts, on the desk. It does not know who is silenced by it."""

from datetime import datetime
from typing import Final

from feedback.event import timestamp
from lambdas.aws.alert_place import AlertPlace

_SNOOZE: Final = "snooze"


class Snoozes:
    """The silences by subject, for instance ``product#P-1042``."""

    def __init__(self, place: AlertPlace) -> None:
        self._place = place

    def until(self, subject_key: str) -> datetime | None:
        """The end of a subject's silence, past or to come; None where it has none."""
        item = self._place.call("get_item", TableName=self._place.desk_table, Key=_key(subject_key)).get("Item")
        return None if item is None else datetime.fromisoformat(item["until"]["S"].replace("Z", "+00:00"))

    def put(self, subject_key: str, *, until: datetime, by: str) -> None:
        """Silence a subject; a later word about it replaces an earlier one."""
        item = {
            **_key(subject_key),
            "until": {"S": timestamp(until)},
            "by": {"S": by},
            "expires_at": {"N": str(int(until.timestamp()))},
        }
        self._place.call("put_item", TableName=self._place.desk_table, Item=item)


def _key(subject_key: str) -> dict[str, dict[str, str]]:
    return {"pk": {"S": _SNOOZE}, "sk": {"S": subject_key}}
