"""What three containers behind one another cost by themselves: handlers that pass a message on, nothing else.

Ours is the local host of the containers; the baseline is the usual one, a Flask application per container under
gunicorn. Knows nothing of models.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.report import percentile
from benchmarks.serving.bench import Bench
from benchmarks.serving.measures import Goal, Measure
from benchmarks.serving.models import PROGRAMS, BenchmarkError
from local.sagemaker.hosting.chain import Chain
from training_code.artifacts import write_archive

HOPS = 3
MESSAGE = json.dumps({"text": "x" * 298}).encode()
CONTENT_TYPE = "application/json"
REQUESTS = 400
START_SECONDS = 30
ECHO = b'''"""Passes a message on."""


def model_fn(model_dir):
    return None


def input_fn(body, content_type):
    return body


def predict_fn(data, model):
    return data


def output_fn(prediction, accept):
    return prediction, "application/json"
'''


def measure(bench: Bench) -> list[Measure]:
    bench.say("three hops without a model")
    requests = bench.thoroughness.items(REQUESTS)
    with ExitStack() as stack:
        ports = [stack.enter_context(_flask(bench, number)) for number in range(HOPS)]
        archive = bench.scratch / "echo.tar.gz"
        write_archive(archive, {}, {"code/inference.py": ECHO})
        chain = stack.enter_context(
            Chain.from_archives([archive] * HOPS, python=bench.serving_python, folder=bench.scratch / "echo")
        )
        flask, ours = [], []
        for number in range(bench.thoroughness.rounds + 1):
            flask.append(_p50(lambda: _through(ports), requests))
            ours.append(_p50(lambda: chain.invoke(MESSAGE, content_type=CONTENT_TYPE).body, requests))
            if number:
                bench.say(f"  Flask under gunicorn {flask[-1]:.2f} ms, ours {ours[-1]:.2f} ms")
    return [
        Measure(
            name="three hops' overhead, Flask under gunicorn",
            unit="ms",
            baseline=min(flask[1:]),
            ours=min(ours[1:]),
            ratio=min(flask[1:]) / min(ours[1:]),
            goal=Goal.times(4),
        )
    ]


def _through(ports: Sequence[int]) -> bytes:
    """Each application's answer is the next one's request. gunicorn's plain workers keep no connection."""
    body = MESSAGE
    for port in ports:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
        connection.request("POST", "/invocations", body, {"Content-Type": CONTENT_TYPE})
        body = connection.getresponse().read()
        connection.close()
    return body


def _p50(ask: Callable[[], bytes], requests: int) -> float:
    taken = []
    for _ in range(requests):
        started = time.perf_counter()
        if ask() != MESSAGE:
            raise BenchmarkError("The message did not come back.")
        taken.append((time.perf_counter() - started) * 1000)
    return percentile(taken, 0.5)


@contextmanager
def _flask(bench: Bench, number: int) -> Iterator[int]:
    """The port of one application under gunicorn, one plain worker."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    log = bench.scratch / f"gunicorn-{number}.log"
    command = ["-m", "gunicorn", "--workers", "1", "--bind", f"127.0.0.1:{port}"]
    process = subprocess.Popen(
        [str(bench.project.python(".venv-toolkits")), *command, "--log-file", str(log), "flask_echo:app"],
        cwd=PROGRAMS,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(process, port, log)
        yield port
    finally:
        process.terminate()
        process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    said = log.read_text().strip().splitlines() if log.is_file() else []
    raise BenchmarkError(f"gunicorn did not start: {(said or ['is it installed in .venv-toolkits?'])[-1]}")
