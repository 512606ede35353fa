"""Chains of real containers on their own: what is passed on, what is refused, what is left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from local.sagemaker.hosting import Chain, ChainError, ContainerError
from tests.unit.local_hosting.hosting_kit import SERVING_PYTHON, archive, echo, wait_for
from tests.unit.local_hosting.wheels import wheel

REFUSING = """
class Refused(Exception):
    def __init__(self, status_code, message):
        self.status_code = status_code
        self.message = message
        self.phrase = "refused"

def model_fn(model_dir):
    return None

def transform_fn(model, data, content_type, accept):
    if data == b"refuse":
        raise Refused(422, "the text is empty\\nand more that is only for the log")
    if data == b"break":
        return {}["secret place"]
    if data == b"number":
        return 7
    return "fine"
"""

ENVIRONMENT = """
import os, json
def model_fn(model_dir):
    return model_dir
def transform_fn(model, data, content_type, accept):
    names = ("SAGEMAKER_SUBMIT_DIRECTORY", "GREETING", "AWS_SECRET_ACCESS_KEY", "PYTHONPATH")
    seen = {name: os.environ.get(name) for name in names}
    return json.dumps({"model_dir": model, "type": type(data).__name__, **seen})
"""

LEAVES_A_CHAIN = """
import sys, time
from pathlib import Path
from local.sagemaker.hosting import Chain
chain = Chain.from_archives([Path(sys.argv[2])] * 2, python=Path(sys.argv[1]), folder=Path(sys.argv[3]))
print(*[pid for pid, _ in chain.processes()], flush=True)
time.sleep(60)
"""


def start(tmp_path: Path, *archives: bytes, **options: object) -> Chain:
    """A chain of these archives."""
    paths = []
    for index, content in enumerate(archives):
        paths.append(tmp_path / f"{index}.tar.gz")
        paths[-1].write_bytes(content)
    return Chain.from_archives(paths, python=SERVING_PYTHON, folder=tmp_path / "run", **options)


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] if Path("/proc").exists() else ""
        os.kill(pid, 0)
    except (ProcessLookupError, FileNotFoundError):
        return False
    return state != "Z"


def test_each_answer_and_its_content_type_go_to_the_next_container(tmp_path: Path) -> None:
    with start(tmp_path, echo("a"), echo("b"), echo("c")) as chain:
        reply = chain.invoke(b"hi", content_type="application/json", accept="text/plain")
    assert reply.headers["content-type"] == "application/x-c"
    assert reply.body == (
        b"hi|a<application/json>[application/json]|b<application/x-a>[application/json]|c<application/x-b>[text/plain]"
    )


def test_a_handlers_refusal_keeps_its_status_and_shows_one_line(tmp_path: Path) -> None:
    with start(tmp_path, archive(REFUSING)) as chain:
        assert chain.invoke(b"ok", content_type="text/plain").body == b"fine"
        with pytest.raises(ChainError) as refused:
            chain.invoke(b"refuse", content_type="text/plain")
        with pytest.raises(ChainError) as broken:
            chain.invoke(b"break", content_type="text/plain")
        with pytest.raises(ChainError) as wrong_type:
            chain.invoke(b"number", content_type="text/plain")
        with pytest.raises(ChainError) as not_text:
            chain.invoke(b"\xff", content_type="application/json")
    assert (refused.value.status, refused.value.message) == (422, '{"message": "the text is empty"}')
    assert broken.value.status == 500
    assert broken.value.message == '{"message": "transform_fn failed with KeyError: \'secret place\'"}'
    assert wrong_type.value.status == 500
    assert not_text.value.status == 400
    log = (tmp_path / "run" / "logs" / "container-1.log").read_text()
    assert "Traceback" in log


def test_a_container_sees_its_own_environment_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not for models")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    given = {"SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code", "GREETING": "hello"}
    with start(tmp_path, archive(ENVIRONMENT), environments=[given]) as chain:
        seen = chain.invoke(b"{}", content_type="application/json").body.decode()
    model = tmp_path / "run" / "container-1"
    assert f'"model_dir": "{model}"' in seen
    assert f'"SAGEMAKER_SUBMIT_DIRECTORY": "{model}/code"' in seen
    assert '"type": "str"' in seen
    assert '"GREETING": "hello"' in seen
    assert '"AWS_SECRET_ACCESS_KEY": null' in seen
    assert '"PYTHONPATH": null' in seen


@pytest.mark.parametrize(
    ("handler", "reason"),
    [
        ("def model_fn(model_dir):\n    raise ValueError('no weights')", "does not define"),
        (REFUSING.replace("return None", "raise ValueError('no weights')"), "ValueError: no weights"),
        (REFUSING + "def input_fn(body, content_type): ...", "transform_fn cannot be combined"),
        ("import a_module_that_is_not_there", "ModuleNotFoundError"),
        ("import os; os._exit(3)", "its process ended with code 3"),
    ],
)
def test_a_model_that_does_not_load_says_why_and_leaves_no_process(tmp_path: Path, handler: str, reason: str) -> None:
    with pytest.raises(ContainerError, match=reason):
        start(tmp_path, echo("a"), archive(handler))
    assert list((tmp_path / "run" / "containers").iterdir()) == []


def test_a_slow_handler_is_given_up_after_the_timeout(tmp_path: Path) -> None:
    slow = REFUSING.replace('return "fine"', "import time; time.sleep(30)")
    with start(tmp_path, archive(slow)) as chain:
        begin = time.monotonic()
        with pytest.raises(ChainError, match="timed out") as late:
            chain.invoke(b"x", content_type="text/plain", timeout_seconds=0.3)
        assert time.monotonic() - begin < 2
        assert late.value.status == 0
        assert chain.containers[0].is_healthy()


def test_requirements_are_installed_from_wheels_in_the_archive(tmp_path: Path) -> None:
    handler = """
