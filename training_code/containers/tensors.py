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
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from training_code.containers.content_types import JSON, JSON_LINES, TENSORS, media_type
from training_code.containers.errors import malformed, unsupported
from training_code.containers.lines import Line, lines_from_json, lines_to_json

MAXIMUM_HEADER_BYTES = 64 * 1024 * 1024
"""More than the lines of the largest request: they are its ids and, where asked for, its words."""

Array = npt.NDArray[np.int32] | npt.NDArray[np.float32]


@dataclass(frozen=True)
class Expected:
    """A tensor that a container insists on: int32 'I32' or float32 'F32', flat or `columns` wide.

    `counts_rows`: its first dimension is the number of rows that the lines name.
    """

    dtype: str
    columns: int | None = None
    counts_rows: bool = True


@dataclass(frozen=True)
class Message:
    """Tensors, and all lines of the request in order. `is_single`: the client sent one object, not a list of them."""

    tensors: Mapping[str, Array]
    lines: list[Line]
    is_single: bool = field(default=False)

    @property
    def rows(self) -> int:
        return sum(len(line.rows) for line in self.lines)


def pack(message: Message) -> bytes:
    header: dict[str, object] = {"__metadata__": _metadata(message)}
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
    return b"".join((struct.pack("<Q", len(head)), head, *chunks))


def pack_text(message: Message) -> str:
    """The same message as JSON, for a toolkit that can only label its answer with a text type."""
    tensors = {
        name: {"dtype": _type_name(array), "shape": list(array.shape), "data": array.ravel().tolist()}
        for name, array in sorted(message.tensors.items())
    }
    return json.dumps({"metadata": _metadata(message), "tensors": tensors}, separators=(",", ":"))


def unpack(body: bytes | bytearray | str, content_type: str | None, expected: Mapping[str, Expected]) -> Message:
    """Read either form; RequestError 415 for another type, 400 when a byte or a shape is not as it should be."""
    kind = media_type(content_type)
    if kind not in (TENSORS, JSON, JSON_LINES):
        raise unsupported(content_type or "", TENSORS)
    try:
        if kind == TENSORS:
            raw = body.encode("latin-1") if isinstance(body, str) else bytes(body)
            tensors, metadata = _read_binary(raw)
        else:
            tensors, metadata = _read_text(body)
        rows = _check(tensors, expected)
        form = metadata["form"]
        if form not in ("one", "many"):
            raise ValueError("the request was neither one object nor many")
        return Message(tensors=tensors, lines=lines_from_json(metadata["lines"], rows=rows), is_single=form == "one")
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError, struct.error) as error:
        raise malformed(f"The tensors are malformed: {type(error).__name__}.") from error


def _metadata(message: Message) -> dict[str, str]:
    return {"form": "one" if message.is_single else "many", "lines": lines_to_json(message.lines)}


def _read_binary(raw: bytes) -> tuple[dict[str, Array], dict[str, str]]:
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
    return tensors, metadata


def _read_text(body: bytes | bytearray | str) -> tuple[dict[str, Array], dict[str, str]]:
    document = json.loads(body)
    tensors: dict[str, Array] = {
        name: _from_numbers(entry["data"], entry["dtype"]).reshape(_shape(entry))
        for name, entry in document["tensors"].items()
    }
    return tensors, document["metadata"]


def _type_name(array: Array) -> str:
    return "I32" if array.dtype == np.int32 else "F32"


def _from_bytes(data: memoryview, dtype: str) -> Array:
    if dtype == "I32":
        return np.frombuffer(data, dtype=np.int32)
    if dtype == "F32":
        return np.frombuffer(data, dtype=np.float32)
    raise ValueError("a type that no container sends")


def _from_numbers(numbers: list[int] | list[float], dtype: str) -> Array:
    try:
        if dtype == "I32":
            return np.asarray(numbers, dtype=np.int32)
        if dtype == "F32":
            with np.errstate(over="ignore"):  # what is too large becomes infinite, and is refused as such
                return np.asarray(numbers, dtype=np.float32)
    except OverflowError:
        raise ValueError("a number that its type cannot hold") from None
    raise ValueError("a type that no container sends")


def _shape(entry: dict[str, list[int]]) -> tuple[int, ...]:
    shape = tuple(entry["shape"])
    if not all(type(size) is int and size >= 0 for size in shape) or math.prod(shape) > 2**31:
        raise ValueError("the shape is not made of sensible sizes")
    return shape


def _check(tensors: Mapping[str, Array], expected: Mapping[str, Expected]) -> int:
    """The number of rows."""
    if set(tensors) != set(expected):
        raise ValueError("other tensors than expected")
    for name, want in expected.items():
        array = tensors[name]
        if _type_name(array) != want.dtype or array.ndim != (1 if want.columns is None else 2):
            raise ValueError("another type or rank than expected")
        if want.columns is not None and array.shape[1] != want.columns:
            raise ValueError("another width than expected")
    counts: set[int] = {tensors[name].shape[0] for name, want in expected.items() if want.counts_rows}
    (rows,) = counts
    return rows
