"""Rules for streams: Kinesis data streams and what Firehose writes are encrypted, and failures are kept and logged."""

from __future__ import annotations

from collections.abc import Iterator

from policy.parts import Part
from policy.rule import Fault, Kept, rule
from policy.rules.data.customer_key import uses_own_keys
from policy.template import Resource, Template
from policy.values import is_known, is_true, number, text

A_WEEK_IN_HOURS = 168
FIREHOSE = "AWS::KinesisFirehose::DeliveryStream"
S3_DESTINATIONS = ("ExtendedS3DestinationConfiguration", "S3DestinationConfiguration")
OTHER_DESTINATIONS = (
    "AmazonOpenSearchServerlessDestinationConfiguration",
    "AmazonopensearchserviceDestinationConfiguration",
    "ElasticsearchDestinationConfiguration",
    "HttpEndpointDestinationConfiguration",
    "IcebergDestinationConfiguration",
    "RedshiftDestinationConfiguration",
    "SnowflakeDestinationConfiguration",
    "SplunkDestinationConfiguration",
)


def destinations(stream: Resource, *names: str) -> list[tuple[str, Part]]:
    return [(name, part) for name in names for part in Part.of(stream).at(name)]


@rule(
    id="DELIVERY-50",
    title="Firehose keeps its failures apart",
    why="Records that cannot be processed land among the good ones, or under a name that nobody looks at",
    mend="Set ErrorOutputPrefix of the S3 destination, for instance errors/!{firehose:error-output-type}/",
)
def failures_are_kept_apart(template: Template) -> Iterator[Fault]:
    for stream in template.of_type(FIREHOSE):
        for name, destination in destinations(stream, *S3_DESTINATIONS):
            if not destination.has("ErrorOutputPrefix"):
                yield Fault(stream, name)
            elif text(destination.value("ErrorOutputPrefix")) == text(destination.value("Prefix")):
                yield Fault(stream, "ErrorOutputPrefix and Prefix are the same")


@rule(
    id="DELIVERY-51",
    title="Firehose logs its failures",
    why="Without a log nobody learns why records did not arrive",
    mend="Set CloudWatchLoggingOptions with Enabled, LogGroupName and LogStreamName on the destination",
)
def failures_are_logged(template: Template) -> Iterator[Fault]:
    for stream in template.of_type(FIREHOSE):
        for name, destination in destinations(stream, *S3_DESTINATIONS, *OTHER_DESTINATIONS):
            enabled = destination.values("CloudWatchLoggingOptions.Enabled")
            if any(is_known(value) and not is_true(value) for value in enabled):
                yield Fault(stream, name)
            elif not all(
                destination.has(f"CloudWatchLoggingOptions.{part}") for part in ("LogGroupName", "LogStreamName")
            ):
                yield Fault(stream, f"{name} names no log group and stream")


@rule(
    id="DELIVERY-52",
    title="Firehose streams are encrypted",
    why="What is put into the stream lies readable on the service's disks until it is written",
    mend="Set DeliveryStreamEncryptionConfigurationInput (the stream of a Kinesis source is encrypted at its source)",
    controls=("DataFirehose.1",),
)
def firehose_is_encrypted(template: Template) -> Iterator[Fault]:
    for stream in template.of_type(FIREHOSE):
        kind = stream.value("DeliveryStreamType")
        if (kind is None or kind == "DirectPut") and not stream.has("DeliveryStreamEncryptionConfigurationInput"):
            yield Fault(stream)


@rule(
    id="DELIVERY-53",
    title="Firehose writes encrypted",
    why="What a stream writes without a key of yours is readable for everyone who may read the bucket",
    mend="Set EncryptionConfiguration.KMSEncryptionConfig.AWSKMSKeyARN of the S3 destination",
    practice=True,
)
def firehose_writes_encrypted(template: Template) -> Iterator[Fault | Kept]:
    for stream in template.of_type(FIREHOSE):
        for name, destination in destinations(stream, *S3_DESTINATIONS):
            key = "EncryptionConfiguration.KMSEncryptionConfig.AWSKMSKeyARN"
            if destination.has(key):
                yield Kept(stream)
                continue
            yield Fault(stream, name)
            if uses_own_keys(template):
                yield Kept(stream)


@rule(
    id="DELIVERY-54",
    title="Kinesis streams are encrypted",
    why="Records lie readable on the service's disks for as long as the stream keeps them",
    mend="Set StreamEncryption with EncryptionType KMS and a KeyId",
    controls=("Kinesis.1",),
)
def streams_are_encrypted(template: Template) -> Iterator[Fault]:
    for stream in template.of_type("AWS::Kinesis::Stream"):
        if not all(
            not is_known(value) or value == "KMS" for value in stream.values("StreamEncryption", "EncryptionType")
        ):
            yield Fault(stream)


@rule(
    id="DELIVERY-55",
    title="Kinesis streams keep their records for a week",
    why="A consumer that is broken over a weekend loses what a day-long stream did not keep",
    mend="Set RetentionPeriodHours to 168 or more",
    controls=("Kinesis.3",),
    practice=True,
)
def streams_keep_a_week(template: Template) -> Iterator[Fault | Kept]:
    for stream in template.of_type("AWS::Kinesis::Stream"):
        hours = stream.value("RetentionPeriodHours")
        enough = not is_known(hours) or (number(hours) or 0) >= A_WEEK_IN_HOURS
        yield Kept(stream) if enough else Fault(stream)
