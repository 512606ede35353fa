"""The environment of trends."""

from dataclasses import dataclass

from lambdas.environment import Environment


@dataclass(frozen=True, kw_only=True)
class Settings(Environment):
    """Where feedback is kept, and where its counters and the review queue are."""

    ledger_table: str
    desk_table: str
