"""Hostile artifacts by name, each with the code it is refused with. Every one is a good artifact but for one thing."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import tarfile
import zipfile
import zlib
from collections.abc import Callable

import numpy as np
import onnx
from onnx import helper

from model_artifact import MANIFEST
from tests.unit.model_artifact.artifact_kit import (
    BLOCK,
    GRAPH,
    archive_of,
    complete,
    good_members,
    header,
    lying_zip,
    manifest_of,
    member,
    onnx_model,
    padded,
    pax,
    tar,
    wheel,
    with_checksum,
    zipped,
)

Build = Callable[[], bytes]
ELF = b"\x7fELF\x02\x01\x01" + bytes(57)


class _RunsCode:
    """Its pickle calls a function when it is loaded."""

    def __reduce__(self) -> tuple[object, ...]:
        return print, ("a pickle ran",)


def _pickle(protocol: int) -> bytes:
    return pickle.dumps(_RunsCode(), protocol=protocol)


def _torch_zip() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("archive/data.pkl", _pickle(2))
        archive.writestr("archive/version", "3\n")
    return content.getvalue()


def _object_array() -> bytes:
    content = io.BytesIO()
    np.save(content, np.array([_RunsCode()], dtype=object), allow_pickle=True)
    return content.getvalue()


def _with(name: str, content: bytes) -> Build:
    """The good artifact with one file more, or another in its place, which the manifest lists as well."""
    return lambda: archive_of(complete(good_members() | {name: content}))


def _instead(name: str, content: bytes) -> Build:
    """The good artifact with a file that is not the one that its manifest lists."""
    return lambda: archive_of(complete(good_members()) | {name: content})


def _raw(*blocks: bytes, first: bytes = b"") -> Build:
    """The good artifact with raw blocks behind its members, or before them."""
    return lambda: zipped(tar(complete(good_members()), *blocks, first=first))


def _manifest(**changed: object) -> Build:
    return lambda: archive_of(complete(good_members(), **changed))


def _onnx(change: Callable[[onnx.ModelProto], None]) -> Build:
    def build() -> bytes:
        model = onnx_model()
        change(model)
        return _with("model.onnx", model.SerializeToString())()

    return build


def _node(operation: str, domain: str) -> Build:
    model = onnx_model([helper.make_node(operation, ["weights"], ["logits"], domain=domain)], ["", domain])
    return _with("model.onnx", model.SerializeToString())


def _external_data(model: onnx.ModelProto) -> None:
    weights = model.graph.initializer[0]
    entry = weights.external_data.add()
    entry.key, entry.value = "location", "../../../etc/passwd"
    weights.data_location = onnx.TensorProto.EXTERNAL
    weights.ClearField("raw_data")


def _function(model: onnx.ModelProto) -> None:
    node = helper.make_node("Identity", ["a"], ["b"])
    model.functions.append(helper.make_function("mine", "F", ["a"], ["b"], [node], [helper.make_opsetid("", 17)]))


def _subgraph(model: onnx.ModelProto) -> None:
    """A custom operation inside a branch of a standard one."""
    inner = helper.make_graph([helper.make_node("Run", ["x"], ["y"], domain="evil")], "inner", [], [])
    model.graph.node.append(helper.make_node("If", ["condition"], ["z"], then_branch=inner, else_branch=inner))


def _nested(depth: int) -> bytes:
    """A protocol buffer whose graph holds a node holds a graph and so on."""
    message = b""
    for _ in range(depth):
        for key in (b"\x32", b"\x2a", b"\x0a"):  # Attribute.g, Node.attribute, Graph.node
            message = key + _varint(len(message)) + message
    return b"\x3a" + _varint(len(message)) + message


def _varint(value: int) -> bytes:
    found = b""
    while value > 0x7F:
        found, value = found + bytes([value & 0x7F | 0x80]), value >> 7
    return found + bytes([value])


def _safetensors(header: object, data: bytes = b"") -> bytes:
    head = json.dumps(header).encode()
    return len(head).to_bytes(8, "little") + head + data


def _tensor(start: int, stop: int, shape: list[int]) -> dict[str, object]:
    return {"dtype": "F32", "shape": shape, "data_offsets": [start, stop]}


def _bad_checksum() -> bytes:
    block = bytearray(header("late.json", 2))
    block[0] ^= 1
    return bytes(block) + padded(b"{}")


def _hidden_after_nul() -> bytes:
    block = bytearray(header("a.json", 2))
    block[7:12] = b".pkl\0"
    return with_checksum(bytes(block)) + padded(b"{}")


def _gnu_prefix() -> bytes:
    block = bytearray(header("a.json", 2, is_gnu=True))
    block[345:350] = b"../.."
    return with_checksum(bytes(block)) + padded(b"{}")


def _hidden_in_padding() -> bytes:
    return header("a.json", 2) + b"{}" + b"\0" * 10 + b"hidden" + bytes(BLOCK - 18)


def _negative_size() -> bytes:
    block = bytearray(header("a.json", 0))
    block[124:136] = b"\xff" * 11 + b"\xfe"
    return with_checksum(bytes(block))


def _cut(share: float) -> Build:
    def build() -> bytes:
        whole = archive_of(complete(good_members()))
        return whole[: int(len(whole) * share)]

    return build


def _plus(*more: bytes) -> Build:
    return lambda: archive_of(complete(good_members())) + b"".join(more)


def _bomb() -> bytes:
    """100 MiB of blanks in a text, in 100 kB."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    size = 100 * 1024 * 1024
    parts = [packer.compress(header("bomb.txt", size))]
    parts += [packer.compress(b" " * (1 << 20)) for _ in range(100)]
    return b"".join([*parts, packer.compress(bytes(1024)), packer.flush()])


