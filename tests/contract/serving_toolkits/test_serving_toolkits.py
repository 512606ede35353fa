"""The same requests get the same answers from AWS's own serving toolkits and from the local host's containers.

Each container is run by the toolkit of its image: transform and label by sagemaker-containers, which the scikit-learn
image serves with, classify by the Hugging Face toolkit; and all three by sagemaker-inference. Needs what `make build`
leaves and `.venv-toolkits`.
"""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO, cast

import pytest

from bundles.sources import ROOT
from training_code.artifacts import CONTAINERS, unpack
from training_code.containers.content_types import CSV, JSON, JSON_LINES, TENSORS

PYTHON = ROOT / ".venv-toolkits" / "bin" / "python"
STARTER = ROOT / ".build" / "starter"
HOSTING = ROOT / "local" / "sagemaker" / "hosting"
PROGRAM = Path(__file__).with_name("toolkit_process.py")
pytestmark = [
    pytest.mark.skipif(not STARTER.is_dir(), reason="the bundles are not built: run make build"),
    pytest.mark.skipif(not PYTHON.is_file(), reason="the toolkits are not installed: run make .venv-toolkits"),
]
CHAINS = {
    "local": ("local", "local", "local"),
    "sagemaker-inference": ("sagemaker-inference",) * 3,
    "images": ("scikit-learn", "huggingface", "scikit-learn"),
}
TEXTS = (
    "The zip broke after two days and nobody answers my mails.",
    "It is a shirt. It has sleeves.",
    "I love it, perfect fit and wonderful colour!",
    "sch\u00f6ne Gr\u00f6\u00dfe \U0001f600 \u2028 \u0000 <b>ok</b>",
    "very " * 3000 + "good",
)
NPY = b"\x93NUMPY\x01\x00v\x00{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"


@dataclass(frozen=True)
class Answer:
    status: int
    content_type: str
    body: bytes


class Container:
    """A running child process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._to, self._from = cast(TextIO, process.stdin), cast(TextIO, process.stdout)

    def wait_until_ready(self) -> None:
        assert self._from.readline() == "ready\n", "the container did not start: see its traceback above"

    def ask(self, body: bytes, headers: dict[str, str]) -> Answer:
        self._to.write(json.dumps({"body": base64.b64encode(body).decode(), "headers": headers}) + "\n")
        self._to.flush()
        answer = json.loads(self._from.readline())
        return Answer(answer["status"], answer["content_type"], base64.b64decode(answer["body"]))


Chains = dict[str, tuple[Container, ...]]


@pytest.fixture(scope="module")
def chains(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chains]:
    folder = tmp_path_factory.mktemp("toolkits")
    for container in CONTAINERS:
        unpack(STARTER / f"{container}.tar.gz", folder / container / "model")
    with ExitStack() as stack:

        def start(toolkit: str, container: str) -> Container:
            arguments = [PROGRAM, toolkit, folder / container / "model", folder / "packages", HOSTING]
            process = subprocess.Popen(
                [str(PYTHON), *map(str, arguments)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=folder,
                env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "HF_HUB_OFFLINE": "1", "PYTHONNOUSERSITE": "1"},
            )
            stack.callback(_end, process)
            return Container(process)

        started = {
            name: tuple(start(toolkit, container) for toolkit, container in zip(toolkits, CONTAINERS, strict=True))
            for name, toolkits in CHAINS.items()
        }
        with ThreadPoolExecutor() as pool:
            list(pool.map(Container.wait_until_ready, [each for chain in started.values() for each in chain]))
        yield started


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()


def ask(chain: tuple[Container, ...], body: bytes, content_type: str, accept: str | None) -> Answer:
    """Through the three containers as an inference pipeline does: each answer is the next one's request."""
    answer = Answer(200, content_type, body)
    for container in chain:
        headers = {"Content-Type": answer.content_type} | ({"Accept": accept} if accept else {})
        answer = container.ask(answer.body, headers)
        if answer.status != 200:
            break
    return answer


