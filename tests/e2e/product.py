"""A whole Earshot in a home of its own: the command line as a user runs it, and the local AWS behind it."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

ROOT = Path(__file__).resolve().parents[2]
EARSHOT = ROOT / ".venv" / "bin" / "earshot"
# The local AWS of the run denies roles what their policies do not allow, unless it is told not to.
ROLES_ARE_JUDGED = os.environ.get("EARSHOT_IAM", "on") == "on"


@dataclass(frozen=True, kw_only=True)
class Product:
    """One home and one port; nothing of another Earshot on this machine is touched."""

    home: Path
    port: int

    @property
    def endpoint_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "EARSHOT_"))}
        return {
            **kept,
            "EARSHOT_HOME": str(self.home),
            "EARSHOT_PORT": str(self.port),
            "EARSHOT_IAM": "on" if ROLES_ARE_JUDGED else "off",
        }

    @property
    def client_environment(self) -> dict[str, str]:
        """What any AWS client needs to find the local AWS."""
        return {
            **self.environment,
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def run(self, *arguments: str, expect: int = 0, timeout: float = 900) -> str:
        """One `earshot` command; its standard output. The test fails with all it said when the code is another."""
        said: str = self._said(arguments, expect, timeout).stdout
        return said

    def complaint(self, *arguments: str, expect: int, timeout: float = 900) -> str:
        """One `earshot` command that must fail with this code; what it says on its standard error."""
        said: str = self._said(arguments, expect, timeout).stderr
        return said

    def _said(self, arguments: Sequence[str], expect: int, timeout: float) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [str(EARSHOT), *arguments],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        said = f"earshot {' '.join(arguments)} ended with {done.returncode}:\n{done.stderr}\n{done.stdout}"
        assert done.returncode == expect, said
        return done

    def json(self, *arguments: str, timeout: float = 900) -> Any:
        """The JSON document that a command prints."""
        return json.loads(self.run(*arguments, "--json", timeout=timeout))

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.endpoint_url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def output(self, stack: str, key: str) -> str:
        """One output of a deployed stack."""
        (found,) = self.client("cloudformation").describe_stacks(StackName=f"earshot-local-{stack}")["Stacks"]
        return next(output["OutputValue"] for output in found["Outputs"] if output["OutputKey"] == key)

    def kill(self, what: str) -> int:
        """kill -9 every process of the local AWS whose description holds `what`; how many there were."""
        killed = 0
        for process in self.json("status")["local"]["processes"]:
            if what in process["what"]:
                try:
                    os.kill(process["pid"], signal.SIGKILL)
                except ProcessLookupError:
                    continue
                killed += 1
        return killed

    def ledger(self, prefix: str) -> dict[str, dict[str, Any]]:
        """The ledger's items whose id starts with the prefix, by id."""
        table = boto3.resource(
            "dynamodb",
            endpoint_url=self.endpoint_url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        ).Table(self.output("intake", "Ledger"))
        found: dict[str, dict[str, Any]] = {}
        start: dict[str, Any] = {}
        while True:
            page = table.scan(ConsistentRead=True, **start)
            found |= {item["feedback_id"]: item for item in page["Items"] if item["feedback_id"].startswith(prefix)}
            if "LastEvaluatedKey" not in page:
                return found
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def wait_until(condition: Callable[[], bool], what: str, *, timeout_seconds: float = 120) -> None:
    """Polls until the condition holds; fails the test saying what was waited for."""
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {timeout_seconds:.0f} s in vain until {what}"
        time.sleep(0.5)
