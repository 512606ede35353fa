"""One serving process as its host sees it: started, asked whether it is well, called over kept connections, ended.

Knows the container contract (``/ping``, ``/invocations``) and the files ``port`` and ``failure`` that the process
writes; nothing of chains, variants, endpoints or of what the bytes mean.
"""

import contextlib
import secrets
import shutil
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local import lifeline
from local.sagemaker.hosting.connection import Connection, Reply

# On AWS the number of workers follows the instance's processors. Pings do not count.
CONCURRENT_INVOCATIONS = 4
START_TIMEOUT_SECONDS = 300.0
PING_TIMEOUT_SECONDS = 2.0
POLL_SECONDS = 0.02
END_GRACE_SECONDS = 1.0
MODEL_PATH = "/opt/ml/model"

_SERVER = Path(__file__).with_name("container_server.py")


class ContainerError(Exception):
    """A container that cannot be started or reached; the message is one sentence for the endpoint's owner."""


class InvocationTimeoutError(Exception):
    """The container did not answer in time."""


class UnansweredError(ContainerError):
    """The process was not there, or ended before it answered: another one may be asked again.

    ``was_sent`` says that the process had the request.
    """

    def __init__(self, message: str, *, was_sent: bool) -> None:
        super().__init__(message)
        self.was_sent = was_sent


@dataclass(frozen=True, kw_only=True)
class ContainerPlan:
    """What to start: ``name`` as AWS numbers it, the unpacked model, the model's environment, where to log."""

    name: str
    model: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    log: Path


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """Where containers run: the interpreter that stands for the framework image, and folders for their files."""

    python: Path
    containers: Path
    packages: Path
    region: str = "us-east-1"


