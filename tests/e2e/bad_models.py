"""Bad models of many kinds, made out of a good release: each is packed and signed as the evaluation job would do it.

A kind says where it must be stopped at the latest: when its archives are inspected, when its containers are to become
healthy, or by the canary. What the canary has to find is packed with self-tests of its own, as a model that was
trained badly would be; what must not become healthy carries the good model's.
"""

from __future__ import annotations

import gzip
import io
import json
import pickle
import shutil
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
from openvino import opset13 as ops

from model_artifact import MANIFEST, manifest_files
from training_code.artifacts import CONTAINERS, build_release, unpack

GRAPHS = ("model.xml", "model.onnx")
CODE = "code/inference.py"

Archives = dict[str, bytes]
Members = dict[str, bytes]


class Stopped(Enum):
    """Where a bad model goes no further."""

    INSPECTION = "the release is refused before anything is changed"
    HEALTH = "the containers do not become healthy"
    CANARY = "the canary takes it back"


@dataclass(frozen=True, kw_only=True)
class Good:
    """A release, opened: a folder with the model's data files, and one with each container's code."""

    model: Path
    serving: Path

    @classmethod
    def opened(cls, archives: Path, folder: Path) -> Good:
        """Open `{transform,classify,label}.tar.gz` below `folder`."""
        good = cls(model=folder / "model", serving=folder / "serving")
        good.model.mkdir(parents=True)
        for container in CONTAINERS:
            parts = folder / container
            unpack(archives / f"{container}.tar.gz", parts)
            shutil.move(parts / "code", good.serving / container / "code")
            for path in parts.iterdir():
                if path.is_file() and path.name not in (MANIFEST, "selftest.json"):
                    shutil.copy(path, good.model / path.name)
        return good


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of bad model."""

    name: str
    stopped: Stopped
    build: Callable[[Good, str], Archives]

    def __str__(self) -> str:
        return self.name


def packed(
    good: Good,
    version_prefix: str,
    *,
    model: Callable[[Path], None] | None = None,
    code: Callable[[Path], None] | None = None,
) -> Archives:
    """The release packed anew, its model or its code changed first. `model` gets the folder of data files, `code` that
    of the containers. Without either it is the good model under another version."""
    with tempfile.TemporaryDirectory(prefix="earshot-bad-") as scratch:
        changed = Good(model=Path(scratch) / "model", serving=Path(scratch) / "serving")
        shutil.copytree(good.model, changed.model)
        shutil.copytree(good.serving, changed.serving)
        if model is not None:
            model(changed.model)
        if code is not None:
            code(changed.serving)
        release = build_release(
            changed.model, changed.serving, Path(scratch) / "release", version_prefix=version_prefix
        )
        return {name: path.read_bytes() for name, path in release.artifacts.items()}


def members_of(archive: bytes) -> Members:
    """The files of an archive."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {each.name: tar.extractfile(each).read() for each in tar if each.isfile()}  # type: ignore[union-attr]


def archive_of(members: Members, *extra: tuple[tarfile.TarInfo, bytes]) -> bytes:
    """An archive of these files, and of whatever else."""
    content = io.BytesIO()
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=content, mtime=0, compresslevel=1) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for name in sorted(members):
            tar.addfile(_entry(name, members[name]), io.BytesIO(members[name]))
        for entry, body in extra:
            tar.addfile(entry, io.BytesIO(body))
    return content.getvalue()


def signed(members: Members) -> Members:
    """The same files under a manifest that lists them as they are now."""
    files = {name: body for name, body in members.items() if name != MANIFEST}
    manifest = {**json.loads(members[MANIFEST]), "files": manifest_files(files)}
    return {**files, MANIFEST: json.dumps(manifest).encode()}


# What a badly trained model does


def _answering(change: Callable[[Any], Any]) -> Callable[[Good, str], Archives]:
    """The classifier's logits go through `change`, an expression of OpenVINO."""
    return lambda good, version: packed(good, version, model=lambda folder: _change_graph(folder, change))


def _change_graph(folder: Path, change: Callable[[Any], Any]) -> None:
    path = next(folder / name for name in GRAPHS if (folder / name).is_file())
    graph = ov.Core().read_model(path)
    logits = graph.output("logits").get_node().input_value(0)
    logits.get_tensor().set_names({"good_logits"})
    changed = change(logits)
    changed.output(0).get_tensor().set_names({"logits"})
    with tempfile.TemporaryDirectory(prefix="earshot-graph-") as scratch:
        # The graph that is read maps the weights' file: it is written elsewhere before that one goes.
        ov.serialize(ov.Model([ops.result(changed)], graph.get_parameters(), "bad"), f"{scratch}/model.xml")
        for name in (*GRAPHS, "model.bin"):
            (folder / name).unlink(missing_ok=True)
        for name in ("model.xml", "model.bin"):
            shutil.copy(f"{scratch}/{name}", folder / name)
    for gate in folder.glob("cascade.*"):  # a gate before the model would answer in its place
        gate.unlink()


