"""Both sides as the measurements see them: the usual handlers in one process with PyTorch, and our containers.

Our containers are measured as they are hosted, three processes behind one another over HTTP, and for comparison all
three in one process. Knows nothing of goals.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import numpy.typing as npt

from benchmarks.serving.models import PROGRAMS, BenchmarkError, Served
from cli.project import ROOT
from feedback.sentiment import LABELS
from local.sagemaker.hosting.chain import Chain
from training_code.artifacts import unpack
from training_code.containers.content_types import JSON_LINES

LINES_PER_REQUEST = 64
Probabilities = npt.NDArray[np.float64]


class Program:
    """One of `programs/` in another interpreter: a JSON line in, a JSON line out."""

    def __init__(self, python: Path, program: str, *arguments: str) -> None:
        self._program = program
        environment = {**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT)}
        self._process = subprocess.Popen(
            [python, PROGRAMS / program, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        self.started = self._read()

    @property
    def pids(self) -> list[int]:
        return [self._process.pid]

    def ask(self, command: str, texts: Sequence[str]) -> Any:
        stream = cast(IO[str], self._process.stdin)
        stream.write(json.dumps([command, list(texts)]) + "\n")
        stream.flush()
        return self._read()

    def close(self) -> None:
        cast(IO[str], self._process.stdin).close()
        self._process.wait()

    def _read(self) -> Any:
        line = cast(IO[str], self._process.stdout).readline()
        if not line:
            raise BenchmarkError(f"{self._program} ended with status {self._process.wait()}.")
        return json.loads(line)


class Ours:
    """The three containers of a model, hosted as the local SageMaker hosts them."""

    def __init__(self, served: Served, *, python: Path, folder: Path) -> None:
        self.chain = Chain.from_archives(served.artifacts, python=python, folder=folder)

    @property
    def pids(self) -> list[int]:
        return [pid for pid, _ in self.chain.processes()]

    def ask(self, texts: Sequence[str]) -> list[dict[str, Any]]:
        """The answers to all texts, asked in batches."""
        answers: list[dict[str, Any]] = []
        for start in range(0, len(texts), LINES_PER_REQUEST):
            body = self.invoke(texts[start : start + LINES_PER_REQUEST])
            answers += [json.loads(line) for line in body.splitlines()]
        if len(answers) != len(texts):
            raise BenchmarkError(f"{len(texts)} texts got {len(answers)} answers.")
        return answers

    def invoke(self, texts: Sequence[str]) -> bytes:
        """The answer to one request, as it comes: JSON Lines. Safe to call from any number of threads."""
        return self.chain.invoke(request(texts), content_type=JSON_LINES, accept=JSON_LINES).body

    def close(self) -> None:
        self.chain.close()


def one_process(served: Served, *, python: Path, folder: Path) -> Program:
    """The same three artifacts in one process, without a server: what remains is the containers' own work."""
    for artifact in served.artifacts:
        unpack(artifact, folder / artifact.name.partition(".")[0])
    return Program(python, "one_process.py", str(folder))


def request(texts: Sequence[str]) -> bytes:
    return "".join(json.dumps({"text": text}) + "\n" for text in texts).encode()


def probabilities(answers: Sequence[dict[str, Any]]) -> Probabilities:
    """[rows, 3] in class order; BenchmarkError where a text was refused."""
    refused = [answer["error"]["message"] for answer in answers if "error" in answer]
    if refused:
        raise BenchmarkError(f"{len(refused)} texts were refused: {refused[0]}")
    return np.array([[answer["probabilities"][label] for label in LABELS] for answer in answers])
