"""The bytes of a dropped file as they are read: unpacked where they are gzipped, decoded, in lines of bounded length.

It does not know what the lines hold.
"""

import io
from collections.abc import Iterator
from typing import Any, Final

from lambdas.aws.lake import Stream

LINE_LIMIT: Final = 1_000_000
"""Characters; what a longer line has beyond them is dropped, which makes its row a bad one."""

PARQUET_MAGIC: Final = b"PAR1"
_GZIP_MAGIC: Final = b"\x1f\x8b"
_PROBE_BYTES: Final = 64 * 1024


class BrokenFileError(Exception):
    """The file cannot be read any further; ``reason`` quotes nothing of it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Content(io.RawIOBase):
    """A stream that can be looked into before it is read, unpacked where it is gzipped."""

    def __init__(self, stream: Stream) -> None:
        super().__init__()
        self._stream = stream
        self._ahead = _exactly(stream, _PROBE_BYTES)
        if self._ahead.startswith(_GZIP_MAGIC):
            from lambdas.channels.files.unpacking import Unpacked

            self._stream = Unpacked(_Joined(self._ahead, stream))
            self._ahead = _exactly(self._stream, _PROBE_BYTES)
        self.probe = self._ahead

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        target = memoryview(buffer).cast("B")
        taken = self._ahead[: len(target)]
        if taken:
            self._ahead = self._ahead[len(taken) :]
        else:
            taken = self._stream.read(len(target))
        target[: len(taken)] = taken
        return len(taken)


def lines(content: Content, *, encoding: str) -> Iterator[str]:
    """The lines with their ends; bytes that are not in the encoding are lone surrogates."""
    buffered = io.BufferedReader(content, 1 << 20)
    text = io.TextIOWrapper(buffered, encoding=encoding, errors="surrogateescape", newline="\n")
    while line := text.readline(LINE_LIMIT):
        yield line
        while len(line) == LINE_LIMIT and not line.endswith("\n"):
            line = text.readline(LINE_LIMIT)


def is_undecoded(text: str) -> bool:
    """Whether bytes stand in the text that are none of its encoding's."""
    return any("\udc80" <= character <= "\udcff" for character in text)


def likely_encoding(probe: bytes) -> str:
    """UTF-8, unless the beginning says otherwise: UTF-16 by its mark, else what Western offices export."""
    if probe[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    try:
        probe.decode("utf-8")
    except UnicodeDecodeError as error:
        is_cut_within_a_character = error.start >= len(probe) - 3
        return "utf-8-sig" if is_cut_within_a_character else "cp1252"
    return "utf-8-sig"


def _exactly(stream: Stream, size: int) -> bytes:
    """``size`` bytes, fewer only at the end."""
    read = b""
    while len(read) < size and (piece := stream.read(size - len(read))):
        read += piece
    return read


class _Joined:
    """What was read already, and then the rest."""

    def __init__(self, ahead: bytes, rest: Stream) -> None:
        self._ahead = ahead
        self._rest = rest

    def read(self, size: int, /) -> bytes:
        taken = self._ahead[:size]
        self._ahead = self._ahead[size:]
        return taken or self._rest.read(size)
