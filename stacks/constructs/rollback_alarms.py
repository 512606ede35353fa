"""The alarms that take a new model back while it is tried: errors, latency, and what the canary measures.

Knows the metrics of SageMaker and of the canary function, and from where on they are too much. Does not know how the
canary comes by its figures, nor what an alarm sets off.
"""

import math
from dataclasses import dataclass

from aws_cdk import Duration
from constructs import Construct

from stacks.constructs.operations import Operations

CANARY_NAMESPACE = "Earshot"
_SHORTEST_PERIOD_SECONDS = 10
MOST_ALARMS = 10
"""SageMaker takes so many: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AutoRollbackConfig.html"""


@dataclass(frozen=True, kw_only=True)
class QualityLimits:
    """How much worse, slower or only different a new model may be. Shares, and milliseconds."""

    disagreement: float
    negative_shift: float
    unsure_shift: float
    accuracy_drop: float
    unexpected: float
    milliseconds: int


def rollback_alarms(
    scope: Construct,
    *,
    endpoint: str,
    variant: str,
    limits: QualityLimits,
    poll_seconds: int,
    operations: Operations,
) -> list[str]:
    """Make the alarms; their names. The canary measures again `poll_seconds` after it has measured."""
    return [
        *_serving_alarms(scope, endpoint=endpoint, variant=variant, limits=limits, operations=operations),
        *_quality_alarms(scope, endpoint=endpoint, limits=limits, poll_seconds=poll_seconds, operations=operations),
    ]


def _serving_alarms(
    scope: Construct, *, endpoint: str, variant: str, limits: QualityLimits, operations: Operations
) -> list[str]:
    dimensions = {"EndpointName": endpoint, "VariantName": variant}
    errors = operations.alarm(
        scope,
        "ServerErrors",
        description="The endpoint answered 5xx",
        namespace="AWS/SageMaker",
        metric_name="Invocation5XXErrors",
        dimensions=dimensions,
        statistic="Sum",
        threshold=0,
        period=Duration.minutes(1),
    )
    latency = operations.alarm(
        scope,
        "Latency",
        description=f"One in a hundred answers took longer than {limits.milliseconds} ms",
        namespace="AWS/SageMaker",
        metric_name="ModelLatency",
        dimensions=dimensions,
        statistic="p99",
        threshold=limits.milliseconds * 1000,  # the metric is in microseconds
        period=Duration.minutes(1),
        evaluation_periods=3,
        datapoints_to_alarm=2,
    )
    return [errors.ref, latency.ref]


def _quality_alarms(
    scope: Construct, *, endpoint: str, limits: QualityLimits, poll_seconds: int, operations: Operations
) -> list[str]:
    """Alarms on what the canary writes only while a release is on its way: silent at all other times."""
    watched = (
        ("CanaryErrors", 1, "The new model failed calls that the served one answered"),
        ("CanaryMilliseconds", limits.milliseconds, "The new model's quickest answer to one text was slow"),
        ("CanaryUnexpected", limits.unexpected, "The new model answers otherwise than when it was evaluated"),
        ("CanaryAccuracyDrop", limits.accuracy_drop, "The new model is less often right than the served one"),
        ("CanaryDisagreement", limits.disagreement, "The new model disagrees with the served one"),
        ("CanaryNegativeShift", limits.negative_shift, "The new model moves the share of negatives"),
        ("CanaryUnsureShift", limits.unsure_shift, "The new model moves the share of unsure answers"),
    )
    return [
        operations.alarm(
            scope,
            metric,
            description=description,
            namespace=CANARY_NAMESPACE,
            metric_name=metric,
            dimensions={"EndpointName": endpoint},
            statistic="Maximum",
            threshold=threshold,
            # The shortest that CloudWatch offers; as many as lie between two measurements, and one more, since a
            # function's log may arrive seconds late, and an alarm that rings shall not stop in between.
            period=Duration.seconds(_SHORTEST_PERIOD_SECONDS),
            evaluation_periods=1 + math.ceil(poll_seconds / _SHORTEST_PERIOD_SECONDS),
            datapoints_to_alarm=1,
        ).ref
        for metric, threshold, description in watched
    ]
