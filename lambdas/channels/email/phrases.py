"""What mail programs and people put around what they write, in the languages that customers write in.

The words are in ``phrases.json``: how Gmail, Outlook, Apple Mail, Thunderbird, Yahoo, GMX and Samsung's program say it.
It does not know where in a mail they stand.
"""

import json
from pathlib import Path
from typing import Final

_WORDS: Final[dict[str, list[str]]] = json.loads(Path(__file__).with_name("phrases.json").read_text(encoding="utf-8"))

WROTE: Final = tuple(_WORDS["wrote"])
"""The word of the line in which a program says who wrote what it quotes."""

FROM: Final = frozenset(_WORDS["from"])
"""The label of the sender in the block of headers that Outlook puts above a quote."""

OTHER_HEADERS: Final = frozenset(_WORDS["other_headers"])
"""The labels of the other headers of this block."""

OLD_MESSAGE: Final = tuple(_WORDS["old_message"])
"""What stands between dashes above an old message."""

SENT_FROM: Final = tuple(_WORDS["sent_from"])
"""How a line begins that a telephone or a mail program adds of itself."""

CLOSINGS: Final = frozenset(_WORDS["closings"])
"""Whole lines with which people end a mail; a name follows."""

FORWARDS: Final = frozenset(_WORDS["forwards"])
REPLIES: Final = frozenset(_WORDS["replies"])
"""What a program puts before the subject, in front of a colon."""
