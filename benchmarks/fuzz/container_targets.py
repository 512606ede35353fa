"""The parsers of the three containers, asked through their four verbs alone: requests, messages between, and settings.

A request ends with a RequestError of one sentence, or with one answer for every line, in order and with its own id. A
settings file ends with a RuntimeError of one sentence, or is taken. Between requests a plain one is asked again: its
answer never changes.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from safetensors.numpy import load, save

from benchmarks.fuzz.target import Outcome, Target, promise
from model_artifact import MANIFEST
from tests.unit.training_code.model_kit import HANDLERS, list_files, write_served
from training_code.containers.content_types import JSON, JSON_LINES, TENSORS
from training_code.containers.errors import RequestError

CSV = "text/csv"
DECODED = (JSON, CSV)  # what every toolkit decodes before our code sees it
CANARY = "qzxsecret"  # in every text: no refusal may quote it
CHECK_EVERY = 50
PLAIN = b'{"id": "plain", "text": "good bad good"}\n'
LINES = (
    PLAIN,
    f'{{"id": "1", "text": "good {CANARY}", "title": "bad"}}\n{{"text": "okay"}}\n{{"id": 2}}\n{{\n'.encode(),
    f'{{"id": "e", "text": "good, but {CANARY}", "explain": true}}\n'.encode(),
    "\n".join(json.dumps({"id": str(number), "text": f"bad {CANARY}"}) for number in range(40)).encode(),
)
DOCUMENTS = (b'{"text": "good"}', f'[{{"id": "a", "text": "{CANARY}"}}, {{"text": ""}}, 3]'.encode())
RECORDS = (f'"good, {CANARY}"\nbad\n"a ""quoted"" word"\n'.encode(), b"okay\r\n")
TYPES = (b"application/jsonlines\n*/*", b"application/json; charset=utf-8\napplication/json", b"text/csv\n", b"\n")


REQUIRED = {
    "transform": ("tokenization.json",),
    "classify": ("tokenization.json",),
    "label": ("labels.json", "calibration.json"),
}
GATE = {
    "tokens": np.zeros((3, 5), dtype=np.float32),
    "pairs": np.zeros((3, 7), dtype=np.float32),
    "bias": np.zeros(3, dtype=np.float32),
}
ANSWER = {
    "sentiment": 1,
    "label": "positive",
    "probabilities": {"negative": 0.106507, "neutral": 0.106507, "positive": 0.786986},
    "confidence": 0.786986,
}
OPTIONAL = {
    "transform": {"selftest.json": b'{"cases": [{"text": "good bad", "ids": [4, 2]}]}'},
    "classify": {
        "selftest.json": b'{"cases": [{"ids": [4, 2], "logits": [2.0, 0.0, 2.0]}]}',
        "cascade.json": json.dumps(
            {"temperature": 1.0, "confident_above": {"negative": 0.9, "neutral": None, "positive": 0.9}}
        ).encode(),
        "cascade.safetensors": save(GATE),
    },
    "label": {"selftest.json": json.dumps({"cases": [{"logits": [0.0, 0.0, 2.0], "answer": ANSWER}]}).encode()},
}


class Containers:
    """The three handlers with a tiny model, called as a toolkit calls them."""

    def __init__(self, folder: Path) -> None:
        self._steps: list[tuple[ModuleType, Any]] = [
            (HANDLERS[name], HANDLERS[name].model_fn(str(path))) for name, path in write_served(folder).items()
        ]
        self._calls = 0
        self._plain = self.ask(PLAIN, JSON_LINES)[0]

    def ask(self, body: bytes, content_type: str, accept: str = "*/*", *, first: int = 0) -> tuple[bytes, str]:
        """The body and type of the last container's answer; RequestError where one refuses."""
        for handler, model in self._steps[first:]:
            body, content_type = call(handler, model, body, content_type, accept)
        return body, content_type

    def message(self, body: bytes, *, containers: int, accept: str = "*/*") -> bytes:
        """What travels after the first one or two containers."""
        content_type = JSON_LINES
        for handler, model in self._steps[:containers]:
            body, content_type = call(handler, model, body, content_type, accept)
        return body

    def check(self) -> None:
        """Now and then: a plain request is answered as at first."""
        self._calls += 1
        if self._calls % CHECK_EVERY == 0:
            promise(self.ask(PLAIN, JSON_LINES)[0] == self._plain, "a request has changed the answer to another")


