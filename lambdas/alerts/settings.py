"""The environment of alerts."""

from dataclasses import dataclass

from lambdas.environment import Environment


@dataclass(frozen=True, kw_only=True)
class Settings(Environment):
    """Where alerts are claimed and published, from which probability on, and what links in them begin with."""

    ledger_table: str
    alert_topic_arn: str
    alert_threshold: float
    feedback_url: str

    def __post_init__(self) -> None:
        if not 0.0 <= self.alert_threshold <= 1.0:
            raise ValueError("ALERT_THRESHOLD is not from 0 to 1")
