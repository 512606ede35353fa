"""Rules for the alarms that turn an endpoint's update back: they exist, watch this endpoint, and can go off."""

from __future__ import annotations

from collections.abc import Iterator

from policy.parts import Part, shown
from policy.rule import Fault, rule
from policy.rules.machine_learning.endpoints import ENDPOINT, config_of, variants
from policy.template import Resource, Template
from policy.values import UNKNOWN, Reference, is_known, number, text

ALARM = "AWS::CloudWatch::Alarm"
COMPOSITE_ALARM = "AWS::CloudWatch::CompositeAlarm"
ERRORS = frozenset(("Invocation4XXErrors", "Invocation5XXErrors", "InvocationModelErrors"))
LATENCIES = frozenset(("ModelLatency", "OverheadLatency"))
UPWARD = frozenset(("GreaterThanThreshold", "GreaterThanOrEqualToThreshold", "GreaterThanUpperThreshold"))
# SageMaker ends an invocation after a minute; its latency metrics are in microseconds.
LONGEST_ANSWER_MICROSECONDS = 60_000_000


def rollback_alarms(endpoint: Resource) -> list[object]:
    """The names of the alarms that turn an update of the endpoint back, resolved."""
    listed = Part.of(endpoint).each("DeploymentConfig.AutoRollbackConfiguration.Alarms")
    return [alarm.value("AlarmName") for alarm in listed]


def _watching(endpoint: Resource) -> tuple[list[Resource], bool]:
    """The rollback alarms of the template, and whether others stand elsewhere (or lie behind a composite one)."""
    template = endpoint.template
    found: list[Resource] = []
    elsewhere = False
    for name in rollback_alarms(endpoint):
        alarm = template.target(name, ALARM)
        if alarm is None:
            elsewhere = True
        else:
            found.append(alarm)
    return found, elsewhere


@rule(
    id="ML-36",
    title="The alarms that turn an update back exist",
    why="SageMaker starts no update whose rollback alarm is not there, and one on something else never goes off",
    mend="Refer to an AWS::CloudWatch::Alarm of the template, or import its name",
)
def rollback_alarms_exist(template: Template) -> Iterator[Fault]:
    holds_alarms = bool(template.of_type(ALARM, COMPOSITE_ALARM))
    for endpoint in template.of_type(ENDPOINT):
        for name in rollback_alarms(endpoint):
            if name is None:
                yield Fault(endpoint, "an alarm has no AlarmName")
                continue
            if template.target(name, ALARM, COMPOSITE_ALARM):
                continue
            if isinstance(name, Reference) or (isinstance(name, str) and holds_alarms):
                yield Fault(endpoint, f"{shown(name)} is no alarm of the template")


@rule(
    id="ML-37",
    title="An update is turned back by errors of its endpoint",
    why="Alarms on another endpoint, or without the variant's name, get no data while a bad model answers with errors",
    mend="List an alarm on Invocation5XXErrors with the dimensions EndpointName and VariantName of this endpoint",
)
def rollback_watches_errors(template: Template) -> Iterator[Fault]:
    for endpoint in template.of_type(ENDPOINT):
        alarms, elsewhere = _watching(endpoint)
        for alarm in alarms:
            for detail in _misdirected(alarm, endpoint):
                yield Fault(alarm, detail)
        if alarms and not elsewhere and not any(_metrics(alarm) & ERRORS or not _metrics(alarm) for alarm in alarms):
            yield Fault(endpoint, "no alarm of AutoRollbackConfiguration watches errors")


def _metrics(alarm: Resource) -> set[str]:
    """The names of the metrics that an alarm watches; none where they are not known."""
    queries = Part.of(alarm).each("Metrics")
    names = [alarm.value("MetricName"), *(query.value("MetricStat.Metric.MetricName") for query in queries)]
    return {name for name in names if isinstance(name, str)}


def _misdirected(alarm: Resource, endpoint: Resource) -> Iterator[str]:
    if alarm.value("Namespace") != "AWS/SageMaker":
        return
    dimensions = {text(item.value("Name")): item.value("Value") for item in Part.of(alarm).each("Dimensions")}
    if alarm.value("Dimensions") is UNKNOWN or None in dimensions:
        return
    name = dimensions.get("EndpointName")
    if "EndpointName" not in dimensions:
        if "InferenceComponentName" not in dimensions:
            yield "it has no dimension EndpointName"
        return
    if isinstance(name, str) and endpoint.name is not None and name != endpoint.name and "${" not in endpoint.name:
        yield f"EndpointName is {name}"
    elif isinstance(name, Reference) and endpoint.template.target(name, ENDPOINT) is not endpoint:
        yield f"EndpointName is {shown(name)}"
    if not {"VariantName", "InferenceComponentName", "EndpointConfigName"} & dimensions.keys():
        yield "it has no dimension VariantName"
    config = config_of(endpoint)
    named = [variant.value("VariantName") for variant in variants(config)] if config else []
    variant_name = dimensions.get("VariantName")
    if (
        isinstance(variant_name, str)
        and named
        and all(isinstance(item, str) for item in named)
        and variant_name not in named
    ):
        yield f"VariantName is {variant_name}"


@rule(
    id="ML-38",
    title="Alarms on an endpoint's errors and latency can go off",
    why="An alarm that waits for fewer errors, or for a latency that SageMaker cuts off before, is silent for ever",
    mend="Compare with GreaterThan..., and give ModelLatency a threshold in microseconds of less than a minute",
)
def endpoint_alarms_can_go_off(template: Template) -> Iterator[Fault]:
    for alarm in template.of_type(ALARM):
        if alarm.value("Namespace") != "AWS/SageMaker":
            continue
        metric = text(alarm.value("MetricName"))
        if metric not in ERRORS | LATENCIES:
            continue
        for comparison in alarm.values("ComparisonOperator"):
            if is_known(comparison) and text(comparison) not in UPWARD:
                yield Fault(alarm, f"ComparisonOperator is {shown(comparison)}")
        threshold = number(alarm.value("Threshold"))
        if metric in LATENCIES and threshold is not None and threshold >= LONGEST_ANSWER_MICROSECONDS:
            yield Fault(alarm, f"Threshold is {threshold:.0f} microseconds")
