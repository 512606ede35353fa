"""A function that is called again and again, at a rate.

Knows the EventBridge rule, its permission and where a call goes that EventBridge could not make. Does not know the
work.
"""

from aws_cdk import Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.constructs.handler_function import HandlerFunction
from stacks.constructs.work_queue import DeadLetters


class Schedule(Construct):
    def __init__(
        self, scope: Construct, id_: str, *, what: str, minutes: int, function: HandlerFunction, failures: DeadLetters
    ) -> None:
        super().__init__(scope, id_)
        rule = events.CfnRule(
            self,
            "Rule",
            description=what,
            schedule_expression=f"rate({minutes} minute{'s' if minutes > 1 else ''})",
            state="ENABLED",
            targets=[
                events.CfnRule.TargetProperty(
                    id="Function",
                    arn=function.arn,
                    # A call that is late is made up for by the next one.
                    retry_policy=events.CfnRule.RetryPolicyProperty(maximum_event_age_in_seconds=60 * minutes),
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=failures.queue.queue_arn),
                )
            ],
        )
        lambda_.CfnPermission(
            self,
            "Invoking",
            action="lambda:InvokeFunction",
            function_name=function.arn,
            principal="events.amazonaws.com",
            source_account=Stack.of(self).account,
            source_arn=rule.attr_arn,
        )
