"""32 clients at once, one message a request: our containers against one worker of a serving toolkit.

Each client asks again as soon as it is answered, so the system is full, and each answer waits for 31 others: nobody's
p99 can be below 32 requests' time there (Little's law). So p99 is also taken with the same 32 clients asking, all
together, as often as the toolkit's worker answers when it is full. Knows nothing of what is inside a request.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.report import percentile
from benchmarks.serving.bench import SEED, Bench
from benchmarks.serving.measures import Goal, Measure
from benchmarks.serving.models import BERT, MINILM, PROGRAMS, BenchmarkError
from benchmarks.serving.rounds import cpu_seconds
from benchmarks.serving.sides import Ours

CLIENTS = 32
SECONDS = {BERT: 8.0, MINILM: 5.0}
ROUNDS = 3
START_SECONDS = 120
TEXTS = 256
UNLOADED_REQUESTS = 40
PACED_REQUESTS = 100
Ask = Callable[[str], object]


@dataclass(frozen=True, kw_only=True)
class Load:
    """What the clients saw: answers per second, milliseconds of each, CPU seconds of the serving processes."""

    per_second: float
    milliseconds: Sequence[float]
    cpu: float | None

    @property
    def p99(self) -> float:
        return percentile(self.milliseconds, 0.99)

    @property
    def per_cpu_second(self) -> float | None:
        return len(self.milliseconds) / self.cpu if self.cpu else None


def measure(bench: Bench) -> list[Measure]:
    measures: list[Measure] = []
    for shape, served in bench.models.plain.items():
        bench.say(f"{CLIENTS} clients, {shape}")
        ours = bench.hosted(served)
        texts = bench.texts(TEXTS)
        seconds = SECONDS[shape] * bench.thoroughness.scale

        def ask_ours(text: str, ours: Ours = ours) -> object:
            return ours.invoke([text])

        unloaded = _unloaded(ask_ours, texts[: bench.thoroughness.items(UNLOADED_REQUESTS)])
        with _toolkit_worker(bench, shape) as (port, pid):
            ask_toolkit = _over_http(port)
            found: dict[str, list[Load]] = {"toolkit": [], "ours": []}
            for number in range(min(ROUNDS, bench.thoroughness.rounds)):
                found["toolkit"].append(full(ask_toolkit, texts, seconds, [pid]))
                found["ours"].append(full(ask_ours, texts, seconds, ours.pids))
                latest = ", ".join(f"{name} {loads[-1].per_second:.1f}/s" for name, loads in found.items())
                bench.say(f"  round {number + 1}: {latest}")
        toolkit, best = (max(found[name], key=lambda load: load.per_second) for name in ("toolkit", "ours"))
        at_rate = min(
            (paced(ask_ours, texts, seconds, toolkit.per_second) for _ in range(len(found["ours"]))),
            key=lambda load: load.p99,
        )
        cpu = (best.per_cpu_second or 0) / toolkit.per_cpu_second if toolkit.per_cpu_second else None
        measures += [
            Measure(
                name=f"{shape}: {CLIENTS} clients, one toolkit worker",
                unit="/s",
                baseline=toolkit.per_second,
                ours=best.per_second,
                ratio=best.per_second / toolkit.per_second,
                cpu_ratio=cpu,
                goal=Goal.times(5),
            ),
            Measure(
                name=f"{shape}: p99 of {CLIENTS} clients, everything full",
                unit="ms",
                baseline=min(load.p99 for load in found["toolkit"]),
                ours=min(load.p99 for load in found["ours"]),
                ratio=min(load.p99 for load in found["toolkit"]) / min(load.p99 for load in found["ours"]),
            ),
            Measure(
                name=f"{shape}: p99 of {CLIENTS} clients at the toolkit's {toolkit.per_second:.0f}/s",
                unit="ms",
                ours=at_rate.p99,
                goal=Goal.at_most(round(2 * unloaded, 1), "ms"),
                note=f"goal: twice the unloaded p50 of {unloaded:.1f} ms; nothing waits in a batching window",
            ),
        ]
    return measures


def full(ask: Ask, texts: Sequence[str], seconds: float, pids: Sequence[int]) -> Load:
    """Every client asks again at once, for so many seconds."""
    return _clients(ask, texts, seconds, lambda generator: 0.0, pids)


def paced(ask: Ask, texts: Sequence[str], seconds: float, per_second: float) -> Load:
    """All clients together ask `per_second` times, each at random moments of its own; long enough for a p99."""
    mean = CLIENTS / per_second
    seconds = max(seconds, PACED_REQUESTS / per_second)
    return _clients(ask, texts, seconds, lambda generator: generator.expovariate(1 / mean), [])


def _clients(
    ask: Ask, texts: Sequence[str], seconds: float, pause: Callable[[random.Random], float], pids: Sequence[int]
) -> Load:
    taken: list[list[float]] = [[] for _ in range(CLIENTS)]
    failures: list[Exception] = []
    begin = threading.Barrier(CLIENTS + 1)
    deadline = 0.0

    def client(number: int) -> None:
        generator = random.Random(SEED + number)  # noqa: S311
        begin.wait()
        due = time.perf_counter()
        place = number
        while True:
            due += pause(generator)
            if due > deadline:
                return
            time.sleep(max(0.0, due - time.perf_counter()))
            started = time.perf_counter()
            if started > deadline:
                return
            try:
                ask(texts[place % len(texts)])
            except (OSError, http.client.HTTPException, RuntimeError) as error:
                failures.append(error)
                return
            taken[number].append((time.perf_counter() - started) * 1000)
            place += CLIENTS

    threads = [threading.Thread(target=client, args=(number,), daemon=True) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    cpu, started = cpu_seconds(pids), time.perf_counter()
    deadline = started + seconds
    begin.wait()
    for thread in threads:
        thread.join()
    wall = time.perf_counter() - started
    if failures:
        raise BenchmarkError(f"A client was not answered: {failures[0]}")
    after = cpu_seconds(pids)
    milliseconds = [one for each in taken for one in each]
    return Load(
        per_second=len(milliseconds) / wall,
        milliseconds=milliseconds,
        cpu=after - cpu if pids and after is not None and cpu is not None else None,
    )


def _unloaded(ask: Ask, texts: Sequence[str]) -> float:
    """The p50 of one client."""
    taken = []
    for text in texts:
        started = time.perf_counter()
        ask(text)
        taken.append((time.perf_counter() - started) * 1000)
    return percentile(taken, 0.5)


def _over_http(port: int) -> Ask:
    def ask(text: str) -> object:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
        try:
            connection.request("POST", "/invocations", json.dumps({"inputs": text}))
            response = connection.getresponse()
            body = response.read()
            if response.status != http.HTTPStatus.OK:
                raise BenchmarkError(f"The toolkit's worker answered {response.status}.")
            return body
        finally:
            connection.close()

    return ask


@contextmanager
def _toolkit_worker(bench: Bench, shape: str) -> Iterator[tuple[int, int]]:
    """Its port and process id."""
    port_file = Path(bench.scratch) / f"toolkit-{shape}.port"
    process = subprocess.Popen(
        [
            bench.training_python,
            PROGRAMS / "pytorch.py",
            bench.models.plain[shape].folder,
            "--port-file",
            port_file,
        ],
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not port_file.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise BenchmarkError("The toolkit's worker did not start.")
            time.sleep(0.1)
        yield int(port_file.read_text()), process.pid
    finally:
        process.kill()
        process.wait()
