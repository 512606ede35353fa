"""The environment of notify."""

from dataclasses import dataclass

from lambdas.environment import Environment


@dataclass(frozen=True, kw_only=True)
class Settings(Environment):
    """Where alerts are recorded and queued, where they go, what explains them, and what links in them begin with."""

    ledger_table: str
    desk_table: str
    alert_queue_url: str
    alert_topic_arn: str
    endpoint_name: str
    feedback_url: str
    alert_policy_parameter: str
    webhook_secret_prefix: str
