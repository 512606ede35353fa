"""The response bus: events that ask other systems to act. It does not know what is to be asked."""

import json
from collections.abc import Mapping
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.aws.clients import Client

SOURCE: Final = "earshot"


class NotRaisedError(RuntimeError):
    """The bus did not take the event, or its answer was lost."""


class Bus:
    """An EventBridge bus."""

    def __init__(self, *, name: str, events: Client) -> None:
        self._name = name
        self._events = events

    def put(self, detail_type: str, detail: Mapping[str, Any]) -> str:
        """Raise an event and return its id; NotRaisedError otherwise. EventBridge answers 200 with failed entries."""
        entry = {
            "EventBusName": self._name,
            "Source": SOURCE,
            "DetailType": detail_type,
            "Detail": json.dumps(detail),
        }
        try:
            answer: dict[str, Any] = self._events.put_events(Entries=[entry])
        except (ClientError, BotoCoreError) as error:
            raise NotRaisedError("The bus did not take the event.") from error
        if answer.get("FailedEntryCount", 0):
            raise NotRaisedError("The bus refused the event.")
        event_id: str = answer["Entries"][0]["EventId"]
        return event_id
