"""What a source that is pulled has to offer: the whole interface of a plug-in.

A plug-in is a class with this one method and a line in ``declaring.KINDS``. It need not know the ledger, the desk, or
what was delivered before: ids that are the same for the same entry make every repetition harmless.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Cursor = Mapping[str, Any]
"""Where a source was read up to: JSON values of the plug-in's own choice, at most some 100 KB; empty at first."""


class PullError(Exception):
    """The source gives nothing now; the message is one sentence and quotes nothing that it said."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One entry: the site's own id of it, and its document without an id. None for an entry that says nothing."""

    id: str
    document: Mapping[str, Any] | None


@dataclass(frozen=True, kw_only=True)
class Page:
    """Some entries, and where to go on once they are delivered: at once where there is more."""

    entries: Sequence[Entry]
    cursor: Cursor
    has_more: bool = False


class Source(Protocol):
    """Something that new feedback can be fetched from."""

    def pull(self, cursor: Cursor) -> Page:
        """The next entries after the cursor; PullError where they cannot be had now."""
