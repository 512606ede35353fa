"""CloudWatch log events of a group, in order, each once.

Responsible for reading on where the last call stopped. It does not know what writes the lines.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from cli.connection import Connection


@dataclass(frozen=True)
class LogLine:
    timestamp_milliseconds: int
    stream: str
    text: str


@dataclass(kw_only=True)
class LogTail:
    """Lines of a log group (optionally of streams that begin with a prefix) that have not been read yet."""

    connection: Connection
    group: str
    stream_prefix: str | None = None
    since_milliseconds: int = 0
    _seen: set[str] = field(default_factory=set)

    def read(self) -> list[LogLine]:
        """The new lines; none while the group does not exist."""
        client = self.connection.client("logs")
        request: dict[str, object] = {"logGroupName": self.group, "startTime": self.since_milliseconds}
        if self.stream_prefix is not None:
            request["logStreamNamePrefix"] = self.stream_prefix
        lines: list[LogLine] = []
        while True:
            try:
                answer = client.filter_log_events(**request)
            except client.exceptions.ResourceNotFoundException:
                return lines
            for event in answer.get("events", []):
                if not event["logStreamName"].startswith(self.stream_prefix or ""):
                    continue  # the local AWS answers with every stream
                name = event.get("eventId") or f"{event['logStreamName']} {event['timestamp']} {event['message']}"
                if name not in self._seen:
                    self._seen.add(name)
                    lines.append(LogLine(event["timestamp"], event["logStreamName"], event["message"].rstrip("\n")))
            token = answer.get("nextToken")
            if not token or token == request.get("nextToken"):
                break
            request["nextToken"] = token
        lines.sort(key=lambda line: line.timestamp_milliseconds)
        return lines
