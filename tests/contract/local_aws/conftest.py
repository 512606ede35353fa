"""One local AWS for the whole session, on a free port, and what the tests do with it."""

import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

ROOT = Path(__file__).resolve().parents[3]
PYTHON = ROOT / ".venv-local" / "bin" / "python"
START_SECONDS = 30.0

Json = dict[str, Any]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class LocalAws:
    """A running local AWS."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, data_dir: Path, log: Path) -> None:
        self.process = process
        self.port = port
        self.data_dir = data_dir
        self.log = log
        self.url = f"http://127.0.0.1:{port}"
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """A boto3 client, one for each service."""
        if service not in self._clients:
            self._clients[service] = boto3.client(
                service,
                endpoint_url=self.url,
                region_name="us-east-1",
                aws_access_key_id="test",
                aws_secret_access_key="test",
                config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
            )
        return self._clients[service]

    def status(self) -> Json:
        with urllib.request.urlopen(f"{self.url}/_earshot/status", timeout=10) as answer:
            return json.load(answer)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)


def command(data_dir: Path, port: int) -> list[str]:
    return [str(PYTHON), "-m", "local", "--port", str(port), "--data-dir", str(data_dir)]


def start(data_dir: Path, port: int | None = None) -> LocalAws:
    """Start one and wait until it is ready."""
    port = port or free_port()
    log = data_dir.parent / f"{data_dir.name}-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command(data_dir, port), cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
    deadline = time.monotonic() + START_SECONDS
    while not (data_dir / "local.json").exists() or not _is_of(process, data_dir):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise AssertionError(f"the local AWS did not start:\n{log.read_text()}")
        time.sleep(0.05)
    return LocalAws(process, port, data_dir, log)


def _is_of(process: subprocess.Popen[bytes], data_dir: Path) -> bool:
    try:
        return bool(json.loads((data_dir / "local.json").read_text())["pid"] == process.pid)
    except (OSError, ValueError):
        return False


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return not Path(f"/proc/{pid}/stat").exists() or " Z " not in Path(f"/proc/{pid}/stat").read_text()


def eventually(claim: Callable[[], Any], seconds: float = 10.0) -> Any:
    """The first true value; fails when there is none in time."""
    deadline = time.monotonic() + seconds
    while not (value := claim()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
    return value


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    running = start(tmp_path_factory.mktemp("local-aws") / "data")
    yield running
    if running.process.poll() is None:
        running.stop()


class Stack:
    """A stack that was deployed from a template of resources."""

    def __init__(self, aws: LocalAws, name: str) -> None:
        self._aws = aws
        self.name = name

    def put(self, resources: Json, outputs: Json | None = None, parameters: Json | None = None) -> str:
        """Create or update it; the final status."""
        cloudformation = self._aws.client("cloudformation")
        template: Json = {"Resources": resources, "Outputs": {k: {"Value": v} for k, v in (outputs or {}).items()}}
        if parameters:
            template["Parameters"] = parameters
        call = cloudformation.update_stack if self.exists() else cloudformation.create_stack
        call(StackName=self.name, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_NAMED_IAM"])
        return self.settled()

    def settled(self) -> str:
        def final() -> str | None:
            status = self._describe()["StackStatus"]
            return None if status.endswith("IN_PROGRESS") else status

        return str(eventually(final, 60))

    def delete(self) -> None:
        self._aws.client("cloudformation").delete_stack(StackName=self.name)
        eventually(lambda: (self._status() or "FAILED").endswith("FAILED"), 30)

    def physical(self, logical_id: str) -> str:
        detail = self._aws.client("cloudformation").describe_stack_resource(
            StackName=self.name, LogicalResourceId=logical_id
        )
        return str(detail["StackResourceDetail"]["PhysicalResourceId"])

    def outputs(self) -> dict[str, str]:
        return {each["OutputKey"]: each["OutputValue"] for each in self._describe().get("Outputs", [])}

    def reasons(self) -> list[str]:
        """Why something failed, newest first."""
        events = self._aws.client("cloudformation").describe_stack_events(StackName=self.name)["StackEvents"]
        return [each.get("ResourceStatusReason", "") for each in events if each["ResourceStatus"].endswith("FAILED")]

    def exists(self) -> bool:
        return self._status() is not None

    def _status(self) -> str | None:
        try:
            return str(self._describe()["StackStatus"])
        except self._aws.client("cloudformation").exceptions.ClientError:
            return None

    def _describe(self) -> Json:
        described: Json = self._aws.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"][0]
        return described


@pytest.fixture
def stack(aws: LocalAws, request: pytest.FixtureRequest) -> Iterator[Stack]:
    """A stack of the test's own, deleted after it."""
    words = re.findall(r"[a-z]+", request.node.name)[1:4]
    made = Stack(aws, "-".join(words)[:24])
    yield made
    if made.exists():
        made.delete()


@contextmanager
def running(data_dir: Path, port: int | None = None) -> Iterator[LocalAws]:
    """A local AWS that the block may kill."""
    started = start(data_dir, port)
    try:
        yield started
    finally:
        if started.process.poll() is None:
            started.process.kill()
            started.process.wait()
