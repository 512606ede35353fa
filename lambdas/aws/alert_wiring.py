"""What the functions of alerts have in common, with the clients that it needs: the policy, and the place of alerts.

Each function caches what it is given. It does not know their environments.
"""

from lambdas.aws.alert_place import AlertPlace
from lambdas.aws.clients import client
from lambdas.aws.policy_source import PolicySource


def policy_source(*, parameter: str, desk_table: str) -> PolicySource:
    """The policy in the stage's parameter."""
    return PolicySource(
        parameter=parameter,
        ssm=client("ssm", read_seconds=2.0),
        desk_table=desk_table,
        dynamodb=client("dynamodb", read_seconds=2.0),
    )


def alert_place(*, ledger_table: str, desk_table: str) -> AlertPlace:
    """Where alerts are: beside their feedback, and on the desk."""
    return AlertPlace(ledger_table=ledger_table, desk_table=desk_table, dynamodb=client("dynamodb", read_seconds=2.0))
