"""Rules for event source mappings: one bad record does not block or repeat the others, nor is it tried for ever."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from policy.rule import Fault, Kept, rule
from policy.rules.delivery.dead_letters import MAPPING, QUEUE
from policy.template import Resource, Template
from policy.values import UNKNOWN, is_known, is_true, number, text

Source = Literal["queue", "stream", "other"]
STREAMS = ("AWS::Kinesis::Stream", "AWS::Kinesis::StreamConsumer", "AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable")
# Properties that only mappings of brokers and of Kafka have.
OTHER_SOURCES = (
    "AmazonManagedKafkaEventSourceConfig",
    "DocumentDBEventSourceConfig",
    "Queues",
    "SelfManagedEventSource",
    "SelfManagedKafkaEventSourceConfig",
    "Topics",
)
FEWEST_CONCURRENT, MOST_CONCURRENT = 2, 1_000
MOST_RETRIES = 1_000


def source_of(found: Resource) -> Source:
    """What a mapping reads; from an ARN of elsewhere it is told by the properties that each kind alone has."""
    arn = found.value("EventSourceArn")
    target = found.template.target(arn, QUEUE, *STREAMS)
    if target is not None:
        return "queue" if target.type == QUEUE else "stream"
    written = text(arn) or ""
    for service, source in (("sqs", "queue"), ("kinesis", "stream"), ("dynamodb", "stream")):
        if f":{service}:" in written:
            return source  # type: ignore[return-value]
    if any(found.has(name) for name in OTHER_SOURCES) or not found.has("EventSourceArn"):
        return "other"
    return "stream" if found.has("StartingPosition") else "queue"


@rule(
    id="DELIVERY-20",
    title="A batch fails record by record",
    why="Without partial responses one bad record makes the whole batch come again, the good ones with it",
    mend="Set FunctionResponseTypes to [ReportBatchItemFailures], and answer batchItemFailures",
)
def batches_fail_in_parts(template: Template) -> Iterator[Fault]:
    for found in template.of_type(MAPPING):
        if source_of(found) == "other" or number(found.value("BatchSize")) == 1:
            continue
        for types in found.values("FunctionResponseTypes"):
            if types is UNKNOWN or (isinstance(types, list) and any(not is_known(item) for item in types)):
                continue
            if not isinstance(types, list) or "ReportBatchItemFailures" not in types:
                yield Fault(found)


@rule(
    id="DELIVERY-21",
    title="A queue does not scale its consumer without limit",
    why="A full queue takes the account's whole concurrency, and overruns what the function calls",
    mend="Set ScalingConfig.MaximumConcurrency of the mapping (2 to 1000)",
)
def consumers_scale_within_limits(template: Template) -> Iterator[Fault]:
    for found in template.of_type(MAPPING):
        if source_of(found) != "queue" or found.has("ProvisionedPollerConfig"):
            continue
        for most in found.values("ScalingConfig", "MaximumConcurrency"):
            if not is_known(most):
                continue
            allowed = number(most)
            if allowed is None or not FEWEST_CONCURRENT <= allowed <= MOST_CONCURRENT:
                yield Fault(found, f"MaximumConcurrency is {'not set' if most is None else text(most)}")


@rule(
    id="DELIVERY-22",
    title="A stream's records are not tried for ever",
    why="A record that always fails blocks its shard until the records behind it expire",
    mend="Set MaximumRetryAttempts or MaximumRecordAgeInSeconds of the mapping",
)
def retries_end(template: Template) -> Iterator[Fault]:
    for found in template.of_type(MAPPING):
        if source_of(found) != "stream":
            continue
        retries = found.values("MaximumRetryAttempts")
        ages = found.values("MaximumRecordAgeInSeconds")
        if any(_is_endless(value) for value in retries) and any(_is_endless(value) for value in ages):
            yield Fault(found)
        elif any((number(value) or 0) > MOST_RETRIES for value in retries):
            yield Fault(found, f"more than {MOST_RETRIES} retries")


def _is_endless(value: object) -> bool:
    return value is None or (is_known(value) and (number(value) or 0) < 0)


@rule(
    id="DELIVERY-23",
    title="What a stream's consumer gives up is kept",
    why="Records that failed for good are dropped without a trace",
    mend="Set DestinationConfig.OnFailure.Destination of the mapping to a queue, a topic or a bucket",
)
def given_up_records_are_kept(template: Template) -> Iterator[Fault]:
    for found in template.of_type(MAPPING):
        if source_of(found) == "stream" and not found.has("DestinationConfig", "OnFailure", "Destination"):
            yield Fault(found)


@rule(
    id="DELIVERY-24",
    title="A failing batch of a stream is split",
    why="A batch that makes the function fail as a whole comes again and again as a whole",
    mend="Set BisectBatchOnFunctionError to true",
    practice=True,
)
def failing_batches_are_split(template: Template) -> Iterator[Fault | Kept]:
    for found in template.of_type(MAPPING):
        if source_of(found) == "stream" and number(found.value("BatchSize")) != 1:
            splits = found.value("BisectBatchOnFunctionError")
            yield Kept(found) if is_true(splits) or not is_known(splits) else Fault(found)


@rule(
    id="DELIVERY-25",
    title="Event source mappings are enabled",
    why="A mapping that is off reads nothing: what is sent waits until it expires",
    mend="Leave Enabled out, or set it to true",
)
def mappings_are_enabled(template: Template) -> Iterator[Fault]:
    for found in template.of_type(MAPPING):
        if any(value is False or value == "false" for value in found.values("Enabled")):
            yield Fault(found)
