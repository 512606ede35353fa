"""Which call meets which fault: faults read from words or a file, and a seeded choice among them.

Knows times, shares and counts. Does not know HTTP, nor how a fault is worded on the wire.
"""

import json
import random
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal, get_args

Reset = Literal["before", "after"]

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)?")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, None: 1.0}
_ANY = "*"


class PlanError(ValueError):
    """A fault that cannot be; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What happens to calls of ``operation`` of ``service``, how often, and in which seconds since the start.

    ``latency_seconds`` comes before anything else and may stand alone. ``reset`` ends the connection: before the call
    is passed on, or after, when it was done but the answer is lost. ``keep`` is the share of the true answer's body
    that is sent before the connection ends; ``partial`` the share of a batch's entries that fail inside a 200.
    """

    service: str = _ANY
    operation: str = _ANY
    probability: float = 1.0
    from_seconds: float = 0.0
    to_seconds: float | None = None
    count: int | None = None
    latency_seconds: float = 0.0
    error: str | None = None
    status: int | None = None
    reset: Reset | None = None
    keep: float | None = None
    partial: float | None = None

    def __post_init__(self) -> None:
        shares = {"probability": self.probability, "keep": self.keep, "partial": self.partial}
        for name, share in shares.items():
            if share is not None and not 0.0 <= share <= 1.0:
                raise PlanError(f"{name} is a share from 0 to 1, not {share}")
        if self.status is not None and not 400 <= self.status <= 599:
            raise PlanError(f"status is from 400 to 599, not {self.status}")
        if self.reset not in (None, *get_args(Reset)):
            raise PlanError(f"reset is before or after, not {self.reset!r}")
        if self.count is not None and self.count < 1:
            raise PlanError(f"count is at least 1, not {self.count}")
        if self.to_seconds is not None and self.to_seconds <= self.from_seconds:
            raise PlanError("to is later than from")
        ends = [self.error or self.status, self.reset, self.keep, self.partial]
        if sum(end is not None for end in ends) > 1:
            raise PlanError("error or status, reset, keep and partial exclude each other")
        if not self.latency_seconds and all(end is None for end in ends):
            raise PlanError("a fault needs one of error, status, latency, reset, keep and partial")

    def concerns(self, services: Sequence[str], operation: str, seconds: float) -> bool:
        """Whether a call is one of those meant; a service may go by several names."""
        if seconds < self.from_seconds or (self.to_seconds is not None and seconds >= self.to_seconds):
            return False
        return (self.service == _ANY or self.service in services) and self.operation in (_ANY, operation)

    @property
    def kind(self) -> str:
        """What it does, in one word."""
        if self.partial is not None:
            return "partial"
        if self.keep is not None:
            return "truncated"
        if self.reset is not None:
            return f"reset-{self.reset}"
        return "latency" if self.error is None and self.status is None else "error"


class Plan:
    """Chooses, from any thread; the same seed and the same calls in the same order meet the same faults."""

    def __init__(self, faults: Sequence[Fault], *, seed: int = 0) -> None:
        self.faults = tuple(faults)
        self._random = random.Random(seed)  # noqa: S311 - chance, not secrecy
        self._left = [fault.count for fault in self.faults]
        self._lock = threading.Lock()

    def choose(self, services: Sequence[str], operation: str, seconds: float) -> Fault | None:
        """The first fault that concerns the call and whose dice fall so."""
        with self._lock:
            for index, fault in enumerate(self.faults):
                if self._left[index] == 0 or not fault.concerns(services, operation, seconds):
                    continue
                if self._random.random() >= fault.probability:
                    continue
                left = self._left[index]
                self._left[index] = None if left is None else left - 1
                return fault
        return None

    def entries(self, share: float, of: int) -> list[bool]:
        """Which entries of a batch fail; at least one where any is to."""
        with self._lock:
            fails = [self._random.random() < share for _ in range(of)]
            if share > 0 and of and not any(fails):
                fails[self._random.randrange(of)] = True
            return fails


def parse(words: str) -> Fault:
    """The fault in `service=sqs,operation=SendMessage,probability=0.2,error=ThrottlingException`."""
    settings = {}
    for word in words.split(","):
        name, equals, value = word.strip().partition("=")
        if not equals or not value:
            raise PlanError(f"{word.strip()!r} is not name=value")
        if name in settings:
            raise PlanError(f"{name} is given twice")
        settings[name] = value
    return from_settings(settings)


def load(path: Path) -> list[Fault]:
    """The faults of a JSON file: {"faults": [{"service": ..., ...}, ...]}, with the names that words have."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PlanError(f"{path} cannot be read as JSON ({type(error).__name__})") from None
    listed = document.get("faults") if isinstance(document, dict) else None
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise PlanError(f'{path} is not {{"faults": [{{...}}, ...]}}')
    return [from_settings({name: str(value) for name, value in each.items()}) for each in listed]


def from_settings(settings: Mapping[str, str]) -> Fault:
    """The fault of names and values as they are written; PlanError where one is unknown or wrong."""
    values: dict[str, object] = {}
    for name, value in settings.items():
        field = _FIELDS.get(name)
        if field is None:
            raise PlanError(f"{name!r} is not one of {', '.join(sorted(_FIELDS))}")
        values[field] = _value(name, value)
    return Fault(**values)  # type: ignore[arg-type] # _value reads each name as its field's type


_DURATIONS = {"from": "from_seconds", "to": "to_seconds", "latency": "latency_seconds"}
_PLAIN = {field.name for field in fields(Fault)} - set(_DURATIONS.values())
_FIELDS = _DURATIONS | {name: name for name in _PLAIN}


def _value(name: str, value: str) -> object:
    try:
        if name in _DURATIONS:
            return _seconds(value)
        if name in ("probability", "keep", "partial"):
            return float(value)
        return int(value) if name in ("status", "count") else value
    except ValueError:
        raise PlanError(f"{name} cannot be {value!r}") from None


def _seconds(text: str) -> float:
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(text)
    return float(match[1]) * _UNITS[match[2]]
