"""A healthy day of a system, and every outage that it should notice, as metrics that AWS would measure.

Made from what the templates hold, never from their alarms: an alarm that is missing is an outage unseen. Figures of the
healthy day are those of a product with readers in one part of the world: quiet nights, noisy middays, slow first calls,
a release and an import that go well. Knows AWS's metrics and this product's own; does not know what rings.
"""

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from faults.estate import Api, Estate, Variant
from faults.metrics import History, Metric

DAY = 24 * 3600
_MINUTE = 60
_CALLS_AT_NOON = 600.0
_SAMPLES = 60
"""Calls of a minute whose duration is written."""
_RELEASE_BEGINS, _RELEASE_ENDS = 14 * 3600, 14 * 3600 + 900
_CANARY_LIMITS_KEPT = {
    "CanaryDisagreement": 0.04,
    "CanaryNegativeShift": 0.02,
    "CanaryUnsureShift": 0.03,
    "CanaryAccuracyDrop": 0.01,
    "CanaryUnexpected": 0.0,
    "CanaryErrors": 0.0,
    "CanaryMilliseconds": 90.0,
}

Measure = Callable[[History, float, float], None]
"""Writes what is measured at a time, so many seconds after the outage began."""


@dataclass(frozen=True, kw_only=True)
class Outage:
    """What goes wrong, and what is measured in each ten seconds while it does. ``silences`` are measured no more."""

    name: str
    measure: Measure
    silences: tuple[Metric, ...] = ()

    def happen(self, history: History, *, start: float, seconds: float) -> None:
        """Write the outage over what was measured."""
        for metric in self.silences:
            history.silence(metric, start)
        for after in range(0, int(seconds), 10):
            self.measure(history, start + after, float(after))


def healthy(estate: Estate, *, seed: int = 0, start: float = 0.0, end: float = float(DAY)) -> History:
    """What is measured from one time of the day to another, where nothing is wrong."""
    chance = random.Random(seed)  # noqa: S311 - noise, not secrecy
    history = History()
    for minute in range(int(start), int(end), _MINUTE):
        calls = _calls(minute, chance)
        _measure_functions(history, estate, minute, calls, chance)
        _measure_flow(history, estate, minute, chance)
        for api in estate.apis():
            _measure_api(history, api, minute, calls, chance)
        for variant in estate.variants():
            _measure_variant(history, variant, minute, calls, chance)
    return history


def outages(estate: Estate) -> list[Outage]:
    """One for everything that can fail."""
    return [
        *_of_endpoints(estate),
        *_of_functions(estate),
        *_of_queues(estate),
        *_of_apis(estate),
        *_of_the_rest(estate),
    ]


def _calls(second: int, chance: random.Random) -> int:
    """Calls of one minute: 15 % at night, the most at one o'clock, now and then a burst."""
    rhythm = 0.15 + 0.85 * max(0.0, math.sin((second / 3600 - 7) / 12 * math.pi))
    burst = 1.25 if chance.random() < 0.02 else 1.0
    return max(0, round(_CALLS_AT_NOON * rhythm * burst * chance.uniform(0.85, 1.15)))


def _measure_functions(history: History, estate: Estate, at: int, calls: int, chance: random.Random) -> None:
    for function in estate.functions():
        history.add(_lambda("Invocations", function), at, [calls])
        history.add(_lambda("Errors", function), at, [0.0])
        history.add(_lambda("Throttles", function), at, [0.0])
    for function in estate.functions_behind_apis():
        deferred = sum(chance.random() < 0.001 for _ in range(calls))  # a slow first call, a full pool
        if deferred:
            history.add(_own("Deferred", FunctionName=function), at, [1.0] * deferred)
    for function in estate.functions_behind_streams():
        # A batch waits up to a minute for company.
        history.add(_lambda("IteratorAge", function), at, [chance.uniform(50.0, 70_000.0) for _ in range(4)])


