"""What one feedback uses of each service, counted while the deployed functions run in the simulated world.

Counted are calls, written and read units, bytes printed and the processor's time of the handlers. How long a call to a
service takes cannot be counted here: it is assumed, and stated in ``CALL_SECONDS``. It does not know prices.
"""

from __future__ import annotations

import math
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.simulation.estate import ENVIRONMENT, HANDLERS, Estate
from benchmarks.simulation.installation import Here, installed
from benchmarks.simulation.story import MARK, post
from benchmarks.simulation.weather import Weather
from benchmarks.simulation.world import START

CALL_SECONDS: Final[Mapping[str, float]] = {"dynamodb": 0.006, "sqs": 0.010, "sns": 0.020, "s3": 0.030, "events": 0.015}
"""Round trips inside a region, as AWS's own dashboards show them for a median call; not measured here."""
SCHEDULED: Final = ("duty", "spikes")
"""Called so many times a month, however much comes in: left out of what a feedback uses."""
_WRITES: Final = ("put_item", "update_item", "delete_item")
_TEXTS: Final = (
    "Terrible quality, the zip broke after one day and the shop does not answer my messages about it at all.",
    "It is a shirt. It came on Tuesday in a box, with the size that I had ordered and a leaflet about washing it.",
    "I love it, perfect fit and an excellent cloth, I have got many compliments already and will order another one.",
    "The colour is a little darker than in the picture. The length is as described, the sleeves are as expected.",
    "Great service, happy with everything, it arrived two days early and the parcel was wrapped with real care.",
)
_SETTLED_SECONDS: Final = 1800.0


@dataclass(frozen=True, kw_only=True)
class FunctionUse:
    """One function: calls of it, and milliseconds of it, for all feedback together."""

    invocations: int
    milliseconds: float


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What ``feedbacks`` used in all. ``calls`` are by service and operation."""

    feedbacks: int
    requests: int
    functions: Mapping[str, FunctionUse]
    calls: Mapping[tuple[str, str], int]
    write_units: float
    read_units: float
    printed_bytes: int
    ledger_bytes: int
    lake_bytes: int


class _Meter:
    """Sums up what the world notices."""

    def __init__(self, estate: Estate, *, text_seconds: float) -> None:
        self._estate = estate
        self._text_seconds = text_seconds
        self.calls: Counter[tuple[str, str]] = Counter()
        self.waited: defaultdict[str, float] = defaultdict(float)
        self.write_units = 0.0
        self.read_units = 0.0

    def notice(self, function: str, service: str, operation: str, call: Mapping[str, Any]) -> None:
        if function in SCHEDULED:
            return
        self.calls[service, operation] += 1
        texts = call["Body"].count(b"\n") if service == "sagemaker-runtime" else 0
        self.waited[function] += 1000.0 * (CALL_SECONDS.get(service, 0.01) + texts * self._text_seconds)
        if service != "dynamodb":
            return
        if operation in _WRITES:
            self.write_units += self._units(call)
        elif operation == "transact_write_items":
            self.write_units += 2 * sum(self._units(each) for entry in call["TransactItems"] for each in entry.values())
        elif operation == "batch_get_item":
            keys = [(name, key) for name, request in call["RequestItems"].items() for key in request["Keys"]]
            self.read_units += sum(math.ceil(self._bytes(name, key) / 4096) for name, key in keys)
        elif operation == "get_item":
            units = math.ceil(self._bytes(call["TableName"], call["Key"]) / 4096)
            self.read_units += units if call.get("ConsistentRead") else units / 2
        else:
            self.read_units += 1.0

    def _units(self, call: Mapping[str, Any]) -> int:
        if "Item" in call:
            return math.ceil(item_bytes(call["Item"]) / 1024)
        return math.ceil(self._bytes(call["TableName"], call["Key"]) / 1024)

    def _bytes(self, name: str, key: Mapping[str, Any]) -> int:
        table = self._estate.world.tables.tables[name]
        return max(1, item_bytes(table.items.get(table.key_of(dict(key)), {})))


def count(*, feedbacks: int, batch: int, text_seconds: float) -> Usage:
    """Send so many, in requests of ``batch``, until all that follows has happened."""
    with installed(HANDLERS, ENVIRONMENT, mark=MARK):
        estate = Estate(seed=1, weather=Weather(calm_from=START))
        Here.world = estate.world
        meter = _Meter(estate, text_seconds=text_seconds)
        estate.world.noticed = meter.notice
        printed = _Printed()
        original, sys.stdout = sys.stdout, printed  # type: ignore[assignment]  # it is only written to
        try:
            requests = _send(estate, feedbacks=feedbacks, batch=batch)
            estate.world.turns.run(START + _SETTLED_SECONDS)
        finally:
            sys.stdout = original
            estate.world.turns.close()
            Here.world = None
        used = estate.world.fleet.used
        return Usage(
            feedbacks=feedbacks,
            requests=requests,
            functions={
                name: FunctionUse(
                    invocations=used[name].invocations,
                    milliseconds=used[name].processor_seconds * 1000 + meter.waited[name],
                )
                for name in used
                if name not in SCHEDULED
            },
            calls=dict(meter.calls),
            write_units=meter.write_units,
            read_units=meter.read_units,
            printed_bytes=printed.size,
            ledger_bytes=sum(item_bytes(item) for item in estate.ledger.items.values()),
            lake_bytes=sum(len(body) for body in estate.world.buckets.objects.values()),
        )


def item_bytes(item: Mapping[str, Any]) -> int:
    """What an item weighs in DynamoDB: the names of its attributes and their values."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(attribute: Mapping[str, Any]) -> int:
    ((kind, value),) = attribute.items()
    match kind:
        case "S":
            return len(value.encode())
        case "N":
            return len(value) // 2 + 2
        case "M":
            return 3 + item_bytes(value)
        case "L":
            return 3 + sum(1 + _value_bytes(each) for each in value)
        case _:
            return 1


class _Printed:
    """Counts what functions write to their logs."""

    def __init__(self) -> None:
        self.size = 0

    def write(self, text: str) -> int:
        self.size += len(text)
        return len(text)

    def flush(self) -> None:
        """Nothing is kept."""


def _send(estate: Estate, *, feedbacks: int, batch: int) -> int:
    documents: Sequence[dict[str, Any]] = [
        {
            "id": f"order-{number}",
            "channel": "web",
            "text": f"{_TEXTS[number % len(_TEXTS)]} {number}",
            "product_id": f"P-{number % 40}",
            "category": "dresses",
            "customer_ref": f"C-{number}",
        }
        for number in range(feedbacks)
    ]
    starts = range(0, feedbacks, batch)
    for at, start in enumerate(starts):
        chunk = documents[start : start + batch]
        estate.world.turns.at(
            START + 0.05 * at,
            lambda chunk=chunk: post(estate, chunk, lambda status, document: None),  # type: ignore[misc]
        )
    return len(starts)
