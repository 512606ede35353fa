"""The AWS/SageMaker metrics of invocations, see docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html

Each value is under the endpoint's variant and under its variant with the endpoint configuration, which tells the two
fleets of a deployment apart. Values are gathered and handed on every second, or when someone is about to look. Knows
names, statuses and times; nothing of requests or of where metrics are kept.
"""

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from local.sagemaker.context import Measure
from local.sagemaker.metrics import Measurement

FLUSH_SECONDS = 1.0
MICROSECONDS = 1_000_000

_Dimensions = tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class Place:
    """Whose invocation it was; ``instances`` is the number that the variant stands for."""

    endpoint_name: str
    variant_name: str
    config_name: str
    instances: int

    def dimension_sets(self) -> tuple[_Dimensions, _Dimensions]:
        """The dimensions of the variant, without and with the configuration."""
        variant = ("EndpointName", self.endpoint_name), ("VariantName", self.variant_name)
        return variant, (*variant, ("EndpointConfigName", self.config_name))


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of one request to a model. ``status`` is 0 where there was no answer in time.

    ``container_seconds`` holds the share of each container of an inference pipeline.
    """

    status: int
    model_seconds: float
    overhead_seconds: float
    container_seconds: Mapping[str, float]


class Meter:
    """Counts invocations. ``flush`` hands on what was counted."""

    def __init__(self, measure: Measure) -> None:
        self._measure = measure
        self._values: dict[tuple[str, str, _Dimensions], Counter[float]] = {}
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def invocation(self, place: Place, outcome: Outcome) -> None:
        """One answered or failed request. Errors are 0 or 1 each time, so that their average is a rate.

        What was not answered counts as the model's server error, as AWS answers it with one.
        """
        is_error = not 200 <= outcome.status < 300
        is_client_error = 400 <= outcome.status < 500
        metrics = (
            ("Invocations", "None", 1.0),
            ("InvocationsPerInstance", "None", 1.0 / max(1, place.instances)),
            ("Invocation4XXErrors", "None", float(is_client_error)),
            ("Invocation5XXErrors", "None", float(is_error and not is_client_error)),
            ("InvocationModelErrors", "None", float(is_error)),
            ("ModelLatency", "Microseconds", _microseconds(outcome.model_seconds)),
            ("OverheadLatency", "Microseconds", _microseconds(outcome.overhead_seconds)),
        )
        sets = place.dimension_sets()
        with self._lock:
            for name, unit, value in metrics:
                for dimensions in sets:
                    self._add(name, unit, dimensions, value)
            for container, seconds in outcome.container_seconds.items():
                dimensions = (*sets[0], ("ContainerName", container))
                self._add("ContainerLatency", "Microseconds", dimensions, _microseconds(seconds))
            if self._thread is None:
                self._thread = threading.Thread(target=self._hand_on, name="hosting-meter", daemon=True)
                self._thread.start()

    def flush(self) -> None:
        """Hand on everything that was counted until now."""
        with self._lock:
            taken, self._values = self._values, {}
        if taken:
            self._measure(
                [
                    Measurement(name=name, unit=unit, dimensions=dict(dimensions), values=values)
                    for (name, unit, dimensions), values in taken.items()
                ]
            )

    def close(self) -> None:
        """Hand on the rest."""
        self._stopped.set()
        self.flush()

    def _add(self, name: str, unit: str, dimensions: _Dimensions, value: float) -> None:
        self._values.setdefault((name, unit, dimensions), Counter())[value] += 1

    def _hand_on(self) -> None:
        while not self._stopped.wait(FLUSH_SECONDS):
            self.flush()


def _microseconds(seconds: float) -> float:
    return float(round(seconds * MICROSECONDS))