import greeting
def model_fn(model_dir):
    return None
def transform_fn(model, data, content_type, accept):
    return greeting.WORDS
"""
    files = {
        "code/requirements.txt": b"--no-index\n--find-links wheels\ngreeting==1.0\n",
        "code/wheels/greeting-1.0-py3-none-any.whl": wheel(
            "greeting", "1.0", {"greeting.py": "from farewell import WORDS"}, requires=["farewell>=2", "numpy"]
        ),
        "code/wheels/farewell-2.1-py3-none-any.whl": wheel("farewell", "2.1", {"farewell.py": "WORDS = 'bye'"}),
    }
    with start(tmp_path, archive(handler, files), archive(handler, files)) as chain:
        assert chain.invoke(b"", content_type="text/plain").body == b"bye"
    kept = [path for path in (tmp_path / "run" / "packages").iterdir() if path.is_dir()]
    assert len(kept) == 1, "one install serves both containers"
    assert not list(kept[0].glob("numpy*")), "what the image has is not installed again"


@pytest.mark.parametrize("line", ["greeting==1.0", "greeting @ https://example.com/greeting-1.0-py3-none-any.whl"])
def test_requirements_that_need_a_network_fail_with_a_reason(tmp_path: Path, line: str) -> None:
    with pytest.raises(ContainerError, match=r"requirements\.txt"):
        start(tmp_path, archive(REFUSING, {"code/requirements.txt": line.encode()}))


def test_no_container_outlives_a_parent_that_is_killed(tmp_path: Path) -> None:
    model = tmp_path / "model.tar.gz"
    model.write_bytes(echo("a"))
    command = [sys.executable, "-c", LEAVES_A_CHAIN, str(SERVING_PYTHON), str(model), str(tmp_path / "run")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(pids) == 2
        assert all(is_alive(pid) for pid in pids)
        parent.send_signal(signal.SIGKILL)
    wait_for(lambda: not any(is_alive(pid) for pid in pids), timeout_seconds=3)
