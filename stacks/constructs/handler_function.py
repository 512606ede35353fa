"""A Lambda function of the product: one package of `lambdas/`, its own role with exact actions, its own log group.

Knows runtime, architecture, bundle and what every function may do (write its own log). Does not know what a handler
does: its environment and its statements are given.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.constructs.data_key import DataKey
from stacks.constructs.log_group import log_group
from stacks.constructs.operations import Operations


class HandlerFunction(Construct):
    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        package: str,
        description: str,
        bundle: Path,
        environment: Mapping[str, str],
        statements: Iterable[iam.PolicyStatement],
        timeout: Duration,
        memory_mib: int,
        key: DataKey,
        log_days: int,
        operations: Operations,
    ) -> None:
        super().__init__(scope, id_)
        logs = log_group(self, "Log", key=key, days=log_days)
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=description,
        )
        self.role.add_to_policy(
            iam.PolicyStatement(actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[logs.log_group_arn])
        )
        for statement in statements:
            self.role.add_to_policy(statement)
        self.timeout = timeout
        self.function = lambda_.Function(
            self,
            "Function",
            description=description,
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            code=lambda_.Code.from_asset(str(bundle)),
            handler=f"lambdas.{package}.handler.handle",
            environment=dict(environment),
            environment_encryption=key.key,
            role=self.role.without_policy_updates(),
            timeout=timeout,
            memory_size=memory_mib,
            log_group=logs,
        )
        # The function must not start before it may write its log and do its work.
        self.function.node.add_dependency(self.role)
        self.errors = operations.alarm(
            self,
            "Errors",
            description=f"{package}: the function raised errors",
            namespace="AWS/Lambda",
            metric_name="Errors",
            dimensions={"FunctionName": self.function.function_name},
            statistic="Sum",
            threshold=0,
            period=Duration.minutes(5),
        )

    @property
    def arn(self) -> str:
        return self.function.function_arn

    def invoking(self) -> iam.PolicyStatement:
        """What a role needs to call the function."""
        return iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[self.arn])
