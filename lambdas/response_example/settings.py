"""The environment of the example."""

from dataclasses import dataclass

from lambdas.environment import Environment


@dataclass(frozen=True, kw_only=True)
class Settings(Environment):
    """Where cases are written."""

    lake_bucket: str