def _plus(*values: float) -> Callable[[Any], Any]:
    return lambda logits: ops.add(logits, np.array([values], dtype=np.float32))


def _times(*rows: tuple[float, float, float]) -> Callable[[Any], Any]:
    return lambda logits: ops.matmul(logits, np.array(rows, dtype=np.float32), False, False)


def _calibrated(**values: float) -> Callable[[Good, str], Archives]:
    def change(folder: Path) -> None:
        path = folder / "calibration.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **values}))

    return lambda good, version: packed(good, version, model=change)


def _coded(addition: str, *, container: str = "classify") -> Callable[[Good, str], Archives]:
    """These lines stand at the end of a container's code."""

    def change(serving: Path) -> None:
        with (serving / container / CODE).open("a", encoding="utf-8") as file:
            file.write(addition)

    return lambda good, version: packed(good, version, code=change)


_PREDICT = """

_good_predict_fn = predict_fn


def predict_fn(data, model):
"""
SLOW = _PREDICT + "    import time\n    time.sleep(3)\n    return _good_predict_fn(data, model)\n"
CRASHING = (
    _PREDICT + "    if len(data.tensors['lengths']) and int(data.tensors['lengths'].max()) > 12:\n"
    "        raise ZeroDivisionError('a text of more than ten words')\n"
    "    return _good_predict_fn(data, model)\n"
)
FEWER_ROWS = (
    _PREDICT + "    from dataclasses import replace\n"
    "    answered = _good_predict_fn(data, model)\n"
    "    return replace(answered, tensors={'logits': answered.tensors['logits'][:-1]})\n"
)
HUNGRY = (
    _PREDICT + "    import resource\n"
    "    used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
    "    resource.setrlimit(resource.RLIMIT_AS, (used + 2**26, resource.getrlimit(resource.RLIMIT_AS)[1]))\n"
    "    bytearray(2**33)\n"
    "    return _good_predict_fn(data, model)\n"
)


# What was damaged after it was packed


def _damaged(
    container: str, damage: Callable[[Members], None], *, sign: bool = True
) -> Callable[[Good, str], Archives]:
    """One container's files are changed; the manifest lists them as they are then, unless that is the point."""

    def build(good: Good, version: str) -> Archives:
        archives = packed(good, version)
        members = members_of(archives[container])
        damage(members)
        return {**archives, container: archive_of(signed(members) if sign else members)}

    return build


def _written(name: str, value: object) -> Callable[[Members], None]:
    return lambda members: members.update({name: json.dumps(value).encode()})


def _graph_of(change: Callable[[Any], Any]) -> Callable[[Members], None]:
    """The graph of the archive goes through `change`; its self-test stays the good model's."""

    def damage(members: Members) -> None:
        names = [name for name in (*GRAPHS, "model.bin", "cascade.json", "cascade.safetensors") if name in members]
        with tempfile.TemporaryDirectory(prefix="earshot-bad-") as scratch:
            for name in names:
                (Path(scratch) / name).write_bytes(members.pop(name))
            _change_graph(Path(scratch), change)
            members.update({path.name: path.read_bytes() for path in Path(scratch).iterdir()})

    return damage


def _without(*names: str) -> Callable[[Members], None]:
    def damage(members: Members) -> None:
        for name in names:
            members.pop(name, None)

    return damage


