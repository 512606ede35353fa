"""The bucket that mails, recordings and files are dropped into, and a queue for each channel that reads them.

What is dropped is what a customer sent, before anything was taken out of it: it has the key of the originals and goes
after some days. Knows the bucket, who may put into it and which queue hears of an object. Does not know the channels'
functions.
"""

from collections.abc import Mapping, Sequence

from aws_cdk import Aws, Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from lambdas.channels.declaration import Access
from stacks.constructs.data_key import DataKey
from stacks.constructs.declared_channels import DropChannel
from stacks.constructs.lake import DROP_LOGS
from stacks.constructs.operations import Operations
from stacks.constructs.private_bucket import private_bucket
from stacks.constructs.role import Statement
from stacks.constructs.work_queue import WorkQueue

# A message is delivered as soon as its object is there; what waits longer than its worker may take is late.
_LATE = Duration.seconds(90)


class DropBox(Construct):
    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        channels: Sequence[DropChannel],
        days: int,
        key: DataKey,
        queue_key: DataKey,
        access_logs: str,
        delete_with_stack: bool,
        operations: Operations,
    ) -> None:
        super().__init__(scope, id_)
        self.key = key
        self.bucket = private_bucket(
            self,
            key=key,
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="Dropped",
                    expiration=Duration.days(days),
                    noncurrent_version_expiration=Duration.days(1),
                    abort_incomplete_multipart_upload_after=Duration.days(1),
                )
            ],
            delete_with_stack=delete_with_stack,
        )
        self.queues: Mapping[str, WorkQueue] = {
            each.channel.name: self._queue(each, queue_key, operations) for each in channels
        }
        self._announce(channels, access_logs)

    @property
    def name(self) -> str:
        return self.bucket.bucket_name

    def reading(self, prefix: str) -> list[Statement]:
        """What a channel's role needs to read what was dropped for it, in the version that it was told of.

        With the right to list, an object that is gone by then reads as missing, not as forbidden.
        """
        return [
            Statement(
                actions=["s3:GetObject", "s3:GetObjectVersion"], resources=[f"{self.bucket.bucket_arn}/{prefix}*"]
            ),
            Statement(
                actions=["s3:ListBucket"],
                resources=[self.bucket.bucket_arn],
                conditions={"StringLike": {"s3:prefix": [f"{prefix}*"]}},
            ),
            self.key.reading(),
        ]

    def writing(self, prefix: str) -> list[Statement]:
        """What a channel's role needs to leave something beside what was dropped."""
        return [
            Statement(actions=["s3:PutObject"], resources=[f"{self.bucket.bucket_arn}/{prefix}*"]),
            self.key.writing(),
        ]

    def _queue(self, each: DropChannel, key: DataKey, operations: Operations) -> WorkQueue:
        timeout = Duration.seconds(each.channel.timeout_seconds)
        queue = WorkQueue(
            self,
            each.channel.name.capitalize(),
            what=f"What was dropped for {each.channel.name}",
            worker_timeout=timeout,
            oldest_message_alarm=Duration.seconds(each.channel.timeout_seconds + int(_LATE.to_seconds())),
            receives=each.drop.receives,
            key=key,
            operations=operations,
        )
        queue.queue.add_to_resource_policy(
            iam.PolicyStatement(
                sid="ObjectsOfThisAccount",
                principals=[iam.ServicePrincipal("s3.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[queue.queue.queue_arn],
                # The bucket can only be made when the queue takes its messages, so that it has no name to give yet.
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            )
        )
        if Access.TRANSCRIBE in each.channel.access:
            queue.dead_letters.take_events()  # that a recording could not be transcribed
        return queue

    def _announce(self, channels: Sequence[DropChannel], access_logs: str) -> None:
        """`add_event_notification` would bring a custom resource with a Lambda function for what are properties."""
        resource = self.bucket.node.default_child
        if not isinstance(resource, s3.CfnBucket):
            raise TypeError("the default child of a bucket is its CloudFormation resource")
        filters = s3.CfnBucket
        resource.logging_configuration = s3.CfnBucket.LoggingConfigurationProperty(
            destination_bucket_name=access_logs, log_file_prefix=DROP_LOGS
        )
        resource.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(event_bridge_enabled=True),
            queue_configurations=[
                filters.QueueConfigurationProperty(
                    event="s3:ObjectCreated:*",
                    queue=self.queues[each.channel.name].queue.queue_arn,
                    filter=filters.NotificationFilterProperty(
                        s3_key=filters.S3KeyFilterProperty(
                            rules=[filters.FilterRuleProperty(name="prefix", value=each.drop.prefix)]
                        )
                    ),
                )
                for each in channels
            ],
        )
        # S3 tries the queues when the bucket is made.
        for queue in self.queues.values():
            self.bucket.node.add_dependency(queue.queue.node.find_child("Policy"))
