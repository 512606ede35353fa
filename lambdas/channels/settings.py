"""The environment that all channels share which accept feedback, and those that read what was dropped."""

from dataclasses import dataclass

from lambdas.environment import Environment


@dataclass(frozen=True, kw_only=True)
class AcceptSettings(Environment):
    """Where accepted feedback, the originals of what was redacted, and the queue are."""

    ledger_table: str
    originals_table: str
    original_days: float
    queue_url: str


@dataclass(frozen=True, kw_only=True)
class DropSettings(AcceptSettings):
    """And where things are dropped."""

    drop_bucket: str
