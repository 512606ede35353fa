"""Reasons not to start, each one plain line that says what to do. Knows nothing of what would be started."""

import fcntl
import json
import os
import socket
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import IO

from local.options import Options

MINISTACK_VERSION = "1.5.33"


class Refusal(Exception):  # noqa: N818 - it is a decision, not an error in the program
    """The local AWS will not start; the text is one line for the person who asked."""


def require_ministack() -> None:
    """The adapter relies on names inside one exact version."""
    try:
        found = version("ministack")
    except PackageNotFoundError:
        raise Refusal(
            "ministack is not installed for this interpreter. Run `make setup`, or start with .venv-local/bin/python."
        ) from None
    if found != MINISTACK_VERSION:
        raise Refusal(
            f"ministack {found} is installed, but this adapter fits {MINISTACK_VERSION} only. "
            f"Run `pip install ministack=={MINISTACK_VERSION}` in the local AWS's environment."
        )


def require_interpreters(options: Options) -> None:
    """Containers and jobs run in interpreters of their own."""
    for purpose, path in (("serving", options.serving_python), ("training", options.training_python)):
        if not os.access(path, os.X_OK):
            raise Refusal(f"There is no interpreter at {path}. Run `make setup`, or name one with --{purpose}-python.")


def claim(data_dir: Path, port: int) -> IO[str]:
    """Take the data directory for this process; the lock goes with the process, also on a ``kill -9``."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        lock = (data_dir / "lock").open("a+")
    except OSError as problem:
        raise Refusal(f"The data directory {data_dir} cannot be used ({problem.strerror}). Choose another.") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise Refusal(
            f"A local AWS already runs on {data_dir}{_whereabouts(data_dir)}. "
            f"Use that one, stop it first, or give this one another --data-dir and --port (not {port})."
        ) from None
    return lock


def require_free_port(port: int) -> None:
    """Somebody else's port is found out before anything is written."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as problem:
            raise port_refusal(port, problem) from None


def port_refusal(port: int, problem: Exception) -> Refusal:
    """The same sentence whether the probe or the server itself met the taken port."""
    return Refusal(
        f"Port {port} on 127.0.0.1 cannot be opened ({problem}). Stop what uses it, or choose another --port."
    )


def _whereabouts(data_dir: Path) -> str:
    try:
        told = json.loads((data_dir / "local.json").read_text())
        return f" (process {told['pid']}, port {told['port']})"
    except (OSError, ValueError, KeyError):
        return ""
