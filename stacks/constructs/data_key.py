"""A customer-managed key: one for the data that is kept, one in each stack for its queues, topics and logs.

Knows which AWS services may use it on the account's behalf, and that only AWS services are given grants. Does not know
the roles: they get exact statements where the data they read is granted.
"""

from collections.abc import Sequence

from aws_cdk import Aws, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from stacks.constructs.arns import arn
from stacks.constructs.role import Statement

# Services that encrypt or decrypt for a resource of this account without a role of ours in between.
_SERVICES = (
    "cloudwatch.amazonaws.com",
    "delivery.logs.amazonaws.com",
    "events.amazonaws.com",
    "sns.amazonaws.com",
)


class DataKey(Construct):
    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        encrypts: str,
        removal_policy: RemovalPolicy,
        more_services: Sequence[str] = (),
    ) -> None:
        super().__init__(scope, id_)
        self.key = kms.Key(
            self,
            "Key",
            description=f"Encrypts {encrypts} of {Stack.of(self).stack_name}",
            enable_key_rotation=True,
            pending_window=Duration.days(30),
            removal_policy=removal_policy,
        )
        self.arn = self.key.key_arn
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="ServicesOfThisAccount",
                principals=[iam.ServicePrincipal(service) for service in (*_SERVICES, *more_services)],
                # EventBridge looks at the key of a bus before it uses it.
                actions=["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"],
                resources=["*"],
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            )
        )
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="LogGroupsOfThisAccount",
                principals=[iam.ServicePrincipal(f"logs.{Aws.REGION}.amazonaws.com")],
                actions=["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"],
                resources=["*"],
                conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": arn("logs", "log-group:*")}},
            )
        )
        # A grant is a permission that no policy shows: only AWS services, for their own resources, are given one.
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="GrantsOnlyForServices",
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=["kms:CreateGrant"],
                resources=["*"],
                conditions={
                    "BoolIfExists": {"kms:GrantIsForAWSResource": "false", "aws:PrincipalIsAWSService": "false"}
                },
            )
        )

    def reading(self) -> Statement:
        """What a role needs to read anything that is encrypted with the key."""
        return Statement(actions=["kms:Decrypt", "kms:DescribeKey"], resources=[self.arn])

    def writing(self) -> Statement:
        """What a role needs to write; S3 multipart uploads and SQS decrypt what they just encrypted."""
        return Statement(
            actions=["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"], resources=[self.arn]
        )
