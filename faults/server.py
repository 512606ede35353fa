"""HTTP served on a thread of its own, with what a fault needs beyond answering: a reset, a cut, a wait that ends.

Does not know who asks or what is answered.
"""

import socket
import struct
import threading
from collections.abc import Mapping
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

BODY_LIMIT_BYTES = 64 * 1024 * 1024
_IDLE_SECONDS = 60.0
_LINGER_NOT_AT_ALL = struct.pack("ii", 1, 0)


class UnreadableBodyError(HTTPException):
    """The request's body is too large, or not framed as it says."""


class Server(ThreadingHTTPServer):
    """Listens on 127.0.0.1 until it is left; port 0 is any free one."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, handler: type["Handler"], *, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), handler)
        self.is_closing = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.05,), name="faults", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_closing.set()
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    """One connection, kept alive. A subclass says what a request gets by ``answer``."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = _IDLE_SECONDS
    server: Server

    def answer(self, body: bytes) -> None:
        """Answer the request that was read."""
        raise NotImplementedError

    def do_request(self) -> None:
        try:
            body = self._read_body()
        except (UnreadableBodyError, ValueError):
            self.close_connection = True
            self.send(400, b"The body cannot be read.\n", {"Content-Type": "text/plain"})
            return
        try:
            self.answer(body)
        except (BrokenPipeError, ConnectionError):
            self.close_connection = True  # the client has gone: there is nobody to answer

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = do_request  # noqa: N815

    def send(
        self, status: int, body: bytes, headers: Mapping[str, str] | None = None, *, keep_bytes: int | None = None
    ) -> None:
        """Send an answer; with ``keep_bytes`` only so much of its body, and then the connection ends."""
        self.send_response_only(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if "Content-Length" not in (headers or {}):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body if keep_bytes is None else body[:keep_bytes])
        if keep_bytes is not None:
            self.close_connection = True

    def reset(self) -> None:
        """End the connection the rude way: the client reads a reset, not an end."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT_AT_ALL)
        # Both files hold the socket open; only the last close sends the reset.
        self.rfile.close()
        self.connection.close()

    def wait(self, seconds: float) -> bool:
        """Wait; True where the server was not closed meanwhile."""
        return not self.server.is_closing.wait(seconds)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: a request line may hold names that are nobody's business."""

    def _read_body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._read_chunks()
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 <= length <= BODY_LIMIT_BYTES:
            raise UnreadableBodyError
        return self.rfile.read(length)

    def _read_chunks(self) -> bytes:
        chunks: list[bytes] = []
        total = 0
        while size := int(self.rfile.readline(128).split(b";")[0], 16):
            total += size
            if not 0 < size <= BODY_LIMIT_BYTES or total > BODY_LIMIT_BYTES:
                raise UnreadableBodyError
            chunks.append(self.rfile.read(size))
            self.rfile.readline(8)
        while self.rfile.readline(8192).strip():
            continue  # trailers
        return b"".join(chunks)
