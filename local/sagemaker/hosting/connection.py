"""One kept connection to a hosted container: a request over a plain socket, its answer read by httptools.

The standard library's client reads the head of an answer as if it were a mail, which takes longer than the container
takes to pass a message on. Knows HTTP/1.1 with a stated length, as `container_http` writes it; nothing of containers.
"""

import select
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import httptools

RECEIVE_BYTES = 32 * 1024


class BrokenOffError(ConnectionError):
    """The other side closed, or answered something that is not HTTP, before its answer was whole."""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """A container's answer, whatever its status. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Connection:
    """Open from the start; ``deadline`` is always of ``time.monotonic``. TimeoutError when it passes."""

    def __init__(self, port: int, *, deadline: float) -> None:
        self.port = port
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=_remaining(deadline))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.can_be_kept = True

    def ask(
        self, method: str, path: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None, deadline: float
    ) -> Reply:
        """Send one request and read its answer; OSError or BrokenOffError where there is none."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        if any("\r" in line or "\n" in line for line in lines):
            raise ValueError("a header holds a line break")
        self._socket.settimeout(_remaining(deadline))
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        arriving = _Arriving()
        parser = arriving.parser = httptools.HttpResponseParser(arriving)
        while not arriving.is_complete:
            self._socket.settimeout(_remaining(deadline))
            data = self._socket.recv(RECEIVE_BYTES)
            if not data:
                raise BrokenOffError
            try:
                parser.feed_data(data)
            except httptools.HttpParserError as error:
                raise BrokenOffError from error
        self.can_be_kept = arriving.keep
        return Reply(status=arriving.status, headers=arriving.headers, body=b"".join(arriving.parts))

    @property
    def is_stale(self) -> bool:
        """Something can be read although nothing was asked: the other side has closed."""
        return bool(select.select([self._socket], [], [], 0)[0])

    def close(self) -> None:
        self._socket.close()


@dataclass(kw_only=True)
class _Arriving:
    """What httptools calls while it reads an answer."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    parts: list[bytes] = field(default_factory=list)
    is_complete: bool = False
    keep: bool = False
    parser: httptools.HttpResponseParser = field(init=False)

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self.parts.append(body)

    def on_message_complete(self) -> None:
        self.status = self.parser.get_status_code()
        if self.status >= 200:  # 100 Continue comes before the answer
            self.is_complete, self.keep = True, self.parser.should_keep_alive()


def _remaining(deadline: float) -> float:
    return max(0.001, deadline - time.monotonic())
