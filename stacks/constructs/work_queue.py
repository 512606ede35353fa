"""Queues: work that waits, and what could not be done after several tries.

Knows encryption, retention, redrive and the alarms that say work is stuck. Does not know the messages.
"""

from aws_cdk import Aws, Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.acknowledgements import acknowledge
from stacks.constructs.data_key import DataKey
from stacks.constructs.operations import Operations
from stacks.constructs.role import Statement

RECEIVES_BEFORE_DEAD = 5
_USUAL_RECEIVES = 100


class DeadLetters(Construct):
    """A queue for what failed; one message in it is an alarm. Kept as long as SQS can."""

    def __init__(self, scope: Construct, id_: str, *, what: str, key: DataKey, operations: Operations) -> None:
        super().__init__(scope, id_)
        self._key = key
        self.queue = sqs.Queue(
            self,
            "Queue",
            retention_period=Duration.days(14),
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=key.key,
            enforce_ssl=True,
            # Says what the queue is for. `byQueue` would need the source's ARN, and the source needs this queue's.
            redrive_allow_policy=sqs.RedriveAllowPolicy(redrive_permission=sqs.RedrivePermission.ALLOW_ALL),
            removal_policy=RemovalPolicy.DESTROY,
        )
        operations.alarm(
            self,
            "Depth",
            description=f"{what} failed for good and wait in the dead letter queue",
            namespace="AWS/SQS",
            metric_name="ApproximateNumberOfMessagesVisible",
            dimensions={"QueueName": self.queue.queue_name},
            statistic="Maximum",
            threshold=0,
            period=Duration.minutes(5),
        )

    def take_events(self) -> None:
        """Let rules of this account put events here: those that tell of a failure, or found no other target."""
        self.queue.add_to_resource_policy(
            iam.PolicyStatement(
                sid="EventsOfThisAccount",
                principals=[iam.ServicePrincipal("events.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[self.queue.queue_arn],
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            )
        )

    def take_undelivered_messages(self, topic_arn: str) -> None:
        """Let SNS put messages of the topic here that it could not hand to a subscriber."""
        self.queue.add_to_resource_policy(
            iam.PolicyStatement(
                sid="UndeliveredMessages",
                principals=[iam.ServicePrincipal("sns.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[self.queue.queue_arn],
                conditions={"ArnEquals": {"aws:SourceArn": topic_arn}},
            )
        )

    def sending(self) -> list[Statement]:
        """What a role needs to put messages here."""
        return [
            Statement(actions=["sqs:SendMessage"], resources=[self.queue.queue_arn]),
            self._key.writing(),
        ]


class WorkQueue(Construct):
    """Work with at-least-once delivery; dead after some receives."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        what: str,
        worker_timeout: Duration,
        oldest_message_alarm: Duration,
        key: DataKey,
        operations: Operations,
        receives: int = RECEIVES_BEFORE_DEAD,
    ) -> None:
        super().__init__(scope, id_)
        self._key = key
        self.dead_letters = DeadLetters(self, "DeadLetters", what=what, key=key, operations=operations)
        self.queue = sqs.Queue(
            self,
            "Queue",
            # AWS's rule for Lambda: at least six times the function's timeout.
            visibility_timeout=Duration.seconds(6 * int(worker_timeout.to_seconds())),
            retention_period=Duration.days(14),
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=key.key,
            enforce_ssl=True,
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letters.queue, max_receive_count=receives),
            removal_policy=RemovalPolicy.DESTROY,
        )
        resource = self.queue.node.default_child
        if receives > _USUAL_RECEIVES and isinstance(resource, sqs.CfnQueue):
            reason = "What takes the messages on may be away for long, and each is worth every try"
            acknowledge(resource, rule="DELIVERY-02", reason=reason)
        operations.alarm(
            self,
            "OldestMessage",
            description=f"{what} wait too long in the queue",
            namespace="AWS/SQS",
            metric_name="ApproximateAgeOfOldestMessage",
            dimensions={"QueueName": self.queue.queue_name},
            statistic="Maximum",
            threshold=oldest_message_alarm.to_seconds(),
            period=Duration.minutes(1),
        )

    def sending(self) -> list[Statement]:
        """What a role needs to put work into the queue."""
        return [
            Statement(actions=["sqs:SendMessage"], resources=[self.queue.queue_arn]),
            self._key.writing(),
        ]

    def consuming(self) -> list[Statement]:
        """What a worker's role needs."""
        return [
            Statement(
                actions=[
                    "sqs:ChangeMessageVisibility",
                    "sqs:DeleteMessage",
                    "sqs:GetQueueAttributes",
                    "sqs:ReceiveMessage",
                ],
                resources=[self.queue.queue_arn],
            ),
            self._key.reading(),
        ]