def call(handler: ModuleType, model: Any, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
    """One container as the toolkits run it: text types come decoded, a bare answer gets the accepted type."""
    wanted = accept if accept and accept != "*/*" else JSON
    data: bytes | str = body
    if content_type in DECODED:
        try:
            data = body.decode()
        except UnicodeDecodeError:
            raise RequestError(400, "The toolkit cannot decode the body.") from None
    result = handler.output_fn(handler.predict_fn(handler.input_fn(data, content_type), model), wanted)
    answer, answered_type = result if isinstance(result, tuple) else (result, wanted)
    return (answer.encode() if isinstance(answer, str) else bytes(answer)), answered_type


def container_targets(folder: Path) -> list[Target]:
    containers = Containers(folder / "served")
    tensors = [containers.message(lines, containers=1) for lines in LINES]
    logits = [containers.message(lines, containers=2, accept=TENSORS) for lines in LINES]
    texts = [containers.message(lines, containers=2, accept=JSON) for lines in LINES]
    ids = [_as_text(binary, like=text) for binary, text in zip(tensors, texts, strict=True)]
    return [
        Target(name="JSON Lines", seeds=LINES, run=_request(containers, JSON_LINES)),
        Target(name="JSON", seeds=DOCUMENTS, run=_request(containers, JSON)),
        Target(name="CSV", seeds=RECORDS, run=_request(containers, CSV)),
        Target(name="content types", seeds=TYPES, run=_types(containers)),
        Target(name="tensors to classify", seeds=tuple(tensors), run=_message(containers, TENSORS, first=1)),
        Target(name="tensors to label", seeds=tuple(logits), run=_message(containers, TENSORS, first=2)),
        Target(name="JSON to classify", seeds=tuple(ids), run=_message(containers, JSON, first=1)),
        Target(name="JSON to label", seeds=tuple(texts), run=_message(containers, JSON, first=2)),
        *_settings_targets(folder / "settings"),
    ]


def _as_text(binary: bytes, *, like: bytes) -> bytes:
    """Tensors in the form that text types carry, of which `like` is an example."""
    tensors = {
        name: {"dtype": f"{array.dtype.kind.upper()}{8 * array.itemsize}", "shape": array.shape, "data": array.tolist()}
        for name, array in load(binary).items()
    }
    return json.dumps(json.loads(like) | {"tensors": tensors}).encode()


def _guarded(containers: Containers, answer: Callable[[bytes], None]) -> Callable[[bytes], Outcome]:
    def run(data: bytes) -> Outcome:
        try:
            answer(data)
        except RequestError as error:
            promise(400 <= error.status_code < 500, f"a client is told {error.status_code}: {error.message}")
            check_sentence(error.message)
            return Outcome.REFUSED
        finally:
            containers.check()
        return Outcome.ANSWERED

    return run


def _request(containers: Containers, content_type: str) -> Callable[[bytes], Outcome]:
    def answer(data: bytes) -> None:
        body, answered_type = containers.ask(data, content_type)
        answers = parse_answers(body, answered_type)
        for each in answers:
            if "error" in each:
                check_sentence(each["error"]["message"])
        if content_type == JSON_LINES:
            check_matches(data, answers)

    return _guarded(containers, answer)


def _message(containers: Containers, content_type: str, *, first: int) -> Callable[[bytes], Outcome]:
    def answer(data: bytes) -> None:
        parse_answers(*containers.ask(data, content_type, first=first))

    return _guarded(containers, answer)


def _types(containers: Containers) -> Callable[[bytes], Outcome]:
    def answer(data: bytes) -> None:
        content_type, _, accept = data.decode("latin-1").partition("\n")
        containers.ask(PLAIN, content_type, accept)

    return _guarded(containers, answer)


def _settings_targets(folder: Path) -> list[Target]:
    """One for each file that a container reads by itself. Tokenizer and graph are read by libraries of their own."""
    return [
        Target(name=f"{name}/{path.name}", seeds=(path.read_bytes(),), run=_settings(HANDLERS[name], path), share=1)
        for name, served in write_served(folder).items()
        for path in _written(name, served)
    ]


def _written(container: str, served: Path) -> list[Path]:
    """The container's files, with those that an artifact may have beside what the tiny model has."""
    for name, content in OPTIONAL[container].items():
        (served / name).write_bytes(content)
    list_files(served, container)
    return [served / name for name in (MANIFEST, *REQUIRED[container], *OPTIONAL[container])]


def _settings(handler: ModuleType, path: Path) -> Callable[[bytes], Outcome]:
    served = path.parent.with_name(f"{path.parent.name}-{path.name}")
    shutil.copytree(path.parent, served)

    def run(data: bytes) -> Outcome:
        (served / path.name).write_bytes(data)
        if path.name != MANIFEST:  # so that the file is read and not only found changed
            list_files(served, path.parent.name)
        try:
            handler.model_fn(str(served))
        except RuntimeError as error:
            check_sentence(str(error))
            return Outcome.REFUSED
        return Outcome.ANSWERED

    return run


def check_sentence(message: str) -> None:
    """One readable line that quotes no text and shows no code."""
    promise(bool(message), "a refusal without a word")
    promise(message.isprintable(), f"a refusal of more than one line: {message!r}")
    promise(len(message) < 500, "a refusal without end")
    promise(CANARY not in message, "a refusal quotes the text")
    promise("Traceback" not in message, "a refusal shows code")


def parse_answers(body: bytes, content_type: str) -> list[dict[str, Any]]:
    """The answers of an endpoint, each an object with a prediction or an error."""
    text = body.decode("utf-8")
    document = json.loads(text) if content_type == JSON else [json.loads(line) for line in text.splitlines()]
    answers = document if isinstance(document, list) else [document]
    for each in answers:
        if "error" not in each:
            promise(each["label"] in ("negative", "neutral", "positive", "unsure"), "no label")
    return answers


def check_matches(request: bytes, answers: Sequence[dict[str, Any]]) -> None:
    """As many answers as lines, each with the id of its own line."""
    lines = request.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    if not lines[-1].strip():
        lines.pop()
    promise(len(answers) == len(lines), f"{len(answers)} answers to {len(lines)} lines")
    for line, answer in zip(lines, answers, strict=True):
        try:
            entry = json.loads(line.decode("utf-8"))
        except (ValueError, RecursionError):
            entry = None
        sent = entry.get("id") if isinstance(entry, dict) else None
        promise(answer.get("id") == (sent if isinstance(sent, str) else None), "an answer has the id of another line")
