"""What a training job says while it runs: lines for people, and lines that SageMaker turns into metrics.

A metric line is one JSON object; METRIC_DEFINITIONS are the expressions that find its numbers in the log, for
`AlgorithmSpecification.MetricDefinitions`. This is the only place that knows both. Knows nothing of models.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field

METRICS = (
    "train:loss",
    "train:samples_per_second",
    "validation:loss",
    "validation:accuracy",
    "validation:macro_f1",
    "validation:balanced_accuracy",
    "validation:negative_recall",
    "validation:calibration_error",
)
METRIC_DEFINITIONS = [{"Name": name, "Regex": f'"{name}": ([0-9eE.+-]+)'} for name in METRICS]

SECONDS_BETWEEN_LINES = 5.0


def say(line: str) -> None:
    print(line, flush=True)


def report_metrics(values: dict[str, float], *, epoch: int, step: int) -> None:
    """One metric line. KeyError for a metric that SageMaker would not find."""
    unknown = set(values) - set(METRICS)
    if unknown:
        raise KeyError(f"no metric definition for {', '.join(sorted(unknown))}")
    say(json.dumps({"epoch": epoch, "step": step} | {name: round(value, 6) for name, value in values.items()}))


@dataclass
class Progress:
    """Follows the steps of a run and says, every few seconds, how far it is and how long it will take."""

    total_steps: int
    epochs: int
    clock: Callable[[], float] = time.monotonic
    say: Callable[[str], None] = say
    samples: int = 0
    first_step: int = 0
    _started: float = field(init=False)
    _last_said: float = field(init=False)
    _loss: float | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._started = self.clock()
        self._last_said = self._started

    @property
    def samples_per_second(self) -> float:
        return self.samples / max(self.clock() - self._started, 1e-9)

    @property
    def smoothed_loss(self) -> float:
        return self._loss if self._loss is not None else 0.0

    def resumed(self, *, step: int, loss: float) -> None:
        """An earlier run got so far; times are counted from here."""
        self.first_step = step
        self._loss = loss

    def step_done(self, *, epoch: int, step: int, samples: int, loss: float) -> None:
        self.samples += samples
        self._loss = loss if self._loss is None else 0.9 * self._loss + 0.1 * loss
        now = self.clock()
        if now - self._last_said < SECONDS_BETWEEN_LINES and step != self.total_steps:
            return
        self._last_said = now
        left = (now - self._started) / (step - self.first_step) * (self.total_steps - step)
        self.say(
            f"epoch {epoch}/{self.epochs} step {step}/{self.total_steps} loss {self._loss:.3f} "
            f"{self.samples_per_second:.0f} samples/s eta {left:.0f} s"
        )
