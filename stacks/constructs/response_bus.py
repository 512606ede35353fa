"""The bus of automatic responses, and an example of what may follow from one: a case in the lake.

A team hangs its own rules onto the bus (a ticket, a product taken off the shelf); nothing of Earshot waits for them.
Knows the bus and the rule's form. Does not know when something is worth a response.
"""

from aws_cdk import Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.constructs.arns import arn
from stacks.constructs.data_key import DataKey
from stacks.constructs.handler_function import HandlerFunction
from stacks.constructs.role import Statement
from stacks.constructs.work_queue import DeadLetters

_SOURCE = "earshot"


class ResponseBus(Construct):
    def __init__(self, scope: Construct, id_: str, *, name: str, key: DataKey, failures: DeadLetters) -> None:
        super().__init__(scope, id_)
        self._failures = failures
        self._bus = events.CfnEventBus(
            self,
            "Bus",
            name=name,
            description="Automatic responses to feedback",
            kms_key_identifier=key.arn,
            dead_letter_config=events.CfnEventBus.DeadLetterConfigProperty(arn=failures.queue.queue_arn),
            policy={
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Sid": "ThisAccount",
                        "Effect": "Allow",
                        "Principal": {"AWS": arn("iam", "root", region="")},
                        "Action": "events:PutEvents",
                        "Resource": arn("events", f"event-bus/{name}"),
                    }
                ],
            },
        )

    @property
    def name(self) -> str:
        return self._bus.ref

    def putting(self) -> Statement:
        """What a role needs to put events on the bus; EventBridge itself encrypts them."""
        return Statement(actions=["events:PutEvents"], resources=[self._bus.attr_arn])

    def answer(self, scope: Construct, id_: str, *, what: str, function: HandlerFunction) -> None:
        """Call the function with every response."""
        rule = events.CfnRule(
            scope,
            id_,
            description=what,
            event_bus_name=self._bus.ref,
            event_pattern={"source": [_SOURCE]},
            state="ENABLED",
            targets=[
                events.CfnRule.TargetProperty(
                    id="Function",
                    arn=function.arn,
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=self._failures.queue.queue_arn),
                )
            ],
        )
        lambda_.CfnPermission(
            scope,
            f"{id_}Invoking",
            action="lambda:InvokeFunction",
            function_name=function.arn,
            principal="events.amazonaws.com",
            source_account=Stack.of(scope).account,
            source_arn=rule.attr_arn,
        )