def _measure_flow(history: History, estate: Estate, at: int, chance: random.Random) -> None:
    for queue in estate.work_queues():  # messages come with a delay of some seconds
        oldest = chance.uniform(0.0, 35.0 + _longer_work(estate, queue))
        history.add(_queue("ApproximateAgeOfOldestMessage", queue), at, [oldest])
        history.add(_queue("ApproximateNumberOfMessagesVisible", queue), at, [float(chance.randrange(40))])
    for queue in estate.dead_letter_queues():
        history.add(_queue("ApproximateNumberOfMessagesVisible", queue), at, [0.0])
    for machine in estate.machines():
        if at % DAY == _RELEASE_ENDS:
            history.add(_machine("ExecutionsSucceeded", machine), at, [1.0])
            history.add(_machine("ExecutionsFailed", machine), at, [0.0])
    for table in estate.tables():
        if chance.random() < 0.02:  # a partition that splits throttles for a moment, and the client tries again
            history.add(_table("WriteThrottleEvents", table), at, [float(chance.randrange(1, 4))])
    for topic in estate.topics():
        history.add(_topic("NumberOfNotificationsDelivered", topic), at, [float(chance.randrange(5))])
        history.add(_topic("NumberOfNotificationsFailed", topic), at, [0.0])


def _measure_api(history: History, api: Api, at: int, calls: int, chance: random.Random) -> None:
    history.add(_api("Count", api), at, [calls])
    history.add(_api("4XXError", api), at, [float(chance.random() < 0.01) for _ in range(20)])
    history.add(_api("5XXError", api), at, [0.0])
    # One in five hundred calls is the first of a new environment.
    taken = [
        chance.uniform(1200.0, 2600.0) if chance.random() < 0.002 else chance.lognormvariate(math.log(90.0), 0.4)
        for _ in range(_SAMPLES)
    ]
    history.add(_api("Latency", api), at, taken)


def _measure_variant(history: History, variant: Variant, at: int, calls: int, chance: random.Random) -> None:
    history.add(_endpoint("Invocations", variant), at, [calls])
    history.add(_endpoint("Invocation5XXErrors", variant), at, [0.0])
    taken = [chance.lognormvariate(math.log(40_000.0), 0.4) for _ in range(_SAMPLES)]
    history.add(_endpoint("ModelLatency", variant), at, taken)
    if variant.calls_per_instance:
        share = min(1.1, calls / _CALLS_AT_NOON)  # autoscaling is late now and then
        history.add(_endpoint("InvocationsPerInstance", variant), at, [variant.calls_per_instance * share])
    if _RELEASE_BEGINS <= at % DAY < _RELEASE_ENDS:
        for second in range(at, at + _MINUTE, 10):
            for name, value in _CANARY_LIMITS_KEPT.items():
                history.add(_own(name, EndpointName=variant.endpoint), second, [value])


def _of_endpoints(estate: Estate) -> Iterator[Outage]:
    waiting = (*estate.functions_behind_apis(), *estate.functions_that_loop())
    deferred = [_own("Deferred", FunctionName=function) for function in waiting]
    for variant in estate.variants():
        what = f"endpoint {variant.endpoint}"
        errors, latency = _endpoint("Invocation5XXErrors", variant), _endpoint("ModelLatency", variant)
        served = tuple(_endpoint(name, variant) for name in _OF_SERVING)
        yield Outage(name=f"{what} answers 5xx", measure=_steady(errors, 10.0))
        yield Outage(name=f"{what} is slow", measure=_steady(latency, *[5_000_000.0] * 5))
        yield Outage(name=f"{what} is gone", measure=_steady_each(deferred, 20.0), silences=served)
        if variant.calls_per_instance:
            calls = _endpoint("InvocationsPerInstance", variant)
            yield Outage(
                name=f"{what} is at its largest and overloaded",
                measure=_each_minute(calls, 2 * variant.calls_per_instance),
            )
        for name, value in _CANARY_LIMITS_BROKEN.items():
            canary = _own(name, EndpointName=variant.endpoint)
            yield Outage(name=f"{what} gets a bad model ({name})", measure=_steady(canary, value))


_OF_SERVING = ("Invocations", "Invocation5XXErrors", "ModelLatency", "InvocationsPerInstance")
_CANARY_LIMITS_BROKEN = {
    "CanaryDisagreement": 0.6,
    "CanaryNegativeShift": 0.4,
    "CanaryUnsureShift": 0.5,
    "CanaryAccuracyDrop": 0.3,
    "CanaryUnexpected": 0.2,
    "CanaryErrors": 2.0,
    "CanaryMilliseconds": 4000.0,
}


