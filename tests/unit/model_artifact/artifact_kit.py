"""Artifacts for tests: a good one of every format, and the parts that hostile ones are put together from."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import struct
import tarfile
import zipfile
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save

from model_artifact import MANIFEST, manifest_files

VERSION = "test-000000000000"
BLOCK = 512
GRAPH = b"""<?xml version="1.0"?>
<net name="three" version="11"><layers>
<layer id="0" name="ids" type="Parameter" version="opset1"><data shape="?,?" element_type="i64"/></layer>
<layer id="1" name="weights" type="Const" version="opset1">
<data element_type="f32" shape="3" offset="0" size="12"/></layer>
</layers><edges/><rt_info/></net>
"""


def onnx_model(nodes: Iterable[onnx.NodeProto] | None = None, domains: Iterable[str] = ("",)) -> onnx.ModelProto:
    """Two inputs, one Identity, three weights."""
    graph = helper.make_graph(
        list(nodes) if nodes is not None else [helper.make_node("Identity", ["weights"], ["logits"])],
        "three",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "sequence"])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [3])],
        [numpy_helper.from_array(np.ones(3, dtype=np.float32), "weights")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid(domain, 17) for domain in domains])


def wheel(names: Iterable[str] = ("thing/__init__.py", "thing-1.dist-info/RECORD")) -> bytes:
    """A zip archive with these members."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), b"x = 1\n")
    return content.getvalue()


def good_members() -> dict[str, bytes]:
    """Every format that an artifact may hold, without its manifest."""
    return {
        "tokenizer.json": json.dumps({"model": {"vocab": {"[PAD]": 0, "straße": 1}}}).encode(),
        "probes.jsonl": b'{"text": "good"}\n{"text": "bad"}\n',
        "vocab.txt": "[PAD]\n[UNK]\nstraße\n".encode(),
        "model.safetensors": save({"weights": np.ones((2, 3), dtype=np.float32)}, {"made": "here"}),
        "model.onnx": onnx_model().SerializeToString(),
        "graph/model.xml": GRAPH,
        "graph/model.bin": np.ones(3, dtype=np.float32).tobytes(),
        "code/inference.py": b"def model_fn(model_dir):\n    return model_dir\n",
        "code/requirements.txt": b"--no-index\n--find-links wheels\n",
        "code/pyproject.toml": b"[build-system]\n",
        "code/wheels/thing-1-py3-none-any.whl": wheel(),
    }


def manifest_of(members: Mapping[str, bytes], **changed: object) -> bytes:
    """The manifest of these members."""
    stated = {"model_version": VERSION, "container": "classify", "files": manifest_files(members)} | changed
    return json.dumps({name: value for name, value in stated.items() if value is not None}).encode()


def complete(members: Mapping[str, bytes], **changed: object) -> dict[str, bytes]:
    """The members with their manifest, which may state something else."""
    return {**members, MANIFEST: manifest_of(members, **changed)}


def header(name: str, size: int = 0, *, is_gnu: bool = False, **fields: Any) -> bytes:
    """The header of one member, and those that announce it where the name is long."""
    member = tarfile.TarInfo(name)
    member.size = size
    member.mode = 0o644
    for field, value in fields.items():
        setattr(member, field, value)
    return member.tobuf(tarfile.GNU_FORMAT if is_gnu else tarfile.PAX_FORMAT)


def member(name: str, content: bytes = b"", **fields: Any) -> bytes:
    """A header and its content, padded."""
    return header(name, len(content), **fields) + padded(content)


def padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % BLOCK)


def with_checksum(block: bytes) -> bytes:
    """A header block whose checksum fits what was changed in it."""
    blank = block[:148] + b" " * 8 + block[156:]
    return block[:148] + b"%06o\0 " % sum(blank) + block[156:]


def pax(**records: str) -> bytes:
    """An extended header for the next member."""
    return member("././@PaxHeader", b"".join(_record(key, value) for key, value in records.items()), type=b"x")


def _record(key: str, value: str) -> bytes:
    body = f" {key}={value}\n".encode()
    length = len(body) + len(str(len(body)))
    length = len(body) + len(str(length))
    return f"{length}".encode() + body


def tar(members: Mapping[str, bytes], *more: bytes, first: bytes = b"") -> bytes:
    """An uncompressed archive: raw blocks, the members, raw blocks again, the end mark."""
    return first + b"".join(member(name, content) for name, content in members.items()) + b"".join(more) + bytes(1024)


def without_manifest(archive: bytes) -> bytes:
    """The same archive as a stranger's: no manifest says that it is ours."""
    kept = b""
    with tarfile.open(fileobj=io.BytesIO(archive)) as reader:
        for found in reader:
            content = reader.extractfile(found)
            if found.name != MANIFEST and content is not None:
                kept += member(found.name, content.read(), mode=found.mode)
    return zipped(kept + bytes(1024))


def zipped(archive: bytes) -> bytes:
    return gzip.compress(archive, mtime=0)


def archive_of(members: Mapping[str, bytes]) -> bytes:
    """The gzipped archive of a complete artifact."""
    return zipped(tar(members))


def release_of(model_version: str = VERSION) -> dict[str, bytes]:
    """Three small archives, one for each container, and the release's own manifest beside them."""
    members = {"tokenization.json": b'{"max_length": 16}', "code/inference.py": b"# four verbs\n"}
    archives = {
        f"{container}.tar.gz": archive_of(complete(members, container=container, model_version=model_version))
        for container in ("transform", "classify", "label")
    }
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in archives.items()}
    return archives | {MANIFEST: json.dumps({"model_version": model_version, "artifacts": digests}).encode()}


def lying_zip(content: bytes) -> bytes:
    """A wheel whose directory states sizes of 4 GiB for every file."""
    changed = bytearray(content)
    at = -1
    while (at := content.find(b"PK\x01\x02", at + 1)) >= 0:
        changed[at + 24 : at + 28] = struct.pack("<L", 0xFFFFFFF0)
    return bytes(changed)