def lines(*entries: object) -> bytes:
    return "".join(f"{json.dumps(entry)}\n" for entry in entries).encode()


GOOD = {
    "lines": (lines(*({"id": str(number), "text": text} for number, text in enumerate(TEXTS))), JSON_LINES),
    "lines in UTF-8": ("".join(f'{{"text": "{text}"}}\n' for text in TEXTS[:3]).encode(), JSON_LINES),
    "one line": (lines({"text": TEXTS[0], "title": "Never again"}), JSON_LINES),
    "good and bad lines": (
        lines({"text": TEXTS[1]}, {"id": "x"}, {"text": ""}, "text") + b"{\n\xff\xfe\n" + lines({"text": "fine"}),
        JSON_LINES,
    ),
    "bad lines alone": (b"{\n[]\n", JSON_LINES),
    "records": (f'"{TEXTS[0]}"\n{TEXTS[2]}\r\n"a ""quoted"" word, ""and"" a comma"\n'.encode(), CSV),
    "an explained line": (lines({"id": "why", "text": TEXTS[0], "explain": True}, {"text": TEXTS[2]}), JSON_LINES),
    "one object": (json.dumps({"text": TEXTS[2]}).encode(), JSON),
    "a list": (json.dumps([{"text": text} for text in TEXTS]).encode(), JSON),
    "many lines": (lines(*({"id": f"{n}", "text": TEXTS[n % 3] * (n % 7)} for n in range(1, 100))), JSON_LINES),
}
BAD = {
    "no JSON": (b"{", JSON),
    "nothing": (b"", JSON_LINES),
    "an empty list": (b"[]", JSON),
    "a NumPy pickle": (NPY, "application/x-npy"),
    "an image": (b"\x89PNG", "application/x-image"),
    "tensors": (b"\x02\0\0\0\0\0\0\0{}", TENSORS),
    "a content type of nobody": (b"x", "what/ever"),
}


@pytest.mark.parametrize("accept", [None, "*/*", JSON_LINES, JSON])
@pytest.mark.parametrize("name", GOOD)
def test_every_toolkit_gives_the_local_hosts_answer(chains: Chains, name: str, accept: str | None) -> None:
    expected, *others = (ask(chain, *GOOD[name], accept) for chain in chains.values())
    assert expected.status == 200, expected.body
    for answer in others:
        assert answer.status == 200, answer.body
        assert answer.body == expected.body


@pytest.mark.parametrize("name", BAD)
def test_every_toolkit_refuses_what_the_local_host_refuses(chains: Chains, name: str) -> None:
    expected, _, images = (ask(chain, *BAD[name], None) for chain in chains.values())
    assert 400 <= expected.status < 500
    assert images.status >= 400
    # sagemaker-inference, which none of our images serves with, adds a traceback of its own accord.
    for answer in (expected, images):
        assert b"Traceback" not in answer.body
        assert b'File "' not in answer.body


def test_a_refusal_leaves_the_containers_as_they_were(chains: Chains) -> None:
    before = ask(chains["images"], *GOOD["lines"], None)
    for body, content_type in BAD.values():
        ask(chains["images"], body, content_type, None)
    assert ask(chains["images"], *GOOD["lines"], None) == before


@pytest.mark.parametrize("accept", [None, "*/*", JSON, JSON_LINES, TENSORS])
def test_the_hugging_face_toolkit_gets_a_body_and_never_a_pair(chains: Chains, accept: str | None) -> None:
    """It would turn a pair of body and type into JSON."""
    transform, classify, label = chains["images"]
    tensors = transform.ask(GOOD["lines"][0], {"Content-Type": JSON_LINES})
    logits = classify.ask(tensors.body, {"Content-Type": tensors.content_type} | ({"Accept": accept} if accept else {}))
    assert logits.status == 200, logits.body
    answer = label.ask(logits.body, {"Content-Type": logits.content_type})
    assert answer.body == ask(chains["local"], *GOOD["lines"], None).body
