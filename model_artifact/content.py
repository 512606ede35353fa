"""The bytes of one member, read once from front to back, digested on the way. Knows nothing of what they mean."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from model_artifact.errors import BrokenArchiveError, refuse, shown

CHUNK_BYTES = 1 << 18


class Content:
    """Reads `size` bytes through `source`, which gives up to as many bytes as it is asked for."""

    def __init__(self, name: str, size: int, source: Callable[[int], bytes]) -> None:
        self.name = name
        self.size = size
        self._source = source
        self._unread = size
        self._buffer = b""
        self._position = 0
        self._digest = hashlib.sha256()

    @property
    def remaining(self) -> int:
        """How many bytes are still to be read."""
        return self._unread + len(self._buffer) - self._position

    def head(self, count: int) -> bytes:
        """The next `count` bytes, fewer at the end, which stay to be read."""
        self._have(count)
        return self._buffer[self._position : self._position + count]

    def read(self, count: int) -> bytes:
        """The next `count` bytes, fewer only at the end."""
        self._have(count)
        taken = self._buffer[self._position : self._position + count]
        self._position += len(taken)
        return taken

    def skip(self, count: int) -> None:
        """Pass over `count` bytes, or what is left of them."""
        while count > 0 and (chunk := self.read(min(count, CHUNK_BYTES))):
            count -= len(chunk)

    def read_document(self, limit_bytes: int) -> bytes:
        """All that is left; refused where that is more than may be held in memory."""
        if self.remaining > limit_bytes:
            refuse("too-large", self.name, f"is larger than the {limit_bytes} bytes that such a file may have")
        return self.read(self.remaining)

    def finish(self) -> str:
        """Read what nobody asked for; the SHA-256 of all."""
        self.skip(self.remaining)
        return self._digest.hexdigest()

    def _have(self, count: int) -> None:
        """Hold `count` unread bytes in the buffer, or all that are left."""
        missing = min(count - (len(self._buffer) - self._position), self._unread)
        if missing <= 0:
            return
        parts = [self._buffer[self._position :]]
        while missing > 0:
            part = self._source(min(max(missing, CHUNK_BYTES), self._unread))
            if not part:
                raise BrokenArchiveError(f"{shown(self.name)} is cut short.", "truncated")
            self._digest.update(part)
            parts.append(part)
            missing -= len(part)
            self._unread -= len(part)
        self._buffer, self._position = b"".join(parts), 0
