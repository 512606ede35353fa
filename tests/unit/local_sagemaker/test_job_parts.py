"""The parts that jobs are made of, each on its own."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from local.sagemaker.jobs import reasons, toolkit
from local.sagemaker.jobs.logs import LogStream
from tests.unit.local_sagemaker.job_kit import is_running, until

ROOT = Path(__file__).parents[3]
PARENT = """
import sys, time
from pathlib import Path
from local import lifeline
with open(sys.argv[1], "wb") as log:
    lifeline.spawn(["/bin/sh", "-c", "echo $$; sleep 60"], env={"PATH": "/usr/bin:/bin"}, cwd=Path("/"), log=log)
time.sleep(60)
"""


class _Logs:
    """CloudWatch Logs as far as a log stream needs it."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []

    def create_log_group(self, **_: Any) -> None: ...

    def create_log_stream(self, **_: Any) -> None: ...

    def put_log_events(self, *, logEvents: list[dict[str, Any]], **_: Any) -> None:  # noqa: N803
        self.batches.append([event["message"] for event in logEvents])


def test_a_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    with subprocess.Popen([sys.executable, "-c", PARENT, str(log)], cwd=ROOT) as parent:
        pid = int(until(lambda: log.exists() and log.read_text().strip()))
        parent.send_signal(signal.SIGKILL)
    until(lambda: not is_running(pid))


def test_log_lines_go_in_batches_and_progress_bars_line_by_line(tmp_path: Path) -> None:
    log, logs = tmp_path / "log.txt", _Logs()
    log.write_bytes(b"10%\r20%\r\n\nlast without end" + b"\n" + b"\n".join(b"row %d" % n for n in range(1500)))
    with LogStream(logs, group="g", stream="s", path=log):
        pass
    lines = sum(logs.batches, start=list[str]())
    assert lines[:4] == ["10%", "20%", "last without end", "row 0"]
    assert lines[-1] == "row 1499"
    assert [len(batch) for batch in logs.batches] == [1000, 503]


def test_hyperparameters_become_arguments_as_the_toolkit_makes_them() -> None:
    given = {"epochs": "3", "b": '"x"', "rate": "5e-5", "text": "plain", "m": '{"k": 1}', "sagemaker_program": '"t.py"'}
    own, platform = toolkit.split(toolkit.decoded(given))
    assert platform == {"sagemaker_program": "t.py"}
    assert toolkit.arguments(own) == ["-b", "x", "--epochs", "3", "-m", "k=1", "--rate", "5e-05", "--text", "plain"]


def test_a_long_reason_keeps_its_end_within_what_aws_keeps() -> None:
    reason = reasons.algorithm_error("x" * 5000 + " the end", 1)
    assert len(reason) == reasons.LONGEST_REASON
    assert reason.startswith("AlgorithmError: ...x")
    assert reason.endswith("x the end, exit code: 1")
