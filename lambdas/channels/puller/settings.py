"""The environment of the puller."""

from dataclasses import dataclass

from lambdas.channels.settings import AcceptSettings


@dataclass(frozen=True, kw_only=True)
class Settings(AcceptSettings):
    """Where the cursors are kept and the sources are listed, besides what every channel needs."""

    desk_table: str
    sources_parameter: str
