"""Secrets that operators make and change below a prefix; no stack makes one, so that none is ever in a template.

Knows the prefix and who may read below it. Does not know the secrets.
"""

from dataclasses import dataclass

from stacks.constructs.arns import arn
from stacks.constructs.role import Statement


@dataclass(frozen=True)
class OperatorSecrets:
    """The secrets below one prefix, for instance `earshot/prod/webhooks/`."""

    prefix: str

    def reading(self) -> Statement:
        """What a role needs to read them. Secrets Manager ends a secret's ARN with letters of its own."""
        return Statement(
            actions=["secretsmanager:GetSecretValue"], resources=[arn("secretsmanager", f"secret:{self.prefix}*")]
        )
