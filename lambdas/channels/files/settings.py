"""The environment of the files' channel."""

from dataclasses import dataclass

from lambdas.channels.settings import DropSettings


@dataclass(frozen=True, kw_only=True)
class Settings(DropSettings):
    """And its own queue, through which it goes on with a file that one invocation is too short for."""

    channel_queue_url: str
