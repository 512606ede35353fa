"""Alarms of templates, held to metrics: `python -m faults.alarms --template FILE ... [--trace FILE]`.

Without a trace, a healthy day must ring nothing and every outage of what the templates hold must ring something within
three minutes. With one, says what rings on the metrics in it. Decides as the local AWS does; the minute or so that AWS
takes to publish a metric is not counted. Composite alarms and anomaly bands are not read.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faults.estate import Estate
from faults.metrics import History, Metric, metric_of
from faults.outages import Outage, healthy, outages
from local.aws.alarms import decide
from policy.template import Template, TemplateError

WITHIN_SECONDS = 180.0
_NOON = 12 * 3600.0
_BEFORE_SECONDS = 900.0


class TraceError(ValueError):
    """A trace that cannot be read; the message says where."""


@dataclass(frozen=True, kw_only=True)
class Ring:
    """An alarm that went off."""

    alarm: str
    at: float


@dataclass(frozen=True, kw_only=True)
class Noticed:
    """An outage and the first alarms that told of it, which may be none."""

    outage: str
    alarms: tuple[str, ...]
    seconds: float | None


class Alarms:
    """The alarms of a system, to be held to histories."""

    def __init__(self, estate: Estate) -> None:
        self._alarms = estate.alarms()

    def __len__(self) -> int:
        return len(self._alarms)

    def rings(self, history: History, *, start: float, end: float) -> list[Ring]:
        """What goes off after ``start`` and not after ``end``, each alarm once, in order of time."""
        first = (_first_ring(properties, history, start, end) for properties in self._alarms.values())
        rings = [Ring(alarm=name, at=at) for name, at in zip(self._alarms, first, strict=True) if at is not None]
        return sorted(rings, key=lambda ring: (ring.at, ring.alarm))


def _first_ring(alarm: Mapping[str, Any], history: History, start: float, end: float) -> float | None:
    metrics = {id(each): metric_of(each) for each in _measured(alarm)}
    if not any(metric in history for metric in metrics.values()):
        end = min(end, start + _step(alarm))  # always the same: no data

    def statistic(described: Mapping[str, Any], period: int, name: str, since: float, until: float) -> float | None:
        return history.statistic(metrics[id(described)], name, since, until)

    now = start + _step(alarm)
    while now <= end:
        decided = decide(alarm, statistic, now)
        if decided is not None and decided[0] == "ALARM":
            return now
        now += _step(alarm)
    return None


def _measured(alarm: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What the alarm describes metrics by: itself, or the queries of its metric math."""
    queries = alarm.get("Metrics")
    if not queries:
        yield alarm
    for query in queries or ():
        if "MetricStat" in query:
            yield query["MetricStat"]["Metric"]


def _step(alarm: Mapping[str, Any]) -> float:
    """CloudWatch looks every minute, and every ten seconds at alarms on shorter periods."""
    return 60.0 if int(alarm.get("Period") or 60) >= 60 else 10.0


def ringing_on_a_healthy_day(estate: Estate, alarms: Alarms, *, seed: int = 0, seconds: float = 86_400.0) -> list[Ring]:
    """What rings though nothing is wrong."""
    return alarms.rings(healthy(estate, seed=seed, end=seconds), start=0.0, end=seconds)


def noticed(estate: Estate, alarms: Alarms, *, seed: int = 0) -> list[Noticed]:
    """Every outage at noon of a healthy day, and what rang first within three minutes."""
    usual = healthy(estate, seed=seed, start=_NOON - _BEFORE_SECONDS, end=_NOON + WITHIN_SECONDS)
    return [_notice(alarms, outage, usual.copy()) for outage in outages(estate)]


def _notice(alarms: Alarms, outage: Outage, history: History) -> Noticed:
    outage.happen(history, start=_NOON, seconds=WITHIN_SECONDS)
    rings = alarms.rings(history, start=_NOON, end=_NOON + WITHIN_SECONDS)
    first = tuple(ring.alarm for ring in rings if ring.at == rings[0].at)
    return Noticed(outage=outage.name, alarms=first, seconds=rings[0].at - _NOON if rings else None)


def read_trace(path: Path) -> History:
    """The history in a file of JSON lines {"at", "namespace", "metric", "dimensions": {}, "values": []}, any order.

    A dimension that a template refers to goes by its name there, or its logical id.
    """
    points: list[tuple[float, Metric, list[float]]] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            point = json.loads(line)
            metric = Metric.of(point["namespace"], point["metric"], dict(point.get("dimensions", {})))
            points.append((float(point["at"]), metric, [float(value) for value in point["values"]]))
        except (ValueError, LookupError, TypeError, AttributeError):
            raise TraceError(f"line {number} of {path} is not a data point") from None
    if not points:
        raise TraceError(f"{path} holds no data point")
    history = History()
    for at, metric, values in sorted(points, key=lambda point: point[0]):
        history.add(metric, at, values)
    return history


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m faults.alarms", description="Alarms, held to metrics.")
    parser.add_argument("--template", type=Path, nargs="+", required=True, metavar="FILE")
    parser.add_argument("--trace", type=Path, metavar="FILE", help="JSON lines of data points")
    parser.add_argument("--seed", type=int, default=0, help="of the healthy day's noise")
    chosen = parser.parse_args(arguments)
    try:
        estate = Estate([Template.load(path) for path in chosen.template])
        trace = read_trace(chosen.trace) if chosen.trace else None
    except (TemplateError, TraceError, OSError) as error:
        print(f"Cannot be read: {error}", file=sys.stderr)
        return 2
    alarms = Alarms(estate)
    return _replay(alarms, trace) if trace else _judge(estate, alarms, chosen.seed)


def _replay(alarms: Alarms, trace: History) -> int:
    start, last = trace.ends
    rings = alarms.rings(trace, start=start, end=last + 60.0)
    for ring in rings:
        print(f"{ring.at - start:6.0f} s  {ring.alarm}")
    print(f"{len(rings)} of {len(alarms)} alarms rang.")
    return 1 if rings else 0


def _judge(estate: Estate, alarms: Alarms, seed: int) -> int:
    false = ringing_on_a_healthy_day(estate, alarms, seed=seed)
    for ring in false:
        print(f"rings on a healthy day, after {ring.at / 3600:.1f} h: {ring.alarm}")
    every = noticed(estate, alarms, seed=seed)
    for each in every:
        told = f"{each.seconds:4.0f} s  {', '.join(each.alarms)}" if each.seconds is not None else "NOT NOTICED"
        print(f"{each.outage}: {told}")
    unseen = sum(each.seconds is None for each in every)
    print(f"{len(every) - unseen} of {len(every)} outages noticed; {len(false)} of {len(alarms)} alarms rang falsely.")
    return 1 if unseen or false else 0


if __name__ == "__main__":
    sys.exit(main())
