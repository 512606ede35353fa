"""The bad inputs of `tests/corpus` through the handler of every channel: no 5xx, no exception, no stack trace.

    .venv/bin/python -m benchmarks.bad_inputs [--rounds 3] [--json]

Everything else is healthy, so whatever goes wrong is the input's doing. The time of a refusal is the handler's own,
with the calls of AWS in memory. Goal: nothing breaks, and the refusals' p99 is at most 50 ms.
"""

from __future__ import annotations

import base64
import importlib
import io
import json
import sys
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote_plus

from benchmarks.report import Value, arguments, finish, percentile, show
from benchmarks.simulation.estate import ENVIRONMENT
from benchmarks.simulation.functions import Function
from benchmarks.simulation.installation import Here, installed
from benchmarks.simulation.queues import Queue
from benchmarks.simulation.tables import Table
from benchmarks.simulation.weather import Weather
from benchmarks.simulation.world import START, World
from tests.corpus import Case, cases
from tests.corpus.signatures import KEY, signed

GOAL_MS: Final = 50.0
_BUCKET: Final = "drop"
_SETTINGS: Final = {
    "DROP_BUCKET": _BUCKET,
    "DROP_KEY_ID": "key",
    "CHANNEL_QUEUE_URL": "https://sqs.simulated/queue",
    "EMAIL_UNVERIFIED": "mark",
    "TRANSCRIBE_LANGUAGES": "en-US",
    "CUSTOMER_SPEAKER": "spk_1",
}
_TIMEOUT_SECONDS: Final = 900.0
_STEP_SECONDS: Final = 1.0
_TRACES: Final = ("Traceback", 'File "', ".py:")
_EXTENSIONS: Final = (".jsonl", ".csv", ".json", ".parquet", ".tsv")

Event = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Try:
    """One case through one channel. ``answer`` is a status, or how often a message is to come again."""

    case: Case
    channel: str
    answer: int
    seconds: float
    faults: tuple[str, ...]

    @property
    def is_refusal(self) -> bool:
        return self.answer >= 400


@dataclass
class Place:
    """A world in which every service is healthy, and what its functions print."""

    world: World
    printed: io.StringIO = field(default_factory=io.StringIO)

    def call(self, name: str, event: Event) -> tuple[Any, BaseException | None, float]:
        """What the handler answers or raises, and how long it took."""
        ends: list[tuple[Any, BaseException | None]] = []
        handler = importlib.import_module(f"lambdas.{name}.handler").handle
        function = Function(name=name, handler=handler, timeout_seconds=_TIMEOUT_SECONDS)
        self.printed.seek(0)
        self.printed.truncate()
        began = time.perf_counter()
        with redirect_stdout(self.printed):
            self.world.fleet.invoke(function, event, lambda result, error: ends.append((result, error)))
            while not ends:
                self.world.turns.run(self.world.turns.now + _STEP_SECONDS)
        (result, error) = ends[0]
        return result, error, time.perf_counter() - began


class _Secrets:
    """One source that pushes, which signs with the corpus's key."""

    def get_secret_value(self, call: Mapping[str, Any]) -> dict[str, str]:
        secret = "whsec_" + base64.b64encode(KEY).decode()
        return {"SecretString": json.dumps({"kind": "feedback", "secrets": [secret]})}


class _Transcribe:
    """Takes every job."""

    def start_transcription_job(self, call: Mapping[str, Any]) -> dict[str, Any]:
        return {"TranscriptionJob": {"TranscriptionJobStatus": "IN_PROGRESS"}}


@contextmanager
def place(*also: str) -> Iterator[Place]:
    """A place of one's own, with the functions of all channels and those named."""
    names = dict.fromkeys([*(each.function for each in CHANNELS.values()), *also])
    handlers = tuple(f"lambdas.{name}.handler" for name in names)
    with installed(handlers, {**ENVIRONMENT, **_SETTINGS}, mark=""):
        tables = {
            "ledger": Table(keys=("feedback_id",)),
            "originals": Table(keys=("feedback_id",)),
            "desk": Table(keys=("pk", "sk")),
        }
        queues = {name: Queue(name) for name in ("queue", "alert-queue")}
        world = World(seed=1, weather=Weather(calm_from=START), tables=tables, queues=queues)
        world.add_service("secretsmanager", _Secrets())
        world.add_service("transcribe", _Transcribe())
        Here.world = world
        try:
            yield Place(world)
        finally:
            world.turns.close()
            Here.world = None


def attempts(case: Case, at: Place) -> Iterator[Try]:
    """The case through every channel that it can come by."""
    for name, channel in CHANNELS.items():
        if (case.signature is None or name == "webhooks") and (case.key is None or channel.is_dropped):
            for event in channel.events(case, at):
                result, error, seconds = at.call(channel.function, event)
                yield _judged(case, name, at, result, error, seconds)


