"""The environment of respond."""

from dataclasses import dataclass

from lambdas.environment import Environment


@dataclass(frozen=True, kw_only=True)
class Settings(Environment):
    """Where responses are noted, on which bus they are raised, and which parameter holds the policy."""

    ledger_table: str
    desk_table: str
    response_bus: str
    alert_policy_parameter: str
