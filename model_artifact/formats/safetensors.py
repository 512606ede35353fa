"""safetensors: a header of names, types, shapes and places, then numbers, every byte of which belongs to one tensor.

https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import math
import struct

from model_artifact.content import Content
from model_artifact.errors import refuse
from model_artifact.formats.json_text import read_json

HEADER_BYTES = 16 * 1024 * 1024
_LENGTH = struct.Struct("<Q")
_BITS = {
    "BOOL": 8,
    "U8": 8,
    "I8": 8,
    "F8_E4M3": 8,
    "F8_E5M2": 8,
    "F8_E8M0": 8,
    "U16": 16,
    "I16": 16,
    "F16": 16,
    "BF16": 16,
    "U32": 32,
    "I32": 32,
    "F32": 32,
    "U64": 64,
    "I64": 64,
    "F64": 64,
}


def check_safetensors(content: Content) -> None:
    """A refusal unless header and numbers account for every byte."""
    head = content.read(_LENGTH.size)
    length = _LENGTH.unpack(head)[0] if len(head) == _LENGTH.size else 0
    if not 2 <= length <= min(HEADER_BYTES, content.remaining):
        refuse("not-safetensors", content.name, "is no safetensors file: its header has an impossible length")
    header = read_json(content.read(length), content.name)
    if not isinstance(header, dict):
        refuse("not-safetensors", content.name, "is no safetensors file: its header is no object")
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        refuse("not-safetensors", content.name, "is no safetensors file: its metadata is not text")
    end = 0
    for start, stop in sorted(_place(entry, content.name) for entry in header.values()):
        if start != end:
            refuse("not-safetensors", content.name, "has tensors with gaps between them or one over another")
        end = stop
    if end != content.remaining:
        refuse("not-safetensors", content.name, "has bytes that belong to no tensor, or too few")


def _place(entry: object, name: str) -> tuple[int, int]:
    """Where a tensor begins and ends, which its type and shape must agree with."""
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        refuse("not-safetensors", name, "describes a tensor in a way the format does not know")
    bits, shape, place = _BITS.get(str(entry["dtype"])), entry["shape"], entry["data_offsets"]
    if bits is None or not _are_sizes(shape) or not _are_sizes(place) or len(place) != 2:
        refuse("not-safetensors", name, "describes a tensor in a way the format does not know")
    start, stop = place
    if (stop - start) * 8 != math.prod(shape) * bits:
        refuse("not-safetensors", name, "has a tensor whose bytes do not fit its shape")
    return start, stop


def _are_sizes(value: object) -> bool:
    return (
        isinstance(value, list) and len(value) <= 32 and all(type(size) is int and 0 <= size < 2**48 for size in value)
    )
