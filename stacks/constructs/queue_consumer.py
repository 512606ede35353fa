"""A function that works off a queue, message by message failing alone.

Knows batching and concurrency. Does not know the work.
"""

from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.constructs.handler_function import HandlerFunction
from stacks.constructs.work_queue import WorkQueue


class QueueConsumer(Construct):
    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        queue: WorkQueue,
        function: HandlerFunction,
        batch_size: int,
        maximum_concurrency: int,
    ) -> None:
        super().__init__(scope, id_)
        source = lambda_.CfnEventSourceMapping(
            self,
            "Mapping",
            function_name=function.arn,
            event_source_arn=queue.queue.queue_arn,
            batch_size=batch_size,
            function_response_types=["ReportBatchItemFailures"],
            scaling_config=lambda_.CfnEventSourceMapping.ScalingConfigProperty(maximum_concurrency=maximum_concurrency),
        )
        source.node.add_dependency(function.role.policy)
