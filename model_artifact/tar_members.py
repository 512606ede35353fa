"""The members of a tar stream, header by header, so strictly that every program that reads tar sees the same ones.

`tarfile` alone is not enough: it ends silently at a broken header, takes what a pax header overrides, and passes over
what lies behind the end mark. Its parser of a single header is used. Knows nothing of what members may hold.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from model_artifact.content import Content
from model_artifact.errors import BrokenArchiveError, refuse, shown

BLOCK_BYTES = 512
EXTENDED_HEADER_BYTES = 64 * 1024
_ZEROS = bytes(BLOCK_BYTES)
_NAME = slice(0, 100)
_MAGIC = slice(257, 265)
_PREFIX = slice(345, 500)
_GNU_MAGIC = b"ustar  \0"
_HEADER_NAME_BYTES = 100
_LONG_NAME = b"L"
_SET_ID_BITS = 0o6000
_HARMLESS_KEYS = {"atime", "comment", "ctime", "gid", "gname", "mtime", "path", "uid", "uname"}
_HARMLESS_PREFIXES = (
    "LIBARCHIVE.creationtime",
    "LIBARCHIVE.xattr.com.apple.",
    "SCHILY.dev",
    "SCHILY.ino",
    "SCHILY.nlink",
    "SCHILY.xattr.com.apple.",
)
_REFUSED_TYPES = {
    tarfile.LNKTYPE: ("link", "is a hard link"),
    tarfile.SYMTYPE: ("link", "is a symbolic link"),
    tarfile.GNUTYPE_LONGLINK: ("link", "is a link with a long target"),
    tarfile.CHRTYPE: ("device", "is a character device"),
    tarfile.BLKTYPE: ("device", "is a block device"),
    tarfile.FIFOTYPE: ("device", "is a named pipe"),
    tarfile.GNUTYPE_SPARSE: ("sparse", "is a sparse file, which unpacks to more than is there"),
}


@dataclass(frozen=True)
class Entry:
    """A file or a folder with its path as written."""

    name: str
    is_folder: bool
    mode: int
    content: Content

    @property
    def may_be_executed(self) -> bool:
        return bool(self.mode & 0o111)


def entries(read: Callable[[int], bytes]) -> Iterator[Entry]:
    """Every member. The content of one is read or skipped before the next comes. `read` gives fewer bytes at the end.

    UnsafeArtifactError for anything but files and folders, for headers that programs understand differently, and for
    anything but zeros behind the end mark.
    """
    long_name: str | None = None
    is_announced = False
    while (block := _block(read)) != _ZEROS:
        header = _header(block)
        if header.type == tarfile.XGLTYPE and not is_announced:
            _extended(header, read)
            continue
        if header.type in (tarfile.XHDTYPE, tarfile.XGLTYPE, _LONG_NAME):
            if is_announced:
                refuse("odd-header", header.name, "follows another header for the same member")
            long_name, is_announced = _extended(header, read), True
            continue
        if header.type in _REFUSED_TYPES:
            refuse(_REFUSED_TYPES[header.type][0], long_name or header.name, _REFUSED_TYPES[header.type][1])
        if header.type not in (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE):
            refuse("odd-header", long_name or header.name, "is of a kind that no model needs")
        yield from _entry(header, long_name, read)
        long_name, is_announced = None, False
    if is_announced:
        raise BrokenArchiveError("The archive ends where a member was announced.", "truncated")
    while rest := read(1 << 16):
        if rest.strip(b"\0"):
            raise BrokenArchiveError("Something follows the end mark of the archive.", "trailing-data")


def _entry(header: tarfile.TarInfo, long_name: str | None, read: Callable[[int], bytes]) -> Iterator[Entry]:
    name = _effective_name(header, long_name)
    is_folder = header.type == tarfile.DIRTYPE
    if header.mode & _SET_ID_BITS:
        refuse("set-id", name, "would run with another user's rights")
    if header.size < 0 or (is_folder and header.size):
        refuse("odd-header", name, "states an impossible size")
    if not is_folder and name.endswith("/"):
        refuse("odd-header", name, "is a file with the name of a folder")
    content = Content(name, header.size, read)
    yield Entry(name=name, is_folder=is_folder, mode=header.mode, content=content)
    content.finish()
    if _exactly(read, -header.size % BLOCK_BYTES).strip(b"\0"):
        refuse("trailing-data", name, "is followed by something hidden in its padding")


def _effective_name(header: tarfile.TarInfo, long_name: str | None) -> str:
    """The name that every program would use. An override that is not needed is an attempt to show two."""
    if long_name is None:
        return header.name
    fits = long_name.isascii() and len(long_name.rstrip("/")) < _HEADER_NAME_BYTES
    if fits and long_name.rstrip("/") != header.name.rstrip("/"):
        refuse("odd-header", long_name, f"is also called {shown(header.name)}")
    return long_name


def _header(block: bytes) -> tarfile.TarInfo:
    try:
        header = tarfile.TarInfo.frombuf(block, "utf-8", "strict")
    except tarfile.HeaderError as error:
        raise BrokenArchiveError(f"The archive has a broken header: {error}.", "broken-tar") from error
    except UnicodeDecodeError as error:
        raise BrokenArchiveError("The archive has a header that is not UTF-8.", "odd-name") from error
    if block[_NAME].partition(b"\0")[2].strip(b"\0"):
        refuse("odd-name", header.name, "is a name with something hidden behind a NUL")
    if block[_MAGIC] == _GNU_MAGIC and block[_PREFIX].strip(b"\0"):
        refuse("odd-header", header.name, "has a header that programs read differently")
    return header


def _extended(header: tarfile.TarInfo, read: Callable[[int], bytes]) -> str | None:
    """The name that an extended header gives to the next member, None where it gives none."""
    if not 0 < header.size <= EXTENDED_HEADER_BYTES:
        refuse("odd-header", header.name, "is an extended header of an impossible size")
    payload = _exactly(read, header.size)
    _exactly(read, -header.size % BLOCK_BYTES)
    try:
        if header.type == _LONG_NAME:
            return payload.removesuffix(b"\0").decode("utf-8")
        records = _pax_records(payload)
    except ValueError:
        refuse("odd-header", header.name, "is an extended header that cannot be read")
    for key in records:
        is_harmless = key == "comment" if header.type == tarfile.XGLTYPE else _is_harmless(key)
        if not is_harmless:
            refuse("odd-header", header.name, f"overrides {shown(key)} of a member")
    return records.get("path")


def _is_harmless(key: str) -> bool:
    return key in _HARMLESS_KEYS or key.startswith(_HARMLESS_PREFIXES)


def _pax_records(payload: bytes) -> dict[str, str]:
    """`length key=value` lines; ValueError where one is broken or a key comes twice."""
    records: dict[str, str] = {}
    while payload:
        length, _, _ = payload.partition(b" ")
        if not length.isdigit() or len(length) > 5 or not len(length) + 3 <= int(length) <= len(payload):
            raise ValueError("the length of a record is wrong")
        record, payload = payload[: int(length)], payload[int(length) :]
        key, separator, value = record[len(length) + 1 :].partition(b"=")
        name = key.decode("utf-8")
        if not record.endswith(b"\n") or not separator or name in records:
            raise ValueError("a record is broken")
        # Attributes of macOS are binary; only a name is used.
        records[name] = value[:-1].decode("utf-8", "strict" if name == "path" else "replace")
    return records


def _block(read: Callable[[int], bytes]) -> bytes:
    block = read(BLOCK_BYTES)
    if len(block) != BLOCK_BYTES:
        raise BrokenArchiveError("The archive is cut short.", "truncated")
    return block


def _exactly(read: Callable[[int], bytes], count: int) -> bytes:
    data = read(count) if count else b""
    if len(data) != count:
        raise BrokenArchiveError("The archive is cut short.", "truncated")
    return data
