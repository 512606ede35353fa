"""The environment of archive."""

from dataclasses import dataclass

from lambdas.environment import Environment


@dataclass(frozen=True, kw_only=True)
class Settings(Environment):
    """The bucket of the lake."""

    lake_bucket: str
