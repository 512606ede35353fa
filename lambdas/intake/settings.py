"""The environment of intake."""

from dataclasses import dataclass

from lambdas.environment import Environment


@dataclass(frozen=True, kw_only=True)
class Settings(Environment):
    """Where accepted feedback is kept, queued and classified, and how long a client waits for the model."""

    ledger_table: str
    queue_url: str
    endpoint_name: str
    classify_budget_seconds: float

    def __post_init__(self) -> None:
        if not 0.05 <= self.classify_budget_seconds <= 20.0:  # API Gateway gives up after 29 s
            raise ValueError("CLASSIFY_BUDGET_SECONDS is not from 0.05 to 20")
