"""The environment of the router."""

from dataclasses import dataclass

from lambdas.environment import Environment


@dataclass(frozen=True, kw_only=True)
class Settings(Environment):
    """Where feedback is kept and classified."""

    ledger_table: str
    endpoint_name: str