def _many() -> bytes:
    return zipped(b"".join(header(f"{number}.txt") for number in range(10_001)) + bytes(1024))


def _many_in_a_wheel() -> bytes:
    return wheel(f"{number}.py" for number in range(10_001))


def _linked_wheel() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    return content.getvalue()


_XXE = GRAPH.replace(b"<net ", b'<!DOCTYPE net [<!ENTITY x SYSTEM "file:///etc/passwd">]><net ')
_LAUGHS = GRAPH.replace(b"<net ", b'<!DOCTYPE net [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><net ')

HOSTILE: dict[str, tuple[str, Build]] = {
    # Where a member would land
    "an absolute path": ("absolute-path", _raw(member("/etc/cron.d/job", b"{}"))),
    "a drive": ("absolute-path", _raw(member("C:evil.json", b"{}"))),
    "a parent path": ("parent-path", _raw(member("../evil.json", b"{}"))),
    "a parent path in the middle": ("parent-path", _raw(member("code/../../evil.py", b""))),
    "a parent path with backslashes": ("odd-name", _raw(member("..\\evil.json", b"{}"))),
    "a name with a control character": ("odd-name", _raw(member("a\x1b[2J.json", b"{}"))),
    "a name with a right-to-left override": ("odd-name", _raw(member("a\u202enosj.json", b"{}"))),
    "a name that ends at a NUL": ("odd-name", _raw(_hidden_after_nul())),
    "a name that is not UTF-8": ("odd-name", _raw(with_checksum(b"\xff\xfe.json" + header("a.json", 0)[7:]))),
    "a very long name": ("name-too-long", _raw(member("a" * 300 + ".json", b"{}"))),
    "a very long path": ("name-too-long", _raw(member("a/" * 600 + "b.json", b"{}"))),
    "a very deep path": ("name-too-long", _raw(member("a/" * 40 + "b.json", b"{}"))),
    "a file without a name": ("odd-name", _raw(member(".", b"{}"))),
    # Two that are one
    "a member twice": ("duplicate", _raw(member("vocab.txt", b"[PAD]\n"))),
    "a member twice by case": ("duplicate", _raw(member("VOCAB.TXT", b"[PAD]\n"))),
    "a member twice by normal form": (
        "duplicate",
        _raw(member("caf\u00e9.txt", b"a"), member("cafe\u0301.txt", b"b")),
    ),
    "a member twice by a leading dot": ("duplicate", _raw(member("./vocab.txt", b"[PAD]\n"))),
    "a folder twice by case": ("duplicate", _raw(member("Code/inference.py", b""))),
    "a file below a file": ("duplicate", _raw(member("vocab.txt/evil.json", b"{}"))),
    "a folder in place of a file": ("duplicate", _raw(member("vocab.txt", type=tarfile.DIRTYPE))),
    # What is no file
    "a symbolic link": ("link", _raw(member("link.json", type=tarfile.SYMTYPE, linkname="/etc/passwd"))),
    "a hard link": ("link", _raw(member("link.json", type=tarfile.LNKTYPE, linkname="vocab.txt"))),
    "a link with a long target": (
        "link",
        _raw(member("l.json", type=tarfile.SYMTYPE, linkname="../" * 60, is_gnu=True)),
    ),
    "a character device": ("device", _raw(member("zero.json", type=tarfile.CHRTYPE, devmajor=1, devminor=5))),
    "a block device": ("device", _raw(member("disk.json", type=tarfile.BLKTYPE, devmajor=8))),
    "a named pipe": ("device", _raw(member("pipe.json", type=tarfile.FIFOTYPE))),
    "a sparse file": ("sparse", _raw(member("holes.json", b"{}", type=tarfile.GNUTYPE_SPARSE))),
    "a sparse file of pax": ("odd-header", _raw(pax(**{"GNU.sparse.major": "1"}) + member("a.json", b"{}"))),
    "a contiguous file": ("odd-header", _raw(member("a.json", b"{}", type=tarfile.CONTTYPE))),
    "a file of set user id": ("set-id", _raw(member("code/run.py", b"", mode=0o4755))),
    # Headers that programs read differently
    "a pax header with another path": ("odd-header", _raw(pax(path="evil.json") + member("good.json", b"{}"))),
    "a pax header with a parent path": (
        "parent-path",
        _raw(pax(path="../" * 40 + "evil.json") + member("good.json", b"{}")),
    ),
    "a pax header with another size": ("odd-header", _raw(pax(size="1024") + member("a.json", b"{}"))),
    "a pax header with a link target": ("odd-header", _raw(pax(linkpath="/etc/passwd") + member("a.json", b"{}"))),
    "a pax header that is broken": (
        "odd-header",
        _raw(member("h", b"99 path=evil\n", type=b"x") + member("a.json", b"{}")),
    ),
    "a pax header of another's rights": (
        "odd-header",
        _raw(pax(**{"SCHILY.xattr.security.capability": "x"}) + member("a.json", b"{}")),
    ),
    "a global pax header": (
        "odd-header",
        _raw(first=member("g", b"18 path=evil.json\n", type=tarfile.XGLTYPE)),
    ),
    "two pax headers for a member": ("odd-header", _raw(pax(mtime="1") + pax(mtime="2") + member("a.json", b"{}"))),
    "a pax header for nothing": ("truncated", _raw(pax(mtime="1"))),
    "a GNU header with a prefix": ("odd-header", _raw(_gnu_prefix())),
    "a header with a wrong checksum": ("broken-tar", _raw(_bad_checksum())),
    "a negative size": ("odd-header", _raw(_negative_size())),
    "a folder with content": ("odd-header", _raw(header("folder", 512, type=tarfile.DIRTYPE) + bytes(512))),
    "something in the padding": ("trailing-data", _raw(_hidden_in_padding())),
    # Size
    "a member of 5 GiB": ("too-large", _raw(header("huge.json", 5 * 1024**3))),
    "10,001 members": ("too-many", _many),
    "a gzip bomb": ("bomb", _bomb),
    "a JSON file too large to read": ("too-large", _with("a.json", b'"' + bytes(range(65, 91)) * 1_300_000 + b'"')),
    "a wheel that unpacks to 4 GiB a file": (
        "bomb",
        _with("code/wheels/b.whl", lying_zip(wheel(["a", "b", "c"]))),
    ),
    "a wheel of 10,001 files": ("too-many", _with("code/wheels/b.whl", _many_in_a_wheel())),
    # The stream itself
    "no gzip": ("not-gzip", lambda: tar(complete(good_members()))),
    "nothing": ("not-gzip", lambda: b""),
    "half an archive": ("truncated", _cut(0.5)),
    "an archive without its last byte": ("truncated", _cut(0.99999)),
    "no end mark": ("truncated", lambda: zipped(tar(complete(good_members()))[:-1024])),
    "garbage behind the gzip stream": ("trailing-data", _plus(b"garbage")),
    "a second gzip stream": ("trailing-data", _plus(gzip.compress(tar({"evil.json": b"{}"})))),
    "zeros and a second gzip stream": ("trailing-data", _plus(bytes(512), gzip.compress(tar({"evil.json": b"{}"})))),
    "members behind the end mark": ("trailing-data", _raw(bytes(1024), member("evil.json", b"{}"))),
    "a broken gzip stream": ("broken-gzip", lambda: b"\x1f\x8b\x08\0\0\0\0\0\0\xff\xff\xff\xff\xff"),
    # Pickles, however they are called
    "a pickle": ("pickle", _with("model.pkl", _pickle(4))),
    "a pickle called .pt": ("pickle", _with("model.pt", _pickle(2))),
    "a pickle called .joblib": ("pickle", _with("model.joblib", _pickle(5))),
    "a pickle called .json": ("pickle", _with("config.json", _pickle(0))),
    "a pickle called .txt": ("pickle", _with("merges.txt", _pickle(1))),
    "a pickle called .bin": ("pickle", _with("graph/model.bin", _pickle(3))),
    "a pickle called .safetensors": ("pickle", _with("model.safetensors", _pickle(4))),
    "a pickle called .onnx": ("pickle", _with("model.onnx", _pickle(5))),
    "a pickle called .jsonl": ("pickle", _with("rows.jsonl", _pickle(0))),
    "a pickle in the code folder": ("pickle", _with("code/data.txt", _pickle(0))),
    "a pickle of much data": ("pickle", _with("graph/model.bin", pickle.dumps([_RunsCode()] * 50_000, protocol=4))),
    "a zip file of torch": ("hidden-archive", _with("model.pth", _torch_zip())),
    "a zip file of torch called .bin": ("hidden-archive", _with("graph/model.bin", _torch_zip())),
    "an object array": ("hidden-archive", _with("weights.npy", _object_array())),
    "an object array called .bin": ("hidden-archive", _with("graph/model.bin", _object_array())),
    "a compressed joblib file": ("hidden-archive", _with("graph/model.bin", zlib.compress(_pickle(4)))),
    "a gzipped pickle": ("hidden-archive", _with("graph/model.bin", gzip.compress(_pickle(4)))),
    "a tar file inside": ("hidden-archive", _with("graph/model.bin", tar({"a": b"b"}))),
    # Programs
    "a program that may be run": ("executable", _raw(member("code/run.py", ELF, mode=0o755))),
    "a library": ("executable", _with("code/fast.so", ELF)),
    "a program called .bin": ("executable", _with("graph/model.bin", ELF)),
    "a program of Windows": ("executable", _with("code/run.txt", b"MZ\x90\0" + bytes(60))),
    "a script that may be run": ("executable", _raw(member("code/run.py", b"#!/bin/sh\nid\n", mode=0o755))),
    "a script among the data": ("executable", _with("vocab.txt", b"#!/bin/sh\nid\n")),
    "data that may be run": ("executable", _raw(member("a.json", b"{}", mode=0o755))),
    "code outside the code folder": ("format", _with("model.py", b"import os\n")),
    "a hidden .pth file": ("format", _with("code/evil.pth", b"import os; os.system('id')\n")),
    "compiled code": ("format", _with("code/__pycache__/inference.cpython-312.pyc", b"\xcb\r\r\n" + bytes(12))),
    "a file without a suffix": ("format", _with("payload", b"what")),
    # Formats
    "JSON that is none": ("not-json", _with("config.json", b"{'a': 1}")),
    "JSON with a key twice": ("not-json", _with("config.json", b'{"a": 1, "a": 2}')),
    "JSON with NaN": ("not-json", _with("config.json", b'{"a": NaN}')),
    "JSON nested without end": ("not-json", _with("config.json", b"[" * 100_000 + b"]" * 100_000)),
    "a binary vocabulary": ("not-text", _with("vocab.txt", b"[PAD]\n\0\x01\x02\n")),
    "source code that is no text": ("not-text", _with("code/extra.py", b"\xff\xfe")),
    "a wheel that is none": ("not-wheel", _with("code/wheels/b.whl", b"print('hi')\n")),
    "a wheel behind a program": ("executable", _with("code/wheels/b.whl", ELF + wheel())),
    "a wheel with something before it": ("not-wheel", _with("code/wheels/b.whl", b"PK\x03\x04" + bytes(64) + wheel())),
    "a wheel that leads elsewhere": ("parent-path", _with("code/wheels/b.whl", wheel(["../../evil.pth"]))),
    "a wheel with a link": ("link", _with("code/wheels/b.whl", _linked_wheel())),
    "safetensors with an endless header": ("not-safetensors", _with("m.safetensors", b"\xff" * 8 + b"{}")),
    "safetensors that overlap": (
        "not-safetensors",
        _with("m.safetensors", _safetensors({"a": _tensor(0, 8, [2]), "b": _tensor(4, 12, [2])}, bytes(12))),
    ),
    "safetensors with bytes to spare": (
        "not-safetensors",
        _with("m.safetensors", _safetensors({"a": _tensor(0, 8, [2])}, bytes(80))),
    ),
    "safetensors of a wrong shape": (
        "not-safetensors",
        _with("m.safetensors", _safetensors({"a": _tensor(0, 8, [2, 10**12])}, bytes(8))),
    ),
    "an ONNX model with weights elsewhere": ("external-data", _onnx(_external_data)),
    "an ONNX model with a custom operation": ("custom-operation", _node("Run", "evil.ops")),
    "an ONNX model with a Python operation": ("custom-operation", _node("PythonOp", "com.microsoft")),
    "an ONNX model with a context of a file": ("custom-operation", _node("EPContext", "com.microsoft")),
    "an ONNX model with functions": ("custom-operation", _onnx(_function)),
    "an ONNX model with an operation in a branch": ("custom-operation", _onnx(_subgraph)),
    "an ONNX model nested without end": ("not-onnx", _with("model.onnx", _nested(2000))),
    "an ONNX model with bytes to spare": (
        "not-onnx",
        _with("model.onnx", onnx_model().SerializeToString() + b"\xfa\x3f\x04evil"),
    ),
    "an ONNX model without a graph": ("not-onnx", _with("model.onnx", b"\x08\x08")),
    "an OpenVINO graph with an entity": ("xml-entity", _with("graph/model.xml", _XXE)),
    "an OpenVINO graph of a billion laughs": ("xml-entity", _with("graph/model.xml", _LAUGHS)),
    "an OpenVINO graph with an extension": (
        "custom-operation",
        _with("graph/model.xml", GRAPH.replace(b'"opset1"', b'"extension"')),
    ),
    "an OpenVINO graph that is none": ("not-openvino", _with("graph/model.xml", b"<html/>")),
    "an OpenVINO graph cut short": ("not-openvino", _with("graph/model.xml", GRAPH[:200])),
    "weights without a graph": ("not-weights", _with("pytorch_model.bin", bytes(64))),
    # The manifest
    "no manifest": ("no-manifest", lambda: archive_of(good_members())),
    "a manifest without files": ("bad-manifest", _manifest(files=None)),
    "a manifest with a broken digest": ("bad-manifest", _manifest(files={"vocab.txt": "x"})),
    "a manifest without a version": ("bad-manifest", _manifest(model_version=None)),
    "a manifest that is no object": ("bad-manifest", lambda: archive_of(good_members() | {MANIFEST: b"[]"})),
    "a manifest for another container": ("wrong-container", _manifest(container="label")),
    "a file that the manifest does not list": (
        "unlisted-file",
        lambda: archive_of(good_members() | {MANIFEST: manifest_of(good_members()), "extra.json": b"{}"}),
    ),
    "a wheel that the manifest does not list": ("unlisted-file", _raw(member("code/wheels/c.whl", wheel()))),
    "a listed file that is missing": (
        "missing-file",
        lambda: archive_of({name: c for name, c in complete(good_members()).items() if name != "vocab.txt"}),
    ),
    "a file that was changed": ("wrong-digest", _instead("vocab.txt", b"[UNK]\n")),
    "code that was changed": ("wrong-digest", _instead("code/inference.py", b"import os\n")),
}
STRANGERS_MAY = {
    # What SageMaker itself takes from other people, so that the local one does too.
    "executable",
    "external-data",
    "custom-operation",
    "format",
    "hidden-archive",
    "not-json",
    "not-onnx",
    "not-openvino",
    "not-safetensors",
    "not-text",
    "not-weights",
    "not-wheel",
    "pickle",
    "xml-entity",
}
