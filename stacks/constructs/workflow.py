"""A Step Functions state machine from a definition in the States Language, with a role of exact statements and logs.

Knows logging and the alarm on failed executions. Does not know the states.
"""

from collections.abc import Iterable, Mapping

from aws_cdk import Aws, Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.constructs.data_key import DataKey
from stacks.constructs.log_group import log_group
from stacks.constructs.operations import Operations


class Workflow(Construct):
    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        definition: Mapping[str, object],
        statements: Iterable[iam.PolicyStatement],
        key: DataKey,
        log_days: int,
        operations: Operations,
    ) -> None:
        super().__init__(scope, id_)
        # The prefix keeps the resource policy of Step Functions' log delivery below its size limit.
        logs = log_group(self, "Log", key=key, days=log_days, name=f"/aws/vendedlogs/states/{name}")
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal(
                "states.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
            ),
            description=f"Runs {name}",
        )
        for statement in (*statements, _log_delivery()):
            role.add_to_policy(statement)
        machine = sfn.CfnStateMachine
        self._machine = sfn.CfnStateMachine(
            self,
            "StateMachine",
            state_machine_name=name,
            state_machine_type="STANDARD",
            role_arn=role.role_arn,
            definition_string=Stack.of(self).to_json_string(definition),
            logging_configuration=machine.LoggingConfigurationProperty(
                # Execution data stays out of the log: inputs of a release or a run may grow to hold more than names.
                level="ERROR",
                include_execution_data=False,
                destinations=[
                    machine.LogDestinationProperty(
                        cloud_watch_logs_log_group=machine.CloudWatchLogsLogGroupProperty(
                            log_group_arn=logs.log_group_arn
                        )
                    )
                ],
            ),
        )
        self._machine.node.add_dependency(role)
        operations.alarm(
            self,
            "Failures",
            description=f"{name}: an execution failed",
            namespace="AWS/States",
            metric_name="ExecutionsFailed",
            dimensions={"StateMachineArn": self.arn},
            statistic="Sum",
            threshold=0,
            period=Duration.minutes(5),
        )

    @property
    def arn(self) -> str:
        return self._machine.ref

    def starting(self) -> iam.PolicyStatement:
        """What a role needs to start an execution."""
        return iam.PolicyStatement(actions=["states:StartExecution"], resources=[self.arn])


def _log_delivery() -> iam.PolicyStatement:
    """The log delivery API has no resources to name: https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html."""
    return iam.PolicyStatement(
        actions=[
            "logs:CreateLogDelivery",
            "logs:DeleteLogDelivery",
            "logs:DescribeLogGroups",
            "logs:DescribeResourcePolicies",
            "logs:GetLogDelivery",
            "logs:ListLogDeliveries",
            "logs:PutResourcePolicy",
            "logs:UpdateLogDelivery",
        ],
        resources=["*"],
    )
