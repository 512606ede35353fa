"""Runs the three served artifacts one behind the other, as the endpoint does, without a server.

Each container is a child process that sees only its own artifact's code. Bytes go in, bytes come out. Knows nothing of
metrics or of how the artifacts were built.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from training_code.artifacts import CONTAINERS, unpack
from training_code.container_process import read_frame, write_frame
from training_code.containers.content_types import JSON_LINES
from training_code.failures import JobError

PROGRAM = Path(__file__).with_name("container_process.py")


class Chain:
    """Three running containers."""

    def __init__(self, processes: dict[str, subprocess.Popen[bytes]]) -> None:
        self._processes = processes

    def ask(self, request: bytes) -> bytes:
        """JSON Lines to JSON Lines; JobError with the container's own words when one refuses or dies."""
        content_type, body = JSON_LINES, request
        for container, process in self._processes.items():
            try:
                write_frame(cast(BinaryIO, process.stdin), content_type, body)
                frame = read_frame(cast(BinaryIO, process.stdout))
            except BrokenPipeError:
                frame = None
            if frame is None:
                raise JobError(f"The {container} container ended with exit status {process.wait()}.")
            content_type, body = frame
            if content_type == "error":
                raise JobError(f"The {container} container failed with {body.decode(errors='replace')[:300]}")
        return body


@contextmanager
def running(artifacts: dict[str, Path], scratch: Path) -> Iterator[Chain]:
    """Unpack the artifacts under `scratch` and keep their containers alive for as long as the block lasts."""
    with ExitStack() as stack:
        processes: dict[str, subprocess.Popen[bytes]] = {}
        for container in CONTAINERS:
            folder = scratch / container
            unpack(artifacts[container], folder)
            process = subprocess.Popen(
                [sys.executable, str(PROGRAM), str(folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                # What a container unpacks goes with the scratch folder.
                env={**os.environ, "TMPDIR": str(scratch)},
            )
            stack.callback(_end, process)
            processes[container] = process
        yield Chain(processes)


def _end(process: subprocess.Popen[bytes]) -> None:
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            try:
                stream.close()
            except BrokenPipeError:
                continue  # it ended by itself; its exit status has been reported
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