def _of_functions(estate: Estate) -> Iterator[Outage]:
    authorizers = estate.authorizers()
    answers = [_api("5XXError", api) for api in estate.apis()]
    for function in estate.functions():
        # An authorizer refuses by raising; where it fails otherwise, its API answers 5xx.
        raised = answers if function in authorizers else [_lambda("Errors", function)]
        yield Outage(name=f"function {function} raises", measure=_steady_each(raised, 1.0))
        yield Outage(name=f"function {function} is throttled", measure=_steady(_lambda("Throttles", function), 3.0))
    for function in estate.functions_behind_streams():
        age = _lambda("IteratorAge", function)
        yield Outage(name=f"function {function} falls behind its stream", measure=_growing(age, 1000.0))


def _of_queues(estate: Estate) -> Iterator[Outage]:
    for queue in estate.work_queues():
        age = _queue("ApproximateAgeOfOldestMessage", queue)
        begins = _longer_work(estate, queue)  # by then, a message that is worked on would be gone
        yield Outage(name=f"queue {queue} is not worked off", measure=_growing(age, 1.0, begins))
    for queue in estate.dead_letter_queues():
        depth = _queue("ApproximateNumberOfMessagesVisible", queue)
        yield Outage(name=f"dead letters arrive in {queue}", measure=_steady(depth, 1.0))


def _of_apis(estate: Estate) -> Iterator[Outage]:
    for api in estate.apis():
        yield Outage(name=f"API {api.name} answers 5xx", measure=_steady(_api("5XXError", api), 1.0, 1.0))
        yield Outage(name=f"API {api.name} is slow", measure=_steady(_api("Latency", api), *[12_000.0] * 20))


def _of_the_rest(estate: Estate) -> Iterator[Outage]:
    for table in estate.tables():
        for direction in ("Read", "Write"):
            throttled = _table(f"{direction}ThrottleEvents", table)
            yield Outage(name=f"table {table} throttles ({direction})", measure=_steady(throttled, 20.0))
    for machine in estate.machines():
        for name in ("ExecutionsFailed", "ExecutionsTimedOut"):
            yield Outage(name=f"machine {machine} ({name})", measure=_once(_machine(name, machine)))
    for topic in estate.topics():
        failed = _topic("NumberOfNotificationsFailed", topic)
        yield Outage(name=f"topic {topic} does not reach its readers", measure=_steady(failed, 1.0))


def _steady(metric: Metric, *values: float) -> Measure:
    return lambda history, at, after: history.add(metric, at, values)


def _steady_each(metrics: Sequence[Metric], value: float) -> Measure:
    def measure(history: History, at: float, after: float) -> None:
        for metric in metrics:
            history.add(metric, at, [value])

    return measure


def _growing(metric: Metric, per_second: float, begins: float = 0.0) -> Measure:
    return lambda history, at, after: history.add(metric, at, [begins + per_second * after])


def _longer_work(estate: Estate, queue: str) -> float:
    """Seconds beyond a minute that a message of the queue may be worked on."""
    return max(0.0, estate.working_seconds(queue) - _MINUTE)


def _each_minute(metric: Metric, value: float) -> Measure:
    def measure(history: History, at: float, after: float) -> None:
        if after % _MINUTE == 0:
            history.add(metric, at, [value])

    return measure


def _once(metric: Metric) -> Measure:
    def measure(history: History, at: float, after: float) -> None:
        if after == 0:
            history.add(metric, at, [1.0])

    return measure


def _lambda(name: str, function: str) -> Metric:
    return Metric.of("AWS/Lambda", name, {"FunctionName": function})


def _queue(name: str, queue: str) -> Metric:
    return Metric.of("AWS/SQS", name, {"QueueName": queue})


def _table(name: str, table: str) -> Metric:
    return Metric.of("AWS/DynamoDB", name, {"TableName": table})


def _topic(name: str, topic: str) -> Metric:
    return Metric.of("AWS/SNS", name, {"TopicName": topic})


def _machine(name: str, machine: str) -> Metric:
    return Metric.of("AWS/States", name, {"StateMachineArn": machine})


def _api(name: str, api: Api) -> Metric:
    return Metric.of("AWS/ApiGateway", name, {"ApiName": api.name, "Stage": api.stage})


def _endpoint(name: str, variant: Variant) -> Metric:
    return Metric.of("AWS/SageMaker", name, {"EndpointName": variant.endpoint, "VariantName": variant.name})


def _own(name: str, **dimensions: str) -> Metric:
    return Metric.of("Earshot", name, dimensions)
