"""How far a file was taken in, and what became of its rows: what one invocation tells the next, and people at the end.

It travels in a message of the channel's own queue. It does not know how rows are read or accepted.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from feedback.strict_json import BrokenJsonError, parse
from lambdas.channels.drop import Dropped, UnreadableNoticeError
from lambdas.channels.files.channel import PREFIX, RESULTS
from lambdas.channels.files.rows import BadRow

REASONS_LIMIT: Final = 50

_VERSION: Final = 1
_KEY_LIMIT_BYTES: Final = 1024


@dataclass(kw_only=True)
class Progress:
    """``row`` is the number of the last row that was settled; ``reasons`` are those of the first bad rows."""

    row: int = 0
    rows: int = 0
    accepted: int = 0
    repeated: int = 0
    refused: int = 0
    unread_ratings: int = 0
    reasons: list[tuple[int, str]] = field(default_factory=list)

    def refuse(self, bad: BadRow) -> None:
        """Count a bad row."""
        self.refused += 1
        if len(self.reasons) < REASONS_LIMIT:
            self.reasons.append((bad.number, bad.reason))


@dataclass(frozen=True, kw_only=True)
class Begun(Dropped):
    """A file of which a part was taken in before."""

    progress: Progress


def write_message(dropped: Dropped, progress: Progress) -> str:
    """The message with which the next invocation goes on."""
    file = {name: getattr(dropped, name) for name in ("bucket", "key", "version_id", "etag", "size")}
    return json.dumps({"version": _VERSION, "continue": {"file": file, "progress": asdict(progress)}})


def read_message(body: str, *, bucket: str) -> Begun | None:
    """The file in a message of ours, None for any other message; UnreadableNoticeError for a broken one of ours."""
    try:
        document = parse(body)
    except BrokenJsonError:
        return None
    if not isinstance(document, dict) or "continue" not in document:
        return None
    try:
        told = document["continue"]
        begun = Begun(**told["file"], progress=_progress(told["progress"]))
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableNoticeError("The message does not say how to go on.") from error
    if document.get("version") != _VERSION or begun.bucket != bucket or not begun.key.startswith(PREFIX):
        raise UnreadableNoticeError("The message is about an object that is not this channel's.")
    return begun


def _progress(told: Mapping[str, Any]) -> Progress:
    return Progress(
        row=int(told["row"]),
        rows=int(told["rows"]),
        accepted=int(told["accepted"]),
        repeated=int(told["repeated"]),
        refused=int(told["refused"]),
        unread_ratings=int(told["unread_ratings"]),
        reasons=[(int(number), str(reason)) for number, reason in told["reasons"]],
    )


def result_key(dropped: Dropped) -> str:
    """Where the result of a file is written: beside the files, by its key, or by its digest where that is too long."""
    key = f"{RESULTS}{dropped.key.removeprefix(PREFIX)}.json"
    return key if len(key.encode("utf-8")) <= _KEY_LIMIT_BYTES else f"{RESULTS}{dropped.identity}.json"


def result(
    dropped: Dropped, progress: Progress, *, format_: str | None, columns: Mapping[str, str], stopped: str | None
) -> bytes:
    """The result as people and programs read it: counts, and the first reasons by the row's number, no texts."""
    reasons: Sequence[Mapping[str, Any]] = [{"row": number, "reason": reason} for number, reason in progress.reasons]
    document = {
        "version": _VERSION,
        "source": dropped.key,
        "version_id": dropped.version_id,
        "format": format_,
        "columns": dict(columns),
        "rows": progress.rows,
        "accepted": progress.accepted,
        "repeated": progress.repeated,
        "refused": progress.refused,
        "unread_ratings": progress.unread_ratings,
        "stopped": stopped,
        "reasons": reasons,
    }
    return json.dumps(document, indent=1).encode("ascii")