def _truncated(members: Members) -> None:
    name = next(name for name in GRAPHS if name in members)
    members[name] = members[name][: len(members[name]) // 2]


def _other_vocabulary(members: Members) -> None:
    tokenizer = json.loads(members["tokenizer.json"])
    vocabulary = tokenizer["model"]["vocab"]
    words = sorted(vocabulary, key=vocabulary.__getitem__)
    special = {each["content"] for each in tokenizer.get("added_tokens", [])} | {w for w in words if w.startswith("[")}
    plain = [word for word in words if word not in special]
    turned = dict(zip(plain, [vocabulary[word] for word in [*plain[1:], plain[0]]], strict=True))
    tokenizer["model"]["vocab"] = {**vocabulary, **turned}
    members["tokenizer.json"] = json.dumps(tokenizer).encode()


# What is hostile


def _with(entry: tarfile.TarInfo, body: bytes = b"") -> Callable[[Good, str], Archives]:
    def build(good: Good, version: str) -> Archives:
        archives = packed(good, version)
        return {**archives, "label": archive_of(members_of(archives["label"]), (entry, body))}

    return build


def _entry(name: str, body: bytes = b"", **fields: Any) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(body), 0o644
    for field, value in fields.items():
        setattr(entry, field, value)
    return entry


def _others_archive(good: Good, version: str) -> Archives:
    archives = packed(good, version)
    return {**archives, "label": archives["transform"]}


def _bomb(members: Members) -> None:
    members["bomb.json"] = b'"' + b"0" * (64 * 1024 * 1024) + b'"'


_PICKLE = pickle.dumps({"weights": [1.0, 2.0]})

KINDS: tuple[Kind, ...] = tuple(
    Kind(name=name, stopped=stopped, build=build)
    for stopped, kinds in {
        Stopped.CANARY: {
            "swapped labels": _answering(_times((0, 0, 1), (0, 1, 0), (1, 0, 0))),
            "inverted logits": _answering(_times((-1, 0, 0), (0, -1, 0), (0, 0, -1))),
            "everything is negative": _answering(_plus(50, 0, 0)),
            "everything is positive": _answering(_plus(0, 0, 50)),
            "everything is neutral": _answering(_plus(0, 50, 0)),
            "zeroed weights": _answering(_times((0, 0, 0), (0, 0, 0), (0, 0, 0))),
            "random weights": _answering(_times((0.3, 1.7, -0.6), (1.1, -0.2, 0.4), (-0.9, 0.8, 0.5))),
            "never sure": _calibrated(abstain_below=0.9999),
            "slow": _coded(SLOW),
            "crashing at some inputs": _coded(CRASHING),
            "fewer rows than lines": _coded(FEWER_ROWS),
            "out of memory": _coded(HUNGRY),
        },
        Stopped.HEALTH: {
            "NaN weights": _damaged("classify", _graph_of(_plus(float("nan"), 0, 0))),
            "infinite weights": _damaged("classify", _graph_of(_plus(float("inf"), 0, 0))),
            "weights of another model": _damaged("classify", _graph_of(_times((0, 0, 1), (0, 1, 0), (1, 0, 0)))),
            "missing weights": _damaged("classify", _without("model.onnx", "model.bin")),
            "missing graph": _damaged("classify", _without(*GRAPHS, "model.bin")),
            "truncated graph": _damaged("classify", _truncated),
            "missing tokenizer": _damaged("transform", _without("tokenizer.json")),
            "wrong vocabulary": _damaged("transform", _other_vocabulary),
            "labels of two classes": _damaged(
                "label", _written("labels.json", {"labels": ["negative", "positive"], "sentiments": [-1, 1]})
            ),
            "doubled classes": _damaged(
                "label",
                _written("labels.json", {"labels": ["negative", "negative", "positive"], "sentiments": [-1, -1, 1]}),
            ),
            "temperature of zero": _damaged(
                "label", _written("calibration.json", {"temperature": 0.0, "abstain_below": 0.5})
            ),
            "negative temperature": _damaged(
                "label", _written("calibration.json", {"temperature": -1.0, "abstain_below": 0.5})
            ),
            "raising at import": _coded("\n\nraise RuntimeError('not today')\n"),
        },
        Stopped.INSPECTION: {
            "another container's archive": _others_archive,
            "changed after it was signed": _damaged(
                "label", _written("calibration.json", {"temperature": 9.0, "abstain_below": 0.0}), sign=False
            ),
            "a pickle": _damaged("label", lambda members: members.update({"weights.pkl": _PICKLE})),
            "a pickle under another name": _damaged("label", lambda members: members.update({"vocab.txt": _PICKLE})),
            "an executable": _damaged(
                "label", lambda members: members.update({"code/tool.py": b"\x7fELF" + bytes(64)})
            ),
            "a link": _with(_entry("tokens.json", type=tarfile.SYMTYPE, linkname="/etc/passwd")),
            "a parent path": _with(_entry("../evil.json", b"{}"), b"{}"),
            "an absolute path": _with(_entry("/etc/evil.json", b"{}"), b"{}"),
            "a gzip bomb": _damaged("label", _bomb),
        },
    }.items()
    for name, build in kinds.items()
)


def kind(name: str) -> Kind:
    """The kind of this name."""
    return next(each for each in KINDS if each.name == name)
