"""The environment of spikes."""

from dataclasses import dataclass

from lambdas.environment import Environment


@dataclass(frozen=True, kw_only=True)
class Settings(Environment):
    """Where counters and feedback are kept, and who takes what is to be told."""

    desk_table: str
    ledger_table: str
    alert_queue_url: str
