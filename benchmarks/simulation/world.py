"""One simulated account: its services, its functions, and every call between them. It knows no story."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.simulation import errors
from benchmarks.simulation.buckets import Buckets
from benchmarks.simulation.functions import Fleet
from benchmarks.simulation.model import Model
from benchmarks.simulation.queues import Queue, Queues
from benchmarks.simulation.tables import Table, Tables
from benchmarks.simulation.topics import Topics
from benchmarks.simulation.turns import Turns
from benchmarks.simulation.weather import Meeting, Weather, error_code, modes

START = 1_772_360_000.0
"""1 March 2026."""
_MODE_SECONDS = 20.0


class World:
    """Everything that one schedule plays in."""

    def __init__(
        self, *, seed: int, weather: Weather, tables: Mapping[str, Table], queues: Mapping[str, Queue]
    ) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - the same seed is to give the same schedule
        self.weather = weather
        self.turns = Turns(start=START)
        self.fleet = Fleet(self.turns, self.chance, skew_seconds=weather.skew_seconds)
        self.tables = Tables(tables)
        self.queues = Queues(queues, clock=lambda: self.turns.now, chance=self.chance)
        self.buckets = Buckets(clock=lambda: self.turns.now)
        self.topics = Topics()
        self.model = Model()
        sick = modes(self.chance, weather, start=START)
        self.model.mode = lambda: sick.get(int((self.turns.now - START) / _MODE_SECONDS), self.model.calm_mode)
        self.calls = 0
        self.refuses: Callable[[str, str, Mapping[str, Any]], bool] = lambda service, operation, call: False
        self.noticed: Callable[[str, str, str, Mapping[str, Any]], None] = lambda function, service, operation, call: (
            None
        )
        self.unknown: set[str] = set()
        self._services: dict[str, object] = {
            "dynamodb": self.tables,
            "sqs": self.queues,
            "s3": self.buckets,
            "sns": self.topics,
            "sagemaker-runtime": self.model,
        }

    def add_service(self, name: str, service: object) -> None:
        """A service whose methods are named as those of boto3's client."""
        self._services[name] = service

    def seconds(self) -> float:
        """The time of the instance whose code runs, or of the world where none does."""
        return self.turns.now + self.fleet.invocation().instance.skew_seconds

    def perform(self, service: str, operation: str, call: Mapping[str, Any], read_seconds: float) -> Any:
        """One attempt of a call by the running function, with whatever the weather makes of it."""
        self.calls += 1
        invocation = self.fleet.invocation()
        meeting = self.weather.meeting(service, self.turns.now, self.chance)
        seconds = self.model.seconds() if service == "sagemaker-runtime" else 0.002 + 0.02 * self.chance.random()
        invocation.wait(min(seconds, read_seconds) * self.chance.random())
        if meeting is Meeting.DEAD:
            invocation.die()
        if self.refuses(service, operation, call):
            raise errors.refusal("InternalFailure", operation)
        if meeting is Meeting.ERROR and service != "sagemaker-runtime":
            raise errors.refusal(error_code(service, self.chance), operation)
        answer = self._carry_out(service, operation, call)
        self.noticed(invocation.function_name, service, operation, call)
        if meeting is Meeting.DYING:
            invocation.die()
        invocation.wait(min(seconds, read_seconds) / 2)
        if seconds > read_seconds:
            raise errors.late()
        if meeting is Meeting.LOST:
            raise errors.lost()
        return answer

    def _carry_out(self, service: str, operation: str, call: Mapping[str, Any]) -> Any:
        method = getattr(self._services.get(service), operation, None)
        if method is None:
            self.unknown.add(f"{service}.{operation}")
            raise errors.refusal("UnknownOperationException", operation, status=404)
        self.queues.partial = self.weather.partial_share(self.turns.now)
        return method(call)
