"""CloudWatch metrics: out of log lines in the embedded metric format, and those that the local SageMaker measures.

See https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
Knows nothing of who wrote the line or what was measured.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from local.aws import seams
from local.environment import ACCOUNT, REGION
from local.sagemaker.metrics import NAMESPACE, Measurement

_MOST_METRICS = 100
_MOST_DIMENSIONS = 30


@dataclass(frozen=True, kw_only=True)
class DataPoint:
    """One value of one metric under one set of dimensions."""

    namespace: str
    name: str
    value: float
    unit: str
    dimensions: dict[str, str]


def register() -> None:
    """Watch every log stream."""
    seams.keep_metrics_recorded_meanwhile()
    seams.observe_log_events(_record)


def measure(measurements: Sequence[Measurement]) -> None:
    """Keep what SageMaker measured; from any thread."""
    with seams.request_scope(ACCOUNT, REGION):
        for each in measurements:
            seams.record_metric_values(NAMESPACE, each.name, each.values, each.unit, dict(each.dimensions))


def _record(events: list[dict[str, Any]]) -> None:
    for event in events:
        for point in data_points(str(event.get("message", ""))):
            seams.record_metric(point.namespace, point.name, point.value, point.unit, point.dimensions)


def data_points(line: str) -> Iterator[DataPoint]:
    """What a log line measures; nothing where it is not in the format."""
    start = line.find("{")
    if start < 0 or '"_aws"' not in line:
        return
    try:
        document = json.loads(line[start:])
    except ValueError:
        return
    metadata = document.get("_aws") if isinstance(document, dict) else None
    directives = metadata.get("CloudWatchMetrics") if isinstance(metadata, dict) else None
    for directive in directives if isinstance(directives, list) else ():
        if isinstance(directive, dict) and isinstance(directive.get("Namespace"), str):
            yield from _of_directive(document, directive)


def _of_directive(document: dict[str, Any], directive: dict[str, Any]) -> Iterator[DataPoint]:
    sets = [
        {name: str(document[name]) for name in names}
        for names in directive.get("Dimensions") or [[]]
        if len(names) <= _MOST_DIMENSIONS and all(name in document for name in names)
    ]
    for metric in (directive.get("Metrics") or [])[:_MOST_METRICS]:
        for value in _numbers(document.get(metric.get("Name"))):
            for dimensions in sets:
                yield DataPoint(
                    namespace=directive["Namespace"],
                    name=metric["Name"],
                    value=value,
                    unit=metric.get("Unit", "None"),
                    dimensions=dimensions,
                )


def _numbers(value: Any) -> Iterable[float]:
    values = value if isinstance(value, list) else [value]
    return [float(each) for each in values if isinstance(each, int | float) and not isinstance(each, bool)]
