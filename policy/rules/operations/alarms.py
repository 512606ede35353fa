"""Rules for alarms: each tells somebody, and can go off."""

from __future__ import annotations

from collections.abc import Iterator

from policy.parts import Part
from policy.rule import Fault, Kept, as_siblings_do, rule
from policy.template import Resource, Template
from policy.values import is_false, items, number, text

ALARM = "AWS::CloudWatch::Alarm"
COMPOSITE = "AWS::CloudWatch::CompositeAlarm"
ACTIONS = ("AlarmActions", "OKActions", "InsufficientDataActions")
# These act on alarms that they name themselves: they need no action of their own.
ACTING = (
    COMPOSITE,
    "AWS::AppConfig::Environment",
    "AWS::CodeDeploy::DeploymentGroup",
    "AWS::ECS::Service",
    "AWS::Lambda::Alias",
    "AWS::Route53::HealthCheck",
    "AWS::SageMaker::Endpoint",
    "AWS::SageMaker::InferenceComponent",
)
# (namespace, metric) where more is worse; an alarm on less of them never goes off when it should.
WORSE_WHEN_MORE = {
    "AWS/ApiGateway": ("4XXError", "5XXError", "4xx", "5xx", "Latency", "IntegrationLatency"),
    "AWS/DynamoDB": ("SystemErrors", "UserErrors", "ThrottledRequests", "ReadThrottleEvents", "WriteThrottleEvents"),
    "AWS/Events": ("FailedInvocations", "InvocationsFailedToBeSentToDLQ", "InvocationsSentToDLQ"),
    "AWS/Firehose": ("DeliveryToS3.DataFreshness", "ThrottledRecords"),
    "AWS/Kinesis": ("GetRecords.IteratorAgeMilliseconds", "WriteProvisionedThroughputExceeded"),
    "AWS/Lambda": ("Errors", "Throttles", "Duration", "IteratorAge", "DeadLetterErrors", "DestinationDeliveryFailures"),
    "AWS/SNS": ("NumberOfNotificationsFailed", "NumberOfNotificationsFailedToRedriveToDlq"),
    "AWS/SQS": ("ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"),
    "AWS/SageMaker": (
        "Invocation4XXErrors", "Invocation5XXErrors", "InvocationModelErrors", "ModelLatency", "OverheadLatency",
    ),
    "AWS/States": ("ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted", "ExecutionThrottled"),
}  # fmt: skip
COUNTS = (
    "Errors", "Throttles", "5XXError", "5xx", "ApproximateNumberOfMessagesVisible", "ExecutionsFailed",
    "ExecutionsTimedOut", "FailedInvocations", "Invocation5XXErrors", "InvocationModelErrors",
    "NumberOfNotificationsFailed", "SystemErrors",
)  # fmt: skip
# Metrics of these are only found with a dimension that names a resource.
NEED_DIMENSIONS = ("AWS/SQS", "AWS/SageMaker", "AWS/States", "AWS/Firehose", "AWS/Kinesis")
SENSELESS_COUNT = 100_000
LONGEST_SECONDS = 86_400


def metrics_of(alarm: Resource) -> list[Part]:
    """The metrics that an alarm looks at: its own, or those of its expression, each with MetricName and Dimensions."""
    return [
        *([Part.of(alarm)] if alarm.has("MetricName") else []),
        *(metric for query in Part.of(alarm).each("Metrics") for metric in query.at("MetricStat.Metric")),
    ]


def looks_at(alarm: Resource, resource: Resource, metric_names: tuple[str, ...]) -> bool:
    """The alarm is on one of these metrics of this resource; a metric or dimension that is not known may be it."""
    return any(
        (text(metric.value("MetricName")) in (*metric_names, None))
        and any(_is_of(dimension.value("Value"), resource) for dimension in metric.each("Dimensions"))
        for metric in metrics_of(alarm)
    )


def _is_of(value: object, resource: Resource) -> bool:
    return text(value) is None or resource in resource.template.targets(value)


@rule(
    id="OPS-10",
    title="Alarms tell somebody",
    why="An alarm without an action goes off where nobody looks",
    mend="Set AlarmActions, for instance to a topic that people are subscribed to",
    controls=("CloudWatch.15",),
)
def alarms_tell_somebody(template: Template) -> Iterator[Fault]:
    for alarm in template.of_type(ALARM, COMPOSITE):
        if not _has_actions(alarm) and not _is_acted_on(alarm):
            yield Fault(alarm)


def _has_actions(alarm: Resource) -> bool:
    return all(value not in (None, "", []) and "" not in items(value) for value in alarm.values("AlarmActions"))


