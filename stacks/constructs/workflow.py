"""A Step Functions state machine from a definition in the States Language, with a role of exact statements and logs.

Knows logging, tracing and the alarm on failed executions. Does not know the states.
"""

from collections.abc import Iterable, Mapping

from aws_cdk import Duration, Stack
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.constructs.data_key import DataKey
from stacks.constructs.log_group import log_group
from stacks.constructs.operations import Operations
from stacks.constructs.role import TRACING, Role, Statement

# Step Functions asks X-Ray which executions to trace; the call has no resource to name.
_SAMPLING = Statement(actions=["xray:GetSamplingRules", "xray:GetSamplingTargets"], resources=["*"])


class Workflow(Construct):
    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        definition: Mapping[str, object],
        statements: Iterable[Statement],
        key: DataKey,
        log_days: int,
        operations: Operations,
    ) -> None:
        super().__init__(scope, id_)
        # The prefix keeps the resource policy of Step Functions' log delivery below its size limit.
        logs = log_group(self, "Log", key=key, days=log_days, name=f"/aws/vendedlogs/states/{name}")
        role = Role(
            self,
            "Access",
            service="states",
            description=f"Runs {name}",
            statements=[*statements, _log_delivery(), TRACING, _SAMPLING],
        )
        machine = sfn.CfnStateMachine
        state_machine = sfn.CfnStateMachine(
            self,
            "StateMachine",
            state_machine_name=name,
            state_machine_type="STANDARD",
            role_arn=role.arn,
            definition_string=Stack.of(self).to_json_string(definition),
            logging_configuration=machine.LoggingConfigurationProperty(
                # Execution data stays out of the log: inputs of a release or a run may grow to hold more than names.
                level="ALL",
                include_execution_data=False,
                destinations=[
                    machine.LogDestinationProperty(
                        cloud_watch_logs_log_group=machine.CloudWatchLogsLogGroupProperty(
                            log_group_arn=logs.log_group_arn
                        )
                    )
                ],
            ),
            tracing_configuration=machine.TracingConfigurationProperty(enabled=True),
        )
        self.arn = state_machine.ref
        self.state_machine = state_machine
        state_machine.node.add_dependency(role.policy)
        # One that times out has not failed, to Step Functions.
        for id_, metric, what in (
            ("Failures", "ExecutionsFailed", "failed"),
            ("Timeouts", "ExecutionsTimedOut", "timed out"),
        ):
            operations.alarm(
                self,
                id_,
                description=f"{name}: an execution {what}",
                namespace="AWS/States",
                metric_name=metric,
                dimensions={"StateMachineArn": self.arn},
                statistic="Sum",
                threshold=0,
                period=Duration.minutes(5),
            )

    def starting(self) -> Statement:
        """What a role needs to start an execution."""
        return Statement(actions=["states:StartExecution"], resources=[self.arn])


def _log_delivery() -> Statement:
    """The log delivery API has no resources to name: https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html."""
    return Statement(
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