class Container:
    """A process and the connections to it. ``restart`` makes a new process under the same plan."""

    def __init__(self, plan: ContainerPlan, workshop: Workshop) -> None:
        self.plan = plan
        self._workshop = workshop
        self._folder = workshop.containers / secrets.token_hex(8)
        self._process: subprocess.Popen[bytes] | None = None
        self._port: int | None = None
        self._slots = threading.BoundedSemaphore(CONCURRENT_INVOCATIONS)
        self._idle: list[Connection] = []
        self._lock = threading.Lock()
        self._ended = False
        self._was_healthy = False

    @property
    def is_serving(self) -> bool:
        """True while the present process runs and has been healthy once; costs no request."""
        return self._was_healthy and self.pid is not None

    @property
    def pid(self) -> int | None:
        """The process's id, None before the start and after the end."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def start(self) -> None:
        """Start the process; returns at once. Does nothing after ``end``."""
        with self._lock:
            if self._ended:
                return
            self._folder.mkdir(parents=True, exist_ok=True)
            for stale in ("port", "failure"):
                (self._folder / stale).unlink(missing_ok=True)
            self.plan.log.parent.mkdir(parents=True, exist_ok=True)
            with self.plan.log.open("ab") as log:
                self._process = lifeline.spawn(
                    self._command(), env=self._environment(), cwd=self._folder, log=log, watched=True
                )

    def wait_until_healthy(self, timeout_seconds: float = START_TIMEOUT_SECONDS) -> None:
        """Return when the ping answers 200; ContainerError with the reason where that never happens."""
        deadline = time.monotonic() + timeout_seconds
        while not self.is_healthy():
            process = self._process
            if self._ended or process is None:
                raise ContainerError(f"{self.plan.name} was stopped while it started")
            if process.poll() is not None:
                raise ContainerError(f"{self.plan.name} did not start: {self._failure(process.returncode)}")
            if time.monotonic() > deadline:
                raise ContainerError(f"{self.plan.name} did not answer its ping within {timeout_seconds:.0f} seconds")
            time.sleep(POLL_SECONDS)
        self._was_healthy = True

    def is_healthy(self) -> bool:
        """True where the ping answers 200 within AWS's two seconds."""
        port = self._find_port()
        if port is None or self.pid is None:
            return False
        deadline = time.monotonic() + PING_TIMEOUT_SECONDS
        try:
            with contextlib.closing(Connection(port, deadline=deadline)) as connection:
                return connection.ask("GET", "/ping", deadline=deadline).status == 200
        except OSError:
            return False

    def invoke(self, body: bytes, headers: Mapping[str, str], deadline: float) -> Reply:
        """Post to ``/invocations``; ``deadline`` is of ``time.monotonic``.

        Raises InvocationTimeoutError when that passes and UnansweredError when the process is not there or ends.
        """
        if not self._slots.acquire(timeout=max(0.0, deadline - time.monotonic())):
            raise InvocationTimeoutError
        try:
            if not self.is_serving:
                raise UnansweredError(f"{self.plan.name} is being replaced", was_sent=False)
            return self._exchange(body, headers, deadline)
        finally:
            self._slots.release()

    def restart(self) -> None:
        """Replace the process, whatever state it is in; returns at once."""
        self._kill()
        self.start()

    def end(self) -> None:
        """End the process and forget its files; the log stays. Safe to call twice and from any thread."""
        with self._lock:
            self._ended = True
        self._kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _kill(self) -> None:
        with self._lock:
            process, self._process, self._port, self._was_healthy = self._process, None, None, False
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()
        if process is not None:
            lifeline.end(process, END_GRACE_SECONDS)

    def _exchange(self, body: bytes, headers: Mapping[str, str], deadline: float) -> Reply:
        connection = self._take_idle() or self._connect(deadline)
        try:
            return self._converse(connection, body, headers, deadline)
        except OSError as error:
            connection.close()
            self._see_it_end(deadline)
            raise UnansweredError(f"{self.plan.name} broke off its answer", was_sent=True) from error

    def _see_it_end(self, deadline: float) -> None:
        """A process that broke off is most likely ending: from here on it is known to have ended."""
        process = self._process
        if process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(min(END_GRACE_SECONDS, _remaining(deadline)))

    def _connect(self, deadline: float) -> Connection:
        port = self._find_port()
        if port is None:
            raise UnansweredError(f"{self.plan.name} is being replaced", was_sent=False)
        try:
            return Connection(port, deadline=deadline)
        except TimeoutError as error:
            raise InvocationTimeoutError from error
        except OSError as error:
            raise UnansweredError(f"{self.plan.name} cannot be reached", was_sent=False) from error

    def _converse(self, connection: Connection, body: bytes, headers: Mapping[str, str], deadline: float) -> Reply:
        try:
            reply = connection.ask("POST", "/invocations", body=body, headers=headers, deadline=deadline)
        except TimeoutError as error:
            connection.close()
            raise InvocationTimeoutError from error
        if connection.can_be_kept:
            self._keep(connection)
        else:
            connection.close()
        return reply

    def _take_idle(self) -> Connection | None:
        """A kept connection whose other side is still there."""
        while True:
            with self._lock:
                if not self._idle:
                    return None
                connection = self._idle.pop()
            if not connection.is_stale:
                return connection
            connection.close()

    def _keep(self, connection: Connection) -> None:
        with self._lock:
            if connection.port == self._port:
                self._idle.append(connection)
                return
        connection.close()

    def _find_port(self) -> int | None:
        """The port of the present process, None until it has written it."""
        with self._lock:
            if self._port is None and self._process is not None:
                try:
                    self._port = int((self._folder / "port").read_text())
                except FileNotFoundError:
                    return None
            return self._port

    def _command(self) -> list[str]:
        return [
            str(self._workshop.python),
            str(_SERVER),
            f"--model={self.plan.model}",
            f"--folder={self._folder}",
            f"--packages={self._workshop.packages}",
            f"--threads={CONCURRENT_INVOCATIONS}",
            f"--lifeline={lifeline.__file__}",
        ]

    def _environment(self) -> dict[str, str]:
        """What a hosted container finds: no variable of this process but the search path, and real folders."""
        own = {
            "PATH": f"{self._workshop.python.parent}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self._folder),
            "TMPDIR": str(self._folder),
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            "PYTHONNOUSERSITE": "1",
            "AWS_REGION": self._workshop.region,
            "SAGEMAKER_REGION": self._workshop.region,
            "SM_MODEL_DIR": str(self.plan.model),
        }
        given = {name: value.replace(MODEL_PATH, str(self.plan.model)) for name, value in self.plan.environment.items()}
        return {**own, **given}

    def _failure(self, exit_code: int) -> str:
        try:
            return (self._folder / "failure").read_text()
        except FileNotFoundError:
            return f"its process ended with code {exit_code}"


def _remaining(deadline: float) -> float:
    return max(0.001, deadline - time.monotonic())
