"""A gzipped stream, unpacked piece by piece with a bound on how far it may grow. Knows nothing of archives.

`gzip.GzipFile` is not used since it passes over what follows the first stream, be it zeros or another archive.
"""

from __future__ import annotations

import hashlib
import time
import zlib
from typing import Protocol

from model_artifact.errors import BrokenArchiveError
from model_artifact.limits import Limits

CHUNK_BYTES = 1 << 17
_MAGIC = b"\x1f\x8b"
_GZIP = 16 + zlib.MAX_WBITS


class Readable(Protocol):
    """A binary file, an S3 body: anything that gives up to `size` bytes, none at its end."""

    def read(self, size: int, /) -> bytes: ...


class Gunzip:
    """`read` gives what is inside. With `one_stream` nothing may follow the first gzip stream."""

    def __init__(self, packed: Readable, limits: Limits, *, one_stream: bool) -> None:
        self._packed = packed
        self._limits = limits
        self._one_stream = one_stream
        self._deadline = time.monotonic() + limits.seconds
        self._digest = hashlib.sha256()
        self._stream = zlib.decompressobj(_GZIP)
        self._input = b""
        self._output = bytearray()
        self._packed_bytes = 0
        self._unpacked_bytes = 0
        self._is_first = True
        self._ended = False

    @property
    def sha256(self) -> str:
        """The digest of the packed bytes read so far, which are all of them once `read` gave nothing."""
        return self._digest.hexdigest()

    def read(self, count: int) -> bytes:
        """The next `count` bytes, fewer only at the end; BrokenArchiveError for what is broken or grows too far."""
        while len(self._output) < count and not self._ended:
            self._unpack(max(count - len(self._output), CHUNK_BYTES))
        taken = bytes(self._output[:count])
        del self._output[:count]
        return taken

    def _unpack(self, wanted: int) -> None:
        if time.monotonic() > self._deadline:
            raise BrokenArchiveError("The archive could not be read in the time allowed for it.", "too-slow")
        if not self._input:
            self._fill()
        if self._is_first and not self._input.startswith(_MAGIC):
            raise BrokenArchiveError("The archive is not gzipped.", "not-gzip")
        self._is_first = False
        try:
            piece = self._stream.decompress(self._input, min(wanted, CHUNK_BYTES))
        except zlib.error as error:
            raise BrokenArchiveError(f"The archive is broken: {error}.", "broken-gzip") from error
        if not self._input and not piece and not self._stream.eof:
            raise BrokenArchiveError("The archive is cut short.", "truncated")
        self._input = self._stream.unconsumed_tail
        self._output += piece
        self._unpacked_bytes += len(piece)
        self._check_growth()
        if self._stream.eof:
            self._begin_next(self._stream.unused_data)

    def _fill(self) -> None:
        self._input = self._packed.read(CHUNK_BYTES)
        self._packed_bytes += len(self._input)
        self._digest.update(self._input)

    def _check_growth(self) -> None:
        if self._unpacked_bytes > self._limits.free_bytes + self._limits.expansion * self._packed_bytes:
            raise BrokenArchiveError(
                f"The archive unpacks to more than {self._limits.expansion} times its size: a bomb.", "bomb"
            )
        # Headers and padding of as many members as may be come on top of the contents.
        if self._unpacked_bytes > self._limits.total_bytes + 4096 * self._limits.members:
            raise BrokenArchiveError(f"The archive unpacks to more than {self._limits.total_bytes} bytes.", "too-large")

    def _begin_next(self, rest: bytes) -> None:
        """What follows a complete stream: nothing, padding, or where allowed another stream."""
        self._input = rest
        while True:
            if not self._input:
                self._fill()
            if not self._input:
                self._ended = True
                return
            if self._one_stream:
                raise BrokenArchiveError("Something follows the end of the gzipped archive.", "trailing-data")
            self._input = self._input.lstrip(b"\0")
            if self._input:
                break
        if len(self._input) == 1:
            self._input += self._packed.read(1)
            self._digest.update(self._input[1:])
            self._packed_bytes += len(self._input) - 1
        if not self._input.startswith(_MAGIC):
            raise BrokenArchiveError("Something follows the end of the gzipped archive.", "trailing-data")
        self._stream = zlib.decompressobj(_GZIP)
