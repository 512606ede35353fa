"""The wire format between the containers: safetensors bytes, which hold numbers and one JSON header, never code.

Written here because it is forty lines, and because the `safetensors` package does not give back the metadata of bytes
(https://github.com/huggingface/safetensors#format). Reads strictly: every byte is accounted for and only the tensors
that the caller expects, in the type and rank it expects, are let in. Every platform that the containers run on is
little-endian, as the format is. Where a toolkit labels every answer with the caller's text type, the same message can
travel as JSON. Knows nothing of tokens or labels.
"""

from __future__ import annotations

import json
import math
import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training_code.containers.content_types import JSON, JSON_LINES, TENSORS, media_type
from training_code.containers.errors import malformed, unsupported
from training_code.containers.lines import Line, lines_from_json, lines_to_json

MAXIMUM_HEADER_BYTES = 6 * 1024 * 1024

Array = npt.NDArray[np.int64] | npt.NDArray[np.float32]


@dataclass(frozen=True)
class Expected:
    """A tensor that a container insists on: int64 'I64' or float32 'F32', a row per good line, `columns` wide."""

    dtype: str
    columns: int | None = None


@dataclass(frozen=True)
class Message:
    """Tensors with one row per good line, and all lines of the request in order."""

    tensors: dict[str, Array]
    lines: list[Line]

    @property
    def rows(self) -> int:
        return sum(line.row is not None for line in self.lines)


def pack(message: Message) -> bytes:
    header: dict[str, object] = {"__metadata__": {"lines": lines_to_json(message.lines)}}
    chunks: list[bytes] = []
    offset = 0
    for name in sorted(message.tensors):
        array = message.tensors[name]
        chunk = array.tobytes()
        header[name] = {
            "dtype": _type_name(array),
            "shape": list(array.shape),
            "data_offsets": [offset, offset + len(chunk)],
        }
        offset += len(chunk)
        chunks.append(chunk)
    head = json.dumps(header, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)
    return struct.pack("<Q", len(head)) + head + b"".join(chunks)


def pack_text(message: Message) -> str:
    """The same message as JSON, for a toolkit that can only label its answer with a text type."""
    tensors = {
        name: {"dtype": _type_name(array), "shape": list(array.shape), "data": array.ravel().tolist()}
        for name, array in sorted(message.tensors.items())
    }
    return json.dumps({"lines": lines_to_json(message.lines), "tensors": tensors}, separators=(",", ":"))


def unpack(body: bytes | bytearray | str, content_type: str | None, expected: dict[str, Expected]) -> Message:
    """Read either form; RequestError 415 for another type, 400 when a byte or a shape is not as it should be."""
    kind = media_type(content_type)
    if kind not in (TENSORS, JSON, JSON_LINES):
        raise unsupported(content_type or "", TENSORS)
    try:
        if kind == TENSORS:
            raw = body.encode("latin-1") if isinstance(body, str) else bytes(body)
            tensors, lines = _read_binary(raw)
        else:
            tensors, lines = _read_text(body)
        _check(tensors, expected)
        rows = next(iter(tensors.values())).shape[0]
        return Message(tensors=tensors, lines=lines_from_json(lines, rows=rows))
    except (ValueError, TypeError, KeyError, RecursionError, struct.error) as error:
        raise malformed(f"The tensors are malformed: {type(error).__name__}.") from error


def _read_binary(raw: bytes) -> tuple[dict[str, Array], str]:
    (length,) = struct.unpack_from("<Q", raw)
    if length > MAXIMUM_HEADER_BYTES or 8 + length > len(raw):
        raise ValueError("the header is longer than the message")
    header = json.loads(raw[8 : 8 + length].decode("utf-8"))
    metadata = header.pop("__metadata__")
    data = memoryview(raw)[8 + length :]
    tensors: dict[str, Array] = {}
    end = 0
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"][0]):
        start, stop = entry["data_offsets"]
        if start != end or not start <= stop <= len(data):
            raise ValueError("the tensors have gaps or overlap")
        end = stop
        tensors[name] = _from_bytes(data[start:stop], entry["dtype"]).reshape(_shape(entry))
    if end != len(data):
        raise ValueError("bytes are left over")
    return tensors, metadata["lines"]


def _read_text(body: bytes | bytearray | str) -> tuple[dict[str, Array], str]:
    document = json.loads(body)
    tensors: dict[str, Array] = {
        name: _from_numbers(entry["data"], entry["dtype"]).reshape(_shape(entry))
        for name, entry in document["tensors"].items()
    }
    return tensors, document["lines"]


def _type_name(array: Array) -> str:
    return "I64" if array.dtype == np.int64 else "F32"


def _from_bytes(data: memoryview, dtype: str) -> Array:
    if dtype == "I64":
        return np.frombuffer(data, dtype=np.int64)
    if dtype == "F32":
        return np.frombuffer(data, dtype=np.float32)
    raise ValueError("a type that no container sends")


def _from_numbers(numbers: list[int] | list[float], dtype: str) -> Array:
    if dtype == "I64":
        return np.asarray(numbers, dtype=np.int64)
    if dtype == "F32":
        return np.asarray(numbers, dtype=np.float32)
    raise ValueError("a type that no container sends")


def _shape(entry: dict[str, list[int]]) -> tuple[int, ...]:
    shape = tuple(entry["shape"])
    if not all(type(size) is int and size >= 0 for size in shape) or math.prod(shape) > 2**31:
        raise ValueError("the shape is not made of sensible sizes")
    return shape


def _check(tensors: dict[str, Array], expected: dict[str, Expected]) -> None:
    if set(tensors) != set(expected):
        raise ValueError("other tensors than expected")
    shapes = {array.shape[:1] for array in tensors.values()}
    if len(shapes) != 1:
        raise ValueError("the tensors differ in rows")
    for name, want in expected.items():
        array = tensors[name]
        if array.ndim != 2 or _type_name(array) != want.dtype:
            raise ValueError("another type or rank than expected")
        if want.columns is not None and array.shape[1] != want.columns:
            raise ValueError("another width than expected")
