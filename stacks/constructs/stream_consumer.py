"""What follows from a decision: a function on the ledger's stream, for the records that match one of its patterns.

Knows batching, retries, where a record goes that failed for good, and the alarm on a stream that is not kept up with.
Does not know what the function does.
"""

import json
from collections.abc import Mapping, Sequence

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from feedback.ledger import State
from stacks.constructs.handler_function import HandlerFunction
from stacks.constructs.ledger import Ledger
from stacks.constructs.operations import Operations
from stacks.constructs.role import Statement
from stacks.constructs.work_queue import DeadLetters

# A batch waits up to a minute for company, and who waits longer is to be heard of within three.
_LATE = Duration.seconds(90)


# The ledger's stream calls a function once for each of its shards at a time.
SHARDS = 20


class StreamConsumer(Construct):
    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        ledger: Ledger,
        function: HandlerFunction,
        failures: DeadLetters,
        patterns: Sequence[Mapping[str, object]],
        batch_size: int,
        operations: Operations,
        batching_window_seconds: int = 0,
    ) -> None:
        super().__init__(scope, id_)
        mapping = lambda_.CfnEventSourceMapping
        source = lambda_.CfnEventSourceMapping(
            self,
            "Mapping",
            function_name=function.arn,
            event_source_arn=ledger.stream_arn,
            starting_position="TRIM_HORIZON",
            batch_size=batch_size,
            maximum_batching_window_in_seconds=batching_window_seconds,
            bisect_batch_on_function_error=True,
            maximum_retry_attempts=8,
            maximum_record_age_in_seconds=6 * 3600,
            function_response_types=["ReportBatchItemFailures"],
            destination_config=mapping.DestinationConfigProperty(
                on_failure=mapping.OnFailureProperty(destination=failures.queue.queue_arn)
            ),
            filter_criteria=mapping.FilterCriteriaProperty(
                filters=[mapping.FilterProperty(pattern=json.dumps(each, sort_keys=True)) for each in patterns]
            ),
        )
        # Lambda checks that the function's role may read the stream when the mapping is made.
        source.node.add_dependency(function.role.policy)
        operations.alarm(
            self,
            "Behind",
            description="Decisions wait too long for what follows from them",
            namespace="AWS/Lambda",
            metric_name="IteratorAge",
            dimensions={"FunctionName": function.function.function_name},
            statistic="Maximum",
            threshold=_LATE.to_milliseconds(),
            period=Duration.minutes(1),
        )


def statements_of_consumer(ledger: Ledger, failures: DeadLetters) -> Sequence[Statement]:
    """What a function needs that follows the stream: the stream, and where its failures go."""
    return [*ledger.following(), *failures.sending()]


def decided(**also: object) -> dict[str, object]:
    """Stream records of items that have their decision, whose other attributes are as said."""
    image = {"state": {"S": [state.value for state in State if state.is_decided]}, **also}
    return {"eventName": ["INSERT", "MODIFY"], "dynamodb": {"NewImage": image}}
