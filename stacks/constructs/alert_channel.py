"""Where alerts go: an encrypted topic, its readers, and in some stages an inbox that keeps every alert.

Knows delivery. Does not know when something is worth an alert.
"""

from collections.abc import Sequence

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.constructs.data_key import DataKey
from stacks.constructs.operations import Operations
from stacks.constructs.role import Statement
from stacks.constructs.work_queue import DeadLetters


class AlertChannel(Construct):
    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        key: DataKey,
        emails: Sequence[str],
        inbox: bool,
        failures: DeadLetters,
        operations: Operations,
    ) -> None:
        super().__init__(scope, id_)
        self._key = key
        self._topic = sns.Topic(self, "Topic", display_name="Earshot alerts", master_key=key.key, enforce_ssl=True)
        for email in emails:
            self._topic.add_subscription(subscriptions.EmailSubscription(email))
        self.inbox = self._inbox(failures) if inbox else None
        operations.alarm(
            self,
            "Undelivered",
            description="Alerts did not reach their readers",
            namespace="AWS/SNS",
            metric_name="NumberOfNotificationsFailed",
            dimensions={"TopicName": self._topic.topic_name},
            statistic="Sum",
            threshold=0,
            period=Duration.minutes(5),
        )

    @property
    def topic_arn(self) -> str:
        return self._topic.topic_arn

    def publishing(self) -> list[Statement]:
        """What a role needs to send an alert."""
        return [Statement(actions=["sns:Publish"], resources=[self.topic_arn]), self._key.writing()]

    def _inbox(self, failures: DeadLetters) -> sqs.Queue:
        inbox = sqs.Queue(
            self,
            "Inbox",
            retention_period=Duration.days(14),
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=self._key.key,
            enforce_ssl=True,
            removal_policy=RemovalPolicy.DESTROY,
        )
        inbox.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlertsOfThisTopic",
                principals=[iam.ServicePrincipal("sns.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[inbox.queue_arn],
                conditions={"ArnEquals": {"aws:SourceArn": self.topic_arn}},
            )
        )
        failures.take_undelivered_messages(self.topic_arn)
        sns.CfnSubscription(
            self,
            "InboxSubscription",
            topic_arn=self.topic_arn,
            protocol="sqs",
            endpoint=inbox.queue_arn,
            redrive_policy={"deadLetterTargetArn": failures.queue.queue_arn},
        )
        return inbox
