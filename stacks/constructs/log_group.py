"""Log groups with a retention, encrypted with the product's key, under names that CloudFormation chooses.

Knows how logs are kept. Does not know who writes them.
"""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks.constructs.data_key import DataKey


def log_group(scope: Construct, id_: str, *, key: DataKey, days: int, name: str | None = None) -> logs.LogGroup:
    """Logs hold no feedback text, so they go with the stack that wrote them."""
    return logs.LogGroup(
        scope,
        id_,
        log_group_name=name,
        encryption_key=key.key,
        retention=_RETENTION[days],
        removal_policy=RemovalPolicy.DESTROY,
    )


_RETENTION = {
    7: logs.RetentionDays.ONE_WEEK,
    30: logs.RetentionDays.ONE_MONTH,
    90: logs.RetentionDays.THREE_MONTHS,
    365: logs.RetentionDays.ONE_YEAR,
}
