"""Python wheels: zip archives whose directory of contents is at their end. It is checked, nothing is opened."""

from __future__ import annotations

import struct

from model_artifact.content import CHUNK_BYTES, Content
from model_artifact.errors import refuse
from model_artifact.limits import Limits
from model_artifact.names import Tree, safe_parts

DIRECTORY_BYTES = 4 * 1024 * 1024
_END = struct.Struct("<4s4H2LH")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_END_MAGIC, _ENTRY_MAGIC, _FILE_MAGIC = b"PK\x05\x06", b"PK\x01\x02", b"PK\x03\x04"
_LINK = 0o120000


def check_wheel(content: Content, limits: Limits) -> None:
    """A refusal for what is no zip from its first byte to its last, leads elsewhere, or unpacks without end."""
    if content.head(4) != _FILE_MAGIC:
        refuse("not-wheel", content.name, "is no wheel")
    size, tail = content.remaining, b""
    while chunk := content.read(CHUNK_BYTES):
        tail = (tail + chunk)[-DIRECTORY_BYTES:]
    if len(tail) < _END.size or not tail[-_END.size :].startswith(_END_MAGIC):
        refuse("not-wheel", content.name, "is no wheel: its directory is not at its end")
    _, disk, start_disk, here, count, length, offset, _ = _END.unpack(tail[-_END.size :])
    if disk or start_disk or here != count or offset + length + _END.size != size or length > len(tail) - _END.size:
        refuse("not-wheel", content.name, "is no wheel: its directory is not where it says")
    _check_entries(tail[len(tail) - _END.size - length : -_END.size], count, content.name, limits)


def _check_entries(directory: bytes, count: int, name: str, limits: Limits) -> None:
    tree, total, position = Tree(), 0, 0
    if count > limits.members:
        refuse("too-many", name, f"is a wheel of more than {limits.members} files")
    for _ in range(count):
        if len(directory) - position < _ENTRY.size or not directory.startswith(_ENTRY_MAGIC, position):
            refuse("not-wheel", name, "is no wheel: its directory is broken")
        fields = _ENTRY.unpack_from(directory, position)
        size, name_bytes, extra_bytes, comment_bytes, attributes = *fields[9:13], fields[15]
        start = position + _ENTRY.size
        try:
            member = directory[start : start + name_bytes].decode("utf-8")
        except UnicodeDecodeError:
            refuse("not-wheel", name, "is a wheel with a name that is not UTF-8")
        if attributes >> 16 & 0o170000 == _LINK:
            refuse("link", name, "is a wheel with a link")
        tree.add(safe_parts(member, limits), is_folder=member.endswith("/"))
        total += size
        position = start + name_bytes + extra_bytes + comment_bytes
    if position != len(directory):
        refuse("not-wheel", name, "is no wheel: its directory is broken")
    if total > limits.total_bytes:
        refuse("bomb", name, f"is a wheel that unpacks to more than {limits.total_bytes} bytes")
