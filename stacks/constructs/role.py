"""A role with one customer-managed policy of exact statements, for one AWS service.

Knows what a statement is and how statements become a policy document. Does not know who needs what.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import Aws, RemovalPolicy
from aws_cdk import aws_iam as iam
from constructs import Construct

Conditions = Mapping[str, Mapping[str, str | Sequence[str]]]

# Services that tell whose resource they act for, so that nobody else's can make them use our roles.
_TELL_THE_ACCOUNT = {"glue", "sagemaker", "states"}


@dataclass(frozen=True, kw_only=True)
class Statement:
    """What is allowed. Plain text, so that a hundred of them cost the synth nothing."""

    actions: Sequence[str]
    resources: Sequence[str]
    conditions: Conditions | None = None


# Traces have no resource to name.
TRACING = Statement(actions=["xray:PutTelemetryRecords", "xray:PutTraceSegments"], resources=["*"])


class Role(Construct):
    def __init__(
        self, scope: Construct, id_: str, *, service: str, description: str, statements: Iterable[Statement]
    ) -> None:
        super().__init__(scope, id_)
        trust: dict[str, object] = {
            "Effect": "Allow",
            "Principal": {"Service": f"{service}.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
        if service in _TELL_THE_ACCOUNT:
            trust["Condition"] = {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
        self._role = iam.CfnRole(self, "Role", description=description, assume_role_policy_document=_document([trust]))
        self.arn = self._role.attr_arn
        self._service = service
        # Managed by this account rather than inline, so that it has versions and shows up in reports of its own.
        self.policy = iam.CfnManagedPolicy(
            self, "Policy", policy_document=_document(merged(statements)), roles=[self._role.ref]
        )

    def allow_passing_on(self) -> None:
        """Let the role hand itself to its own service, for what that starts in its name."""
        passing = Statement(
            actions=["iam:PassRole"],
            resources=[self.arn],
            conditions={"StringEquals": {"iam:PassedToService": f"{self._service}.amazonaws.com"}},
        )
        iam.CfnManagedPolicy(
            self, "PassingOn", policy_document=_document([_rendered(passing, ["iam:PassRole"])]), roles=[self._role.ref]
        )

    def apply_removal_policy(self, policy: RemovalPolicy) -> None:
        """What becomes of the role and its policy when they leave the stack."""
        self._role.apply_removal_policy(policy)
        self.policy.apply_removal_policy(policy)


def merged(statements: Iterable[Statement]) -> list[dict[str, object]]:
    """One statement for each pair of resources and conditions, since several parts ask for the same."""
    actions: dict[str, set[str]] = {}
    first: dict[str, Statement] = {}
    for statement in statements:
        same = repr((sorted(statement.resources), statement.conditions))
        first.setdefault(same, statement)
        actions.setdefault(same, set()).update(statement.actions)
    return [_rendered(statement, sorted(actions[same])) for same, statement in first.items()]


def _rendered(statement: Statement, actions: list[str]) -> dict[str, object]:
    resources = list(statement.resources)
    rendered: dict[str, object] = {
        "Effect": "Allow",
        "Action": actions,
        "Resource": resources[0] if len(resources) == 1 else resources,
    }
    if statement.conditions:
        rendered["Condition"] = statement.conditions
    return rendered


def _document(statements: Sequence[Mapping[str, object]]) -> dict[str, object]:
    return {"Version": "2012-10-17", "Statement": list(statements)}
