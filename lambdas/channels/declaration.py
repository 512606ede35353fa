"""What a channel says about itself, so that a stack can stand it up without knowing it.

Pure data: a channel's ``channel.py`` holds one ``CHANNEL``, and nothing here or there imports AWS, a handler or a
stack. A channel asks for what it needs by the words below; which ARNs and variables these become is decided where the
stacks are built, so a channel cannot ask for more than there are words for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class Access(Enum):
    """What a channel's function may do, beyond writing its log. Each stands for exact actions on one resource."""

    ACCEPT = "accept"
    """Write ledger and originals, queue for the router: LEDGER_TABLE, ORIGINALS_TABLE, ORIGINAL_DAYS, QUEUE_URL."""
    DESK = "desk"
    """Get and put items of the desk: DESK_TABLE."""
    SECRETS = "secrets"
    """Read the webhooks' secrets by their prefix: WEBHOOK_SECRET_PREFIX."""
    SOURCES = "sources"
    """Read the parameter that lists what is pulled: SOURCES_PARAMETER."""
    CONTINUE = "continue"
    """Send messages to its own queue, to go on where its time ended: CHANNEL_QUEUE_URL."""
    TRANSCRIBE = "transcribe"
    """Start transcription jobs. Transcribe reads and writes with the rights of the function that starts it."""


@dataclass(frozen=True, kw_only=True)
class Drop:
    """Objects put into the drop bucket below ``prefix``, told of through the channel's own queue: DROP_BUCKET.

    The function may read them, in any version, and write below ``writes``. A message is tried ``receives`` times.
    """

    prefix: str
    writes: tuple[str, ...] = ()
    receives: int = 10


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """A call every so many minutes; ``setting`` names the stage's setting that holds the number."""

    setting: str


@dataclass(frozen=True, kw_only=True)
class Route:
    """Requests to the API. ``authorizer`` is the package of the function that API Gateway asks first."""

    method: str
    path: str
    authorizer: str


@dataclass(frozen=True, kw_only=True)
class Channel:
    """One channel: its function is ``lambdas.channels.<name>.handler.handle``.

    ``environment`` holds the channel's own variables with their values; those of trigger and access are added.
    """

    name: str
    description: str
    trigger: Drop | Schedule | Route
    timeout_seconds: int
    memory_mib: int
    access: tuple[Access, ...] = (Access.ACCEPT,)
    environment: Mapping[str, str] = field(default_factory=dict)
    concurrency: int | None = None
