"""The local AWS as a process: started in the background, asked how it is, stopped.

Responsible for its life. It does not know what is deployed into it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from cli.errors import NotReady, Problem
from cli.project import Project

ANSWER_SECONDS = 10.0
START_SECONDS = 60.0
STOP_SECONDS = 60.0
LOG_TAIL_LINES = 15

Status = dict[str, Any]


def status(project: Project) -> Status | None:
    """What the local AWS says about itself; None when it is not running on this port."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{project.endpoint_url}/_earshot/status", timeout=ANSWER_SECONDS) as answer:
            found = json.load(answer)
    except (urllib.error.URLError, TimeoutError, ConnectionError, ValueError):
        return None
    return found if isinstance(found, dict) and "ministack" in found else None


def require_running(project: Project) -> Status:
    """The status, or NotReady."""
    found = status(project)
    if found is None:
        raise NotReady("The local AWS is not running: start it with `earshot up`.")
    return found


def start(project: Project, *, note: Callable[[str], None] = lambda _: None) -> bool:
    """Starts the local AWS unless it runs already; returns whether it had to be started. It outlives this process."""
    found = status(project)
    if found is not None:
        _require_own(project, found)
        return False
    _require_free_port(project)
    command = [
        str(project.python(".venv-local")),
        "-m",
        "local",
        "--port",
        str(project.port),
        "--data-dir",
        str(project.data_dir),
        "--serving-python",
        str(project.python(".venv-serving")),
        "--training-python",
        str(project.python(".venv-training")),
    ]
    project.logs.mkdir(parents=True, exist_ok=True)
    project.data_dir.mkdir(parents=True, exist_ok=True)
    log_path = project.logs / "local.log"
    with log_path.open("ab") as log:
        first_byte = log.tell()
        process = subprocess.Popen(
            command,
            cwd=project.root,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    deadline = time.monotonic() + START_SECONDS
    while status(project) is None:
        if process.poll() is not None:
            with log_path.open("rb") as log:
                log.seek(first_byte)
                lines = log.read().decode(errors="replace").splitlines()
            said = lines[-1].removeprefix("local AWS: ") if lines else f"it ended with code {process.returncode}"
            raise NotReady(f"The local AWS did not start: {said}", details=tuple(lines[-LOG_TAIL_LINES:-1]))
        if time.monotonic() > deadline:
            process.send_signal(signal.SIGTERM)
            raise NotReady(f"The local AWS did not answer within {START_SECONDS:.0f} s: see {log_path}.")
        note(f"waiting for {project.endpoint_url}")
        time.sleep(0.2)
    return True


def stop(project: Project) -> bool:
    """Stops it cleanly, its state is kept; returns False when it was not running."""
    found = status(project)
    if found is not None:
        _require_own(project, found)
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(found["pid"]), signal.SIGTERM)
    elif not _holds_lock(project):
        return False
    deadline = time.monotonic() + STOP_SECONDS
    while _holds_lock(project) or (found is not None and _alive(int(found["pid"]))):
        if time.monotonic() > deadline:
            raise Problem(f"The local AWS did not stop within {STOP_SECONDS:.0f} s: {_how_to_end(project, found)}")
        time.sleep(0.1)
    return True


def _holds_lock(project: Project) -> bool:
    """Whether a process still works on the data directory, also when it does not answer (any more, or yet)."""
    path = project.data_dir / "lock"
    if not path.exists():
        return False
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _how_to_end(project: Project, found: Status | None) -> str:
    if found is not None:
        return f"end it with `kill -9 {found['pid']}`; what it did since it was last saved is lost."
    return f"look for the process that works on {project.data_dir}."


def _require_own(project: Project, found: Status) -> None:
    """Another checkout's local AWS may sit on the port."""
    if found.get("data_dir") and str(found["data_dir"]) != str(project.data_dir):
        raise NotReady(
            f"Another local AWS (its state is in {found['data_dir']}) uses port {project.port}: stop it, or set "
            "EARSHOT_PORT to a free port."
        )


def _require_free_port(project: Project) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", project.port))
        except OSError:
            raise NotReady(
                f"Port {project.port} is in use by another program: stop that, or set EARSHOT_PORT to a free port."
            ) from None


def _environment() -> dict[str, str]:
    """The caller's environment without what would lead Lambda workers to another place."""
    dropped = {"AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN", "PYTHONPATH", "VIRTUAL_ENV"}
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    # Archives of models go through its memory in many threads. glibc would keep what they free, in an arena for each
    # thread and ever larger pieces, unless it is told to give it back.
    returned = {"MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": "262144", "MALLOC_TRIM_THRESHOLD_": "1048576"}
    return {**returned, **kept}


def _alive(pid: int) -> bool:
    try:
        waited, _ = os.waitpid(pid, os.WNOHANG)  # when this very process started it
    except ChildProcessError:
        waited = 0
    if waited == pid:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
