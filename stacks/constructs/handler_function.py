"""A Lambda function of the product: one package of `lambdas/`, its own role with exact actions, its own log group.

Knows runtime, architecture, bundle and what every function may do: write its own log, send traces, leave what failed in
a dead letter queue, and in a private network have its interfaces there. Does not know what a handler does: its
environment and its statements are given.
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
from stacks.constructs.private_network import NetworkSegment
from stacks.constructs.role import TRACING, Role, Statement
from stacks.constructs.work_queue import DeadLetters


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
        statements: Iterable[Statement],
        timeout: Duration,
        memory_mib: int,
        key: DataKey,
        log_days: int,
        operations: Operations,
        failures: DeadLetters,
        network: NetworkSegment | None,
        concurrency: int | None,
        calls_itself: bool = False,
        refuses_by_raising: bool = False,
    ) -> None:
        """`refuses_by_raising` is an authorizer's way; where one fails otherwise, its API answers 5xx."""
        super().__init__(scope, id_)
        logs = log_group(self, "Log", key=key, days=log_days)
        writing_log = Statement(actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[logs.log_group_arn])
        on_every_functions_behalf = [
            writing_log,
            TRACING,
            *failures.sending(),
            *(network.joining() if network else ()),
        ]
        self.role = Role(
            self,
            "Access",
            service="lambda",
            description=description,
            statements=[*on_every_functions_behalf, *statements],
        )
        self.function = lambda_.Function(
            self,
            "Function",
            description=description,
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            code=lambda_.Code.from_asset(str(bundle)),
            handler=f"lambdas.{package}.handler.handle",
            environment=dict(environment),
            environment_encryption=key.key,
            role=iam.Role.from_role_arn(self, "Role", self.role.arn, mutable=False),
            timeout=timeout,
            memory_size=memory_mib,
            log_group=logs,
            tracing=lambda_.Tracing.ACTIVE,
            reserved_concurrent_executions=concurrency,
        )
        resource = self.function.node.default_child
        if not isinstance(resource, lambda_.CfnFunction):
            raise TypeError("the default child of a function is its CloudFormation resource")
        # By property, since the role is ours: `dead_letter_queue=` and `vpc=` would add statements and groups.
        resource.dead_letter_config = lambda_.CfnFunction.DeadLetterConfigProperty(target_arn=failures.queue.queue_arn)
        if network:
            resource.vpc_config = lambda_.CfnFunction.VpcConfigProperty(
                subnet_ids=network.subnet_ids, security_group_ids=[network.group_id]
            )
        if calls_itself:
            # Through its queue, for as long as an outage lasts; Lambda would end the loop after sixteen rounds.
            resource.recursive_loop = "Allow"
        self.arn = self.function.function_arn
        # The function must not start before it may write its log and do its work.
        self.function.node.add_dependency(self.role.policy)
        if not refuses_by_raising:
            operations.alarm(
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
        operations.alarm(
            self,
            "Throttles",
            description=f"{package}: calls were turned away, since no more of the function may run at once",
            namespace="AWS/Lambda",
            metric_name="Throttles",
            dimensions={"FunctionName": self.function.function_name},
            statistic="Sum",
            threshold=0,
            period=Duration.minutes(5),
        )

    def invoking(self) -> Statement:
        """What a role needs to call the function."""
        return Statement(actions=["lambda:InvokeFunction"], resources=[self.arn])
