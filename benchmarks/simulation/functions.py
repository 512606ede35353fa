"""Lambda: instances with a memory and a clock of their own, one invocation at a time each, killed at the timeout.

Knows how a handler is called and what is left of an instance after it. Does not know what calls it.
"""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.simulation.turns import Process, StoppedError, Turns

Handler = Callable[[Any, Any], Any]


class Gone(Exception):  # noqa: N818 - what is left of an invocation that was killed
    """The invocation was killed, or ran into its timeout."""


@dataclass(frozen=True, kw_only=True)
class Function:
    """A deployed function."""

    name: str
    handler: Handler
    timeout_seconds: float
    concurrency: int = 1000


@dataclass
class Use:
    """How often a function was called, and how long it computed: a thread's own time, waiting left out."""

    invocations: int = 0
    processor_seconds: float = 0.0


@dataclass
class Instance:
    """What one process of a function keeps between invocations; ``skew_seconds`` is how far its clock is ahead."""

    skew_seconds: float
    memory: dict[Any, Any] = field(default_factory=dict)


@dataclass
class Invocation:
    """One call of a handler, which the handler sees as its context."""

    function_name: str
    aws_request_id: str
    deadline: float
    instance: Instance
    turns: Turns
    process: Process | None = None

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self.deadline - self.turns.now) * 1000))

    def wait(self, seconds: float) -> None:
        """Let time pass; StoppedError where the timeout comes first."""
        assert self.process is not None
        self.process.wait(min(seconds, max(0.0, self.deadline - self.turns.now)))
        if self.turns.now >= self.deadline:
            self.die()

    def die(self) -> None:
        """Kill the process of this invocation, from inside."""
        assert self.process is not None
        self.process.is_stopped = True
        raise StoppedError


Done = Callable[[Any, BaseException | None], None]


class Fleet:
    """Every instance of every function."""

    def __init__(self, turns: Turns, chance: random.Random, *, skew_seconds: float) -> None:
        self.failed: list[tuple[str, BaseException]] = []
        self.kills = 0
        self.used: dict[str, Use] = {}
        self._turns = turns
        self._chance = chance
        self._skew_seconds = skew_seconds
        self._idle: dict[str, list[Instance]] = {}
        self._of: dict[Process, Invocation] = {}
        self._numbers = itertools.count(1)

    def invoke(self, function: Function, event: Mapping[str, Any], done: Done) -> None:
        """Begin at once; ``done`` gets what the handler returned, or what it raised, or Gone."""
        idle = self._idle.setdefault(function.name, [])
        skew = self._chance.uniform(-self._skew_seconds, self._skew_seconds)
        instance = idle.pop() if idle else Instance(skew_seconds=skew)
        invocation = Invocation(
            function_name=function.name,
            aws_request_id=f"request-{next(self._numbers)}",
            deadline=self._turns.now + function.timeout_seconds,
            instance=instance,
            turns=self._turns,
        )
        results: list[Any] = []

        def body() -> None:
            process = self._turns.current
            assert process is not None
            invocation.process = process
            self._of[process] = invocation
            use = self.used.setdefault(function.name, Use())
            use.invocations += 1
            began = time.thread_time()
            try:
                results.append(function.handler(event, invocation))
            finally:
                use.processor_seconds += time.thread_time() - began

        def ended(error: BaseException | None) -> None:
            if invocation.process is not None:
                self._of.pop(invocation.process, None)
            if isinstance(error, StoppedError):
                error = Gone(function.name)
                self.kills += 1
            else:
                idle.append(instance)  # an error of the handler leaves the process alive
                if error is not None:
                    self.failed.append((function.name, error))
            done(results[0] if results and error is None else None, error)

        self._turns.start(body, ended)

    def invocation(self) -> Invocation:
        """The invocation whose code runs at the moment."""
        process = self._turns.current
        if process is None or process not in self._of:
            raise RuntimeError("no function is running")
        return self._of[process]
