"""What follows from a decision: a function on the ledger's stream, for the records that match a pattern.

Knows batching, retries and where a record goes that failed for good. Does not know what the function does.
"""

import json
from collections.abc import Mapping, Sequence

from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.constructs.handler_function import HandlerFunction
from stacks.constructs.ledger import Ledger
from stacks.constructs.role import Statement
from stacks.constructs.work_queue import DeadLetters


class StreamConsumer(Construct):
    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        ledger: Ledger,
        function: HandlerFunction,
        failures: DeadLetters,
        pattern: Mapping[str, object],
        batch_size: int,
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
                filters=[mapping.FilterProperty(pattern=json.dumps(pattern, sort_keys=True))]
            ),
        )
        # Lambda checks that the function's role may read the stream when the mapping is made.
        source.node.add_dependency(function.role.policy)


def statements_of_consumer(ledger: Ledger, failures: DeadLetters) -> Sequence[Statement]:
    """What a function needs that follows the stream: the stream, and where its failures go."""
    return [*ledger.following(), *failures.sending()]
