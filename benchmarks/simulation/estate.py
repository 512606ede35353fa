"""What is deployed: functions, queues and tables with the figures of the templates, in one simulated world.

A test holds the figures against the synthesised templates. It does not know what is sent.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.simulation.functions import Function
from benchmarks.simulation.queues import Queue
from benchmarks.simulation.sources import Follower, QueueSource, TableStream, every
from benchmarks.simulation.tables import Table
from benchmarks.simulation.weather import Weather
from benchmarks.simulation.world import World
from feedback.alerting import policy

ENVIRONMENT: Final[Mapping[str, str]] = {
    "LEDGER_TABLE": "ledger",
    "ORIGINALS_TABLE": "originals",
    "ORIGINAL_DAYS": "30",
    "DESK_TABLE": "desk",
    "QUEUE_URL": "https://sqs.simulated/queue",
    "ALERT_QUEUE_URL": "https://sqs.simulated/alert-queue",
    "ENDPOINT_NAME": "sentiment",
    "CLASSIFY_BUDGET_SECONDS": "2.0",
    "LANGUAGES": "en",
    "TRANSLATE": "off",
    "ALERT_TOPIC_ARN": "arn:aws:sns:eu-west-1:000000000000:alerts",
    "ALERT_THRESHOLD": "0.7",
    "ALERT_POLICY_PARAMETER": "default",
    "WEBHOOK_SECRET_PREFIX": "earshot/webhooks/",
    "FEEDBACK_URL": "https://api.simulated/v1/feedback/",
    "LAKE_BUCKET": "lake",
    "AWS_REGION": "eu-west-1",
}
_POLICY: Final = Path(policy.__file__).with_name("local_policy.json")
DECIDED: Final = ["CLASSIFIED", "UNSURE", "CORRECTED", "FAILED"]
RECEIVES_BEFORE_DEAD: Final = 5
ALERT_RECEIVES_BEFORE_DEAD: Final = 1000
STREAM_RETRIES: Final = 8
STREAM_AGE_SECONDS: Final = 6 * 3600.0


class Parameters:
    """The calls of ssm's client: the alert policy that holds nothing back."""

    def get_parameter(self, call: Mapping[str, Any]) -> dict[str, Any]:
        return {"Parameter": {"Value": _POLICY.read_text(encoding="utf-8")}}


@dataclass(frozen=True, kw_only=True)
class Timing:
    """A function's timeout, and how many of it run at once."""

    timeout_seconds: float
    concurrency: int = 20


TIMINGS: Final[Mapping[str, Timing]] = {
    "intake": Timing(timeout_seconds=28.0),
    "router": Timing(timeout_seconds=60.0, concurrency=5),
    "alerts": Timing(timeout_seconds=60.0),
    "notify": Timing(timeout_seconds=30.0, concurrency=5),
    "duty": Timing(timeout_seconds=55.0, concurrency=1),
    "archive": Timing(timeout_seconds=60.0),
    "trends": Timing(timeout_seconds=60.0),
}
HANDLERS: Final = tuple(f"lambdas.{name}.handler" for name in TIMINGS)


def function(name: str) -> Function:
    """A function as it is deployed."""
    handler = importlib.import_module(f"lambdas.{name}.handler").handle
    return Function(name=name, handler=handler, timeout_seconds=TIMINGS[name].timeout_seconds)


class Estate:
    """The world of one schedule, wired."""

    def __init__(self, *, seed: int, weather: Weather) -> None:
        self.dead_letters = Queue("dead-letters")
        self.failures = Queue("failed-effects")
        self.queue = Queue(
            "queue",
            visibility_seconds=6 * TIMINGS["router"].timeout_seconds,
            receives_before_dead=RECEIVES_BEFORE_DEAD,
            dead_letters=self.dead_letters,
        )
        self.undelivered = Queue("undelivered")
        self.alert_queue = Queue(
            "alert-queue",
            visibility_seconds=6 * TIMINGS["notify"].timeout_seconds,
            receives_before_dead=ALERT_RECEIVES_BEFORE_DEAD,
            dead_letters=self.undelivered,
        )
        self.ledger = Table(keys=("feedback_id",))
        tables = {"ledger": self.ledger, "originals": Table(keys=("feedback_id",)), "desk": Table(keys=("pk", "sk"))}
        self.queues = (self.queue, self.dead_letters, self.alert_queue, self.undelivered, self.failures)
        queues = {queue.name: queue for queue in self.queues}
        self.world = World(seed=seed, weather=weather, tables=tables, queues=queues)
        self.intake = function("intake")
        self.world.add_service("ssm", Parameters())
        self._serve(self.queue, "router", batch_size=10)
        self._serve(self.alert_queue, "notify", batch_size=5)
        every(60.0, function("duty"), {}, turns=self.world.turns, fleet=self.world.fleet)
        self.stream = TableStream(
            turns=self.world.turns,
            fleet=self.world.fleet,
            chance=self.world.chance,
            repeats=self._repeats,
            failures=self.failures,
        )
        self._follow("alerts", batch_size=10, image={"sentiment": {"N": ["-1"]}})
        self._follow("archive", batch_size=500, window_seconds=60.0)
        self._follow("trends", batch_size=100, window_seconds=5.0)
        self.decided: Callable[[str], object] = lambda feedback_id: None
        self.history: list[dict[str, Any]] = []
        self.ledger.watch = self._watch

    def _serve(self, queue: Queue, name: str, *, batch_size: int) -> None:
        QueueSource(
            queue,
            function(name),
            batch_size=batch_size,
            concurrency=TIMINGS[name].concurrency,
            turns=self.world.turns,
            fleet=self.world.fleet,
            chance=self.world.chance,
            repeats=self._repeats,
        )

    def _follow(
        self, name: str, *, batch_size: int, window_seconds: float = 0.0, image: Mapping[str, Any] | None = None
    ) -> None:
        pattern = {
            "eventName": ["INSERT", "MODIFY"],
            "dynamodb": {"NewImage": {"state": {"S": DECIDED}, **(image or {})}},
        }
        self.stream.followers.append(
            Follower(
                function=function(name),
                batch_size=batch_size,
                window_seconds=window_seconds,
                retries=STREAM_RETRIES,
                maximum_age_seconds=STREAM_AGE_SECONDS,
                pattern=pattern,
            )
        )

    def _repeats(self) -> bool:
        return self.world.weather.is_repeated(self.world.turns.now, self.world.chance)

    def _watch(self, old: dict[str, Any] | None, new: dict[str, Any] | None) -> None:
        if new is not None:
            self.history.append(new)
            if new["state"]["S"] in DECIDED and (old is None or old["state"]["S"] not in DECIDED):
                self.decided(new["feedback_id"]["S"])
        self.stream.watch(old, new)
