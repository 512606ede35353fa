"""What CloudWatch would have been told: data points of metrics over time, and statistics of them.

Does not know what any metric means.
"""

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One metric under one set of dimensions."""

    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, namespace: str, name: str, dimensions: Mapping[str, str]) -> Self:
        return cls(namespace=namespace, name=name, dimensions=frozenset(dimensions.items()))


@dataclass
class _Points:
    times: list[float] = field(default_factory=list)
    values: list[tuple[float, ...]] = field(default_factory=list)


class History:
    """Data points in order of time. A minute's values are stamped with the minute's beginning, as AWS's are."""

    def __init__(self) -> None:
        self._points: dict[Metric, _Points] = {}

    def __contains__(self, metric: Metric) -> bool:
        return metric in self._points

    def copy(self) -> "History":
        """The same, to be changed apart."""
        copied = History()
        for metric, points in self._points.items():
            copied._points[metric] = _Points(times=points.times.copy(), values=points.values.copy())
        return copied

    def add(self, metric: Metric, at: float, values: Iterable[float]) -> None:
        """Add what was measured at a time; times of one metric only grow. What was there at that time is replaced."""
        points = self._points.setdefault(metric, _Points())
        if points.times and at <= points.times[-1]:
            self.silence(metric, at)
        points.times.append(at)
        points.values.append(tuple(values))

    def silence(self, metric: Metric, since: float) -> None:
        """Forget what a metric measured from a time on."""
        if points := self._points.get(metric):
            first = bisect_left(points.times, since)
            del points.times[first:], points.values[first:]

    @property
    def ends(self) -> tuple[float, float]:
        """The first and the last time at which anything was measured."""
        every = [points.times for points in self._points.values() if points.times]
        return min(times[0] for times in every), max(times[-1] for times in every)

    def statistic(self, metric: Metric, name: str, start: float, end: float) -> float | None:
        """A statistic of what was measured from ``start`` until just before ``end``; None where nothing was."""
        points = self._points.get(metric)
        if points is None:
            return None
        first, last = bisect_left(points.times, start), bisect_left(points.times, end)
        values = [value for each in points.values[first:last] for value in each]
        return _statistic(name, values) if values else None


def _statistic(name: str, values: list[float]) -> float:
    match name:
        case "Sum":
            return math.fsum(values)
        case "Average":
            return math.fsum(values) / len(values)
        case "Minimum":
            return min(values)
        case "Maximum":
            return max(values)
        case "SampleCount":
            return float(len(values))
    if not name.startswith("p"):
        raise ValueError(f"{name} is not a statistic that can be replayed")
    rank = math.ceil(len(values) * float(name[1:]) / 100)
    return sorted(values)[max(rank, 1) - 1]


def metric_of(described: Mapping[str, Any]) -> Metric:
    """The metric that an alarm, or a query of its metric math, describes."""
    dimensions = {each["Name"]: each["Value"] for each in described.get("Dimensions") or ()}
    return Metric.of(str(described.get("Namespace")), str(described.get("MetricName")), dimensions)
