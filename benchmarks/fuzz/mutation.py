"""Broken forms of good examples: bytes flipped, cut and doubled, and JSON, tensor headers and tar headers bent in form.

Deterministic for a given random generator. Knows formats just enough to reach behind their checksums and lengths.
"""

from __future__ import annotations

import gzip
import json
import random
import struct
import zlib

BLOCK = 512
LARGEST_BYTES = 1 << 16
_LENGTH = struct.Struct("<Q")
_TOKENS = (
    b"",
    b"\0",
    b"\xff",
    b"\n",
    b"\r\n",
    b'"',
    b"\\",
    b"\\ud800",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"\xe2\x80\xa8",
    b"{",
    b"}",
    b"[" * 3000,
    b"NaN",
    b"-Infinity",
    b"1e999",
    b"9" * 5000,
    b"null",
    b"true",
    b"__metadata__",
    b"../",
    b"\x80\x04",
    b"PK\x03\x04",
    b"\x7fELF",
    b"%s%n",
    b"\x1b[31m",
)
_VALUES: tuple[object, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1,
    2**31,
    2**63,
    2**64,
    10**40,
    0.5,
    -0.0,
    1e308,
    float("nan"),
    float("inf"),
    "",
    "a",
    "\ud800",
    "\0",
    "x" * 5000,
    [],
    {},
    [[]],
    [None],
    {"a": None},
    [0] * 1000,
    ["negative", "neutral", "positive"],
)


def mutate(data: bytes, chance: random.Random) -> bytes:
    """One to a few changes to `data`, in its own form where it has one that is known."""
    if data.startswith(b"\x1f\x8b") and chance.random() < 0.9:
        return gzip.compress(_mutate_tar(unzipped(data), chance), 1, mtime=0)
    if chance.random() < 0.5:
        if (bent := _mutate_framed(data, chance)) is not None:
            return bent
        if (bent := _mutate_json(data, chance)) is not None:
            return bent
    for _ in range(chance.choice((1, 1, 2, 4))):
        data = _mutate_bytes(data, chance)
    return data[:LARGEST_BYTES]


def _mutate_bytes(data: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(data) + 1)
    stop = min(len(data), start + chance.choice((0, 1, 2, 8, 64, 512)))
    match chance.randrange(6):
        case 0 if data:
            flipped = bytearray(data)
            flipped[min(start, len(data) - 1)] ^= 1 << chance.randrange(8)
            return bytes(flipped)
        case 1:
            return data[:start] + chance.choice(_TOKENS) + data[start:]
        case 2:
            return data[:start] + data[stop:]
        case 3:
            return data[:stop] + data[start:]
        case 4:
            return data[:start] + chance.randbytes(stop - start) + data[stop:]
        case _:
            return data[:start]


def _mutate_json(data: bytes, chance: random.Random) -> bytes | None:
    """The same document or line with one value bent; None where it is no JSON."""
    lines = data.split(b"\n")
    index = chance.randrange(len(lines))
    for text, whole in ((data, True), (lines[index], False)):
        try:
            bent = json.dumps(_bent(json.loads(text), chance)).encode("utf-8", "surrogatepass")
        except (ValueError, RecursionError):
            continue
        return bent if whole else b"\n".join([*lines[:index], bent, *lines[index + 1 :]])
    return None


def _mutate_framed(data: bytes, chance: random.Random) -> bytes | None:
    """Tensors with their header bent and its length right; None where the bytes are no tensors."""
    if len(data) < _LENGTH.size or (length := _LENGTH.unpack_from(data)[0]) > len(data) - _LENGTH.size:
        return None
    head, numbers = data[_LENGTH.size : _LENGTH.size + length], data[_LENGTH.size + length :]
    bent = _mutate_json(head, chance)
    if bent is None:
        return None
    if chance.random() < 0.3:
        numbers = _mutate_bytes(numbers, chance)
    return _LENGTH.pack(len(bent)) + bent + numbers


def _bent(value: object, chance: random.Random) -> object:
    """The value with one part of it, however deep, replaced, dropped or doubled."""
    if isinstance(value, dict) and value and chance.random() < 0.85:
        key = chance.choice(list(value))
        match chance.randrange(8):
            case 0:
                return {name: kept for name, kept in value.items() if name != key}
            case 1:
                return value | {str(chance.choice(_VALUES))[:64]: value[key]}
            case _:
                return value | {key: _bent(value[key], chance)}
    if isinstance(value, list) and value and chance.random() < 0.85:
        index = chance.randrange(len(value))
        match chance.randrange(8):
            case 0:
                return value[:index] + value[index + 1 :]
            case 1:
                return value[:index] + [value[index]] * 3 + value[index:]
            case _:
                return [*value[:index], _bent(value[index], chance), *value[index + 1 :]]
    if isinstance(value, str) and value.startswith(("[", "{")):  # JSON inside JSON: the lines of a message
        try:
            return json.dumps(_bent(json.loads(value), chance))
        except (ValueError, RecursionError):
            return chance.choice(_VALUES)
    return chance.choice(_VALUES)


def unzipped(data: bytes) -> bytes:
    """What is in a gzipped stream, or the bytes themselves where they are none."""
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error):
        return data


def _mutate_tar(archive: bytes, chance: random.Random) -> bytes:
    """A field of a header bent, its checksum mended mostly; or the blocks reordered; or any bytes changed."""
    if len(archive) < BLOCK or chance.random() < 0.3:
        return _mutate_bytes(archive, chance)
    blocks = [archive[at : at + BLOCK] for at in range(0, len(archive), BLOCK)]
    index = chance.randrange(len(blocks))
    if chance.random() < 0.2:
        blocks.insert(chance.randrange(len(blocks)), blocks[index])
        return b"".join(blocks)
    block = bytearray(blocks[index].ljust(BLOCK, b"\0"))
    start = chance.choice((0, 100, 124, 156, 157, 257, 345))
    token = chance.choice((*_TOKENS, b"..", b"/", b"1", b"2", b"5", b"x", b"L", b"S", b"77777777777"))[:32]
    block[start : start + len(token)] = token
    if chance.random() < 0.8:
        blank = bytes(block[:148]) + b" " * 8 + bytes(block[156:])
        block[148:156] = b"%06o\0 " % sum(blank)
    blocks[index] = bytes(block[:BLOCK])
    return b"".join(blocks)
