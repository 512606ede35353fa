"""Runs a target many times on mutated examples and keeps what crashed it. Knows no parser."""

from __future__ import annotations

import random
import time
import traceback
from dataclasses import dataclass, field

from benchmarks.fuzz.mutation import mutate
from benchmarks.fuzz.target import Outcome, Target

KEPT_EXAMPLES = 400
KEPT_CRASHES = 5


@dataclass
class Result:
    """What came of one target."""

    target: str
    executions: int = 0
    answered: int = 0
    seconds: float = 0.0
    slowest_seconds: float = 0.0
    crashes: dict[str, bytes] = field(default_factory=dict)
    """What crashed it, by the last line of code that was reached and the kind of error."""


def fuzz(target: Target, executions: int, *, seed: int) -> Result:
    """Run `executions` inputs: the examples as they are, then mutations of them and of mutations that were answered."""
    chance = random.Random(f"{seed} {target.name}")  # noqa: S311  # must be the same each time
    result = Result(target=target.name)
    examples = list(target.seeds)
    started = time.perf_counter()
    for number in range(executions):
        data = examples[number] if number < len(target.seeds) else mutate(chance.choice(examples), chance)
        if run_once(target, data, result) is Outcome.ANSWERED and len(examples) < KEPT_EXAMPLES:
            examples.append(data)
    result.seconds = time.perf_counter() - started
    return result


def run_once(target: Target, data: bytes, result: Result) -> Outcome | None:
    """Run one input and count it; None where it crashed."""
    began = time.perf_counter()
    result.executions += 1
    try:
        outcome = target.run(data)
    except Exception as error:  # whatever comes out here is what is looked for
        if len(result.crashes) < KEPT_CRASHES:
            result.crashes.setdefault(_place(error), data)
        return None
    result.answered += outcome is Outcome.ANSWERED
    result.slowest_seconds = max(result.slowest_seconds, time.perf_counter() - began)
    return outcome


def _place(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({frame.name}, line {frame.lineno} of {frame.filename})"
