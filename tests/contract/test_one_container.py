"""One container of one's own answers as the three in series do, byte for byte, and refuses what is no release."""

import contextlib
import http.client
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bundles.sources import ROOT
from local.sagemaker.hosting.chain import Chain, ChainError

PYTHON = ROOT / ".venv-serving" / "bin" / "python"
STARTER = ROOT / ".build" / "starter"
CONTAINERS = ("transform", "classify", "label")
pytestmark = pytest.mark.skipif(not STARTER.is_dir(), reason="the bundles are not built: run make build")
REQUESTS = {
    "lines": (
        b'{"id":"a","text":"It broke","explain":true}\nbad\n{"text":"I love it","title":"Great"}\n',
        "application/jsonlines",
    ),
    "one": (b'{"text":"It is a shirt."}', "application/json"),
    "list": (b'[{"text":"Bad."},{"text":""},{"id":"c","text":"Good."}]', "application/json"),
    "csv": (b'"It broke, badly"\nfine\n', "text/csv"),
    "empty": (b"", "application/jsonlines"),
    "tensors": (b"\x93NUMPY", "application/x-npy"),
}


@contextlib.contextmanager
def served(model: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The server over a model folder, once it listens."""
    process = subprocess.Popen(
        [
            str(PYTHON),
            "-m",
            "one_container.server",
            "--model",
            str(model),
            "--host",
            "127.0.0.1",
            "--port",
            "0",
            "serve",
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        found = re.fullmatch(r"listening on port (\d+)\n", process.stdout.readline())
        assert found
        yield process, int(found[1])
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with served(STARTER) as (process, port):
        assert process.stdout is not None
        assert process.stdout.readline() == "the model is loaded\n"
        yield port


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    archives = [STARTER / f"{container}.tar.gz" for container in CONTAINERS]
    environment = {"SAGEMAKER_PROGRAM": "inference.py"}
    with Chain.from_archives(
        archives, python=PYTHON, folder=tmp_path_factory.mktemp("chain"), environments=[environment] * 3
    ) as chain:
        yield chain


def ask(port: int, body: bytes, content_type: str, accept: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", "/invocations", body, {"Content-Type": content_type, "Accept": accept})
    with contextlib.closing(connection), connection.getresponse() as answer:
        return answer.status, answer.read()


@pytest.mark.parametrize("name", REQUESTS)
@pytest.mark.parametrize("accept", ["application/jsonlines", "application/json"])
def test_answers_are_those_of_the_three_containers(port: int, chain: Chain, name: str, accept: str) -> None:
    body, content_type = REQUESTS[name]

    status, answer = ask(port, body, content_type, accept)

    if status == 200:
        assert chain.invoke(body, content_type=content_type, accept=accept).body == answer
        return
    with pytest.raises(ChainError) as refused:
        chain.invoke(body, content_type=content_type, accept=accept)
    assert refused.value.status == status
    assert json.loads(refused.value.message)["message"] == json.loads(answer)["message"]


def test_a_folder_that_is_no_release_ends_the_container_with_a_sentence(tmp_path: Path) -> None:
    shutil.copy(STARTER / "transform.tar.gz", tmp_path)
    with served(tmp_path) as (process, _):
        _, said = process.communicate(timeout=30)
        assert process.returncode == 1
        assert said == f"one_container: There is neither classify/ nor classify.tar.gz in {tmp_path}.\n"


def test_an_archive_that_holds_code_of_another_kind_is_not_unpacked(tmp_path: Path) -> None:
    for container in CONTAINERS:
        shutil.copy(STARTER / f"{container}.tar.gz", tmp_path)
    with (tmp_path / "label.tar.gz").open("ab") as archive:
        archive.write(b"hidden")
    with served(tmp_path) as (process, _):
        _, said = process.communicate(timeout=60)
        assert process.returncode == 1
        assert said.startswith("one_container: ")
        assert "Traceback" not in said