def _judged(case: Case, channel: str, at: Place, result: Any, error: BaseException | None, seconds: float) -> Try:
    said = at.printed.getvalue()
    faults = [] if error is None else [f"raised {type(error).__name__}"]
    answer = 0
    if isinstance(result, Mapping) and "statusCode" in result:
        answer = int(result["statusCode"])
        body = str(result["body"])
        faults += [f"answered {answer}"] * (answer >= 500)
        faults += [f"answered with {trace!r}" for trace in _TRACES if trace in body]
    elif isinstance(result, Mapping):
        answer = 400 * bool(result["batchItemFailures"])
    faults += [f"logged {line['message']} {line['error']}" for line in _logged(said) if line.get("error")]
    faults += [f"asked for {call}, which is not simulated" for call in sorted(at.world.unknown)]
    at.world.unknown.clear()
    return Try(case=case, channel=channel, answer=answer, seconds=seconds, faults=tuple(faults))


def _logged(said: str) -> Iterator[Mapping[str, Any]]:
    """Every line must be one JSON object: a text that gets a line of its own would show here."""
    for line in said.splitlines():
        yield json.loads(line)


def _request(resource: str, body: bytes, case: Case, **more: Any) -> Event:
    return {
        "httpMethod": "POST",
        "resource": resource,
        "path": resource,
        "headers": dict(case.headers),
        "pathParameters": None,
        "queryStringParameters": None,
        "requestContext": {"requestId": "corpus"},
        "body": body.decode("utf-8", "surrogateescape"),
        "isBase64Encoded": case.is_base64,
        **more,
    }


def _single(case: Case, at: Place) -> Iterable[Event]:
    return [_request("/v1/feedback", case.body, case)]


def _batch(case: Case, at: Place) -> Iterable[Event]:
    wrapped = case.body if case.is_base64 else b'{"items": [' + case.body + b"]}"
    return [_request("/v1/feedback/batch", wrapped, case)]


def _webhook(case: Case, at: Place) -> Iterable[Event]:
    now = int(at.world.turns.now)
    headers = signed(case.body, now=now, message_id=f"{case.number}-{zlib.crc32(case.variant.encode())}")
    more = {"pathParameters": {"source": "shop"}, "headers": {**case.headers, **(case.signature or headers)}}
    return [_request("/v1/webhooks/{source}", case.body, case, **more)]


def _dropped(prefix: str, extensions: tuple[str, ...]) -> Callable[[Case, Place], Iterable[Event]]:
    def events(case: Case, at: Place) -> Iterable[Event]:
        for extension in extensions if case.key is None else ("",):
            key = f"{prefix}{case.key or f'corpus{extension}'}"
            if case.key != "\x01gone":
                at.world.buckets.objects[_BUCKET, key] = case.body
            else:
                at.world.buckets.objects.pop((_BUCKET, key), None)
            described = {"key": quote_plus(key), "size": len(case.body), "versionId": "v1", "eTag": "0" * 32}
            record = {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": _BUCKET}, "object": described}}
            yield {"Records": [_message(json.dumps({"Records": [record]}))]}
        if case.key is None:  # and as what no honest notice is
            yield {"Records": [_message(case.body.decode("utf-8", "replace"))]}

    return events


def _message(body: str) -> dict[str, Any]:
    return {"messageId": "1", "receiptHandle": "1", "body": body, "attributes": {}, "messageAttributes": {}}


@dataclass(frozen=True, kw_only=True)
class Entrance:
    """A function that takes feedback in, and how a case becomes its events."""

    function: str
    events: Callable[[Case, Place], Iterable[Event]]
    is_dropped: bool = False


CHANNELS: Final[Mapping[str, Entrance]] = {
    "api": Entrance(function="intake", events=_single),
    "batch": Entrance(function="intake", events=_batch),
    "webhooks": Entrance(function="channels.webhooks", events=_webhook),
    "email": Entrance(function="channels.email", events=_dropped("email/", ("",)), is_dropped=True),
    "calls": Entrance(
        function="channels.calls",
        events=_dropped("calls/transcripts/", (".json",)),
        is_dropped=True,
    ),
    "files": Entrance(function="channels.files", events=_dropped("files/", _EXTENSIONS), is_dropped=True),
}


def main() -> int:
    parser = arguments(__doc__ or "")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with place() as at:
        list(attempts(next(cases(now=int(START))), at))  # warms caches up: a cold start is another figure
        tries = [
            each
            for _ in range(options.rounds)
            for case in cases(now=int(at.world.turns.now))
            for each in attempts(case, at)
        ]
    broken = [each for each in tries if each.faults]
    for each in broken[:20]:
        print(f"{each.channel}, {each.case.name}: {'; '.join(each.faults)}")
    refused = {name: [t.seconds * 1000 for t in tries if t.channel == name and t.is_refusal] for name in CHANNELS}
    counted, failed = Counter(t.channel for t in tries), Counter(t.channel for t in broken)
    rows: list[dict[str, Value]] = [
        {
            "channel": name,
            "inputs": counted[name],
            "broken by": failed[name],
            "refused": len(times),
            "p99 of refusals, ms": percentile(times, 0.99) if times else 0.0,
        }
        for name, times in refused.items()
    ]
    show("bad inputs", rows, note=f"Goal: broken by none, p99 at most {GOAL_MS:.0f} ms.")
    slowest = max(float(row["p99 of refusals, ms"]) for row in rows)
    finish(options.json, {"inputs": len(tries), "broken": len(broken), "refusal_p99_ms": slowest})
    return 1 if broken or slowest > GOAL_MS else 0


if __name__ == "__main__":
    sys.exit(main())
