"""The channels of a stage, as their packages declare them.

A new channel is a package of `lambdas/channels/` with a `channel.py`, and its name in the stage's settings. Knows where
declarations are. Does not know what is made of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Self

from lambdas.channels.declaration import Channel, Drop, Route, Schedule


@dataclass(frozen=True, kw_only=True)
class DropChannel:
    """A channel and what wakes it, typed."""

    channel: Channel
    drop: Drop


@dataclass(frozen=True, kw_only=True)
class RouteChannel:
    """A channel and what wakes it, typed."""

    channel: Channel
    route: Route


@dataclass(frozen=True, kw_only=True)
class ScheduledChannel:
    """A channel and what wakes it, typed."""

    channel: Channel
    schedule: Schedule


@dataclass(frozen=True, kw_only=True)
class DeclaredChannels:
    """The stage's channels by what wakes them."""

    dropped: Sequence[DropChannel]
    routed: Sequence[RouteChannel]
    scheduled: Sequence[ScheduledChannel]

    @classmethod
    def named(cls, names: Iterable[str]) -> Self:
        """Those of `lambdas/channels/NAME/channel.py`; ModuleNotFoundError for a name without a package."""
        channels: list[Channel] = [import_module(f"lambdas.channels.{name}.channel").CHANNEL for name in names]
        return cls(
            dropped=[DropChannel(channel=c, drop=c.trigger) for c in channels if isinstance(c.trigger, Drop)],
            routed=[RouteChannel(channel=c, route=c.trigger) for c in channels if isinstance(c.trigger, Route)],
            scheduled=[
                ScheduledChannel(channel=c, schedule=c.trigger) for c in channels if isinstance(c.trigger, Schedule)
            ],
        )
