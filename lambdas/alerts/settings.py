"""The environment of alerts."""

from dataclasses import dataclass

from lambdas.environment import Environment


@dataclass(frozen=True, kw_only=True)
class Settings(Environment):
    """Where alerts are begun and counted, where they are queued, and which parameter holds the policy."""

    ledger_table: str
    desk_table: str
    alert_queue_url: str
    alert_policy_parameter: str