def _is_acted_on(alarm: Resource) -> bool:
    template = alarm.template
    return bool(template.referrers(alarm, *ACTING)) or "AWS::SageMaker::Endpoint" in {
        other.type for other in template.referrers(alarm)
    }


@rule(
    id="OPS-11",
    title="Alarms are switched on",
    why="With its actions off an alarm goes off and tells nobody",
    mend="Leave ActionsEnabled out, or set it to true",
    controls=("CloudWatch.17",),
)
def alarms_are_on(template: Template) -> Iterator[Fault]:
    for alarm in template.of_type(ALARM, COMPOSITE):
        if any(is_false(value) for value in alarm.values("ActionsEnabled")):
            yield Fault(alarm)


@rule(
    id="OPS-12",
    title="Alarms can go off",
    why="An alarm whose comparison, threshold or dimensions do not fit its metric is silent when it is needed",
    mend="Compare errors, ages and depths with GreaterThan..., a threshold in reach and the resource's dimensions",
)
def alarms_can_go_off(template: Template) -> Iterator[Fault]:
    for alarm in template.of_type(ALARM):
        namespace = text(alarm.value("Namespace")) or ""
        metric = text(alarm.value("MetricName")) or ""
        comparison = text(alarm.value("ComparisonOperator")) or ""
        threshold = number(alarm.value("Threshold"))
        if metric in WORSE_WHEN_MORE.get(namespace, ()):
            if comparison.startswith("LessThan") and not _scales(alarm):
                yield Fault(alarm, f"{comparison} on {metric}")
            elif metric in COUNTS and threshold is not None and threshold >= SENSELESS_COUNT:
                yield Fault(alarm, f"a threshold of {threshold:.0f} on {metric}")
        if namespace in NEED_DIMENSIONS and metric and not alarm.has("Dimensions"):
            yield Fault(alarm, f"no dimension on {metric}")
        missing = _missing(alarm)
        if missing:
            yield Fault(alarm, f"without {', '.join(missing)}")
        if _seconds(alarm) > LONGEST_SECONDS:
            yield Fault(alarm, "it looks at more than a day")


def _missing(alarm: Resource) -> list[str]:
    """What an alarm on one metric lacks to look at it."""
    if alarm.has("Metrics"):
        return []
    names = ["Namespace", "MetricName", "Period", "ComparisonOperator", "EvaluationPeriods"]
    missing = [name for name in names if alarm.value(name) is None]
    if alarm.value("Statistic") is None and alarm.value("ExtendedStatistic") is None:
        missing.append("Statistic")
    if alarm.value("Threshold") is None and alarm.value("ThresholdMetricId") is None:
        missing.append("Threshold")
    dimensions = Part.of(alarm).each("Dimensions")
    if any(part.value(name) is None for part in dimensions for name in ("Name", "Value")):
        missing.append("a dimension's name or value")
    return missing


def _scales(alarm: Resource) -> bool:
    """An alarm that lets capacity go compares the other way round."""
    named = [resource.type for value in alarm.items("AlarmActions") for resource in alarm.template.targets(value)]
    return any(type_.endswith("::ScalingPolicy") for type_ in named)


def _seconds(alarm: Resource) -> float:
    periods, length = number(alarm.value("EvaluationPeriods")), number(alarm.value("Period"))
    # A day in one period is the most that CloudWatch takes; a week is allowed for periods of an hour or more.
    return periods * length if periods and length and length < 3_600 else 0


@rule(
    id="OPS-13",
    title="An alarm on errors is quiet when there are none",
    why="Metrics of errors have no data while all is well: `breaching` makes that an alarm, and `ignore` lets none end",
    mend="Set TreatMissingData to notBreaching",
)
def missing_data_fits(template: Template) -> Iterator[Fault]:
    for alarm in template.of_type(ALARM):
        namespace = text(alarm.value("Namespace")) or ""
        more_is_worse = text(alarm.value("MetricName")) in WORSE_WHEN_MORE.get(namespace, ())
        comparison = text(alarm.value("ComparisonOperator")) or ""
        if more_is_worse and comparison.startswith("GreaterThan"):
            for treated in alarm.values("TreatMissingData"):
                if text(treated) in ("breaching", "ignore"):
                    yield Fault(alarm, text(treated) or "")


@rule(
    id="OPS-14",
    title="An alarm on errors says what no data means",
    why="An alarm without data is INSUFFICIENT_DATA: nobody can tell whether it works",
    mend="Set TreatMissingData to notBreaching",
    practice=True,
)
def missing_data_is_thought_of(template: Template) -> Iterator[Fault | Kept]:
    yield from as_siblings_do(
        Kept(alarm) if alarm.has("TreatMissingData") else Fault(alarm)
        for alarm in template.of_type(ALARM)
        if text(alarm.value("MetricName")) in COUNTS
    )
