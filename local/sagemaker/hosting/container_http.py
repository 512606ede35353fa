"""The HTTP/1.1 server of a hosted container: a thread per connection, blocking sockets, httptools for the protocol.

A host keeps a handful of connections open and asks over each of them one request at a time, so that a request wakes
one thread and nothing else: a third of the time that a server with a selector and a pool of threads takes for it. Runs
inside the container with nothing but the standard library and httptools; it does not know routes, models or handlers.
"""

import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

import httptools

RECEIVE_BYTES = 32 * 1024
JOIN_BYTES = 64 * 1024
"""Up to here head and body of an answer are sent as one piece."""
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@dataclass(frozen=True, kw_only=True)
class Request:
    """Header names are in lower case; ``path`` is without a query."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Response:
    """``content_type`` is empty where there is nothing to name it for."""

    status: int
    body: bytes = b""
    content_type: str = ""


Answer = Callable[[Request], Response]


class BodyTooLargeError(Exception):
    """A request with more bytes than the server takes."""


class Server:
    """Listens on 127.0.0.1, on a port of the system's choice; ``answer`` is called from many threads."""

    def __init__(self, answer: Answer, *, max_body_bytes: int) -> None:
        self._answer = answer
        self._max_body_bytes = max_body_bytes
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]

    def run(self) -> None:
        """Accept connections until the process ends."""
        while True:
            connection, _ = self._listener.accept()
            threading.Thread(target=self._converse, args=(connection,), daemon=True).start()

    def _converse(self, connection: socket.socket) -> None:
        with connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            incoming = _Incoming(max_body_bytes=self._max_body_bytes)
            parser = incoming.parser = httptools.HttpRequestParser(incoming)
            try:
                while data := connection.recv(RECEIVE_BYTES):
                    parser.feed_data(data)
                    if incoming.expects_continue:
                        incoming.expects_continue = False
                        connection.sendall(CONTINUE)
                    while incoming.complete:
                        request, keep = incoming.complete.pop(0)
                        _send(connection, self._answer(request), keep=keep)
                        if not keep:
                            return
            except httptools.HttpParserError as error:
                status = 413 if isinstance(error.__context__, BodyTooLargeError) else 400
                _send(connection, Response(status=status), keep=False)
            except OSError:
                return  # the other side is gone, and with it whoever could be told


@dataclass(kw_only=True)
class _Incoming:
    """What httptools calls while it reads requests. Its exceptions come out of ``feed_data`` as HttpParserError."""

    max_body_bytes: int
    complete: list[tuple[Request, bool]] = field(default_factory=list)
    expects_continue: bool = False
    parser: httptools.HttpRequestParser = field(init=False)
    _url: bytes = b""
    _headers: dict[str, str] = field(default_factory=dict)
    _parts: list[bytes] = field(default_factory=list)
    _length: int = 0

    def on_message_begin(self) -> None:
        self._url, self._headers, self._parts, self._length = b"", {}, [], 0

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self.expects_continue = self._headers.get("expect", "").lower() == "100-continue"

    def on_body(self, body: bytes) -> None:
        self._length += len(body)
        if self._length > self.max_body_bytes:
            raise BodyTooLargeError
        self._parts.append(body)

    def on_message_complete(self) -> None:
        request = Request(
            method=self.parser.get_method().decode("latin-1"),
            path=self._url.partition(b"?")[0].decode("latin-1"),
            headers=self._headers,
            body=b"".join(self._parts),
        )
        self.complete.append((request, self.parser.should_keep_alive()))


_PHRASES = {status.value: status.phrase for status in HTTPStatus}


def _send(connection: socket.socket, response: Response, *, keep: bool) -> None:
    named = f"Content-Type: {response.content_type}\r\n" if response.content_type else ""
    closing = "" if keep else "Connection: close\r\n"
    head = (
        f"HTTP/1.1 {response.status} {_PHRASES.get(response.status, 'Error')}\r\n"
        f"Content-Length: {len(response.body)}\r\n{named}{closing}\r\n"
    ).encode("latin-1")
    if len(response.body) <= JOIN_BYTES:
        connection.sendall(head + response.body)
    else:
        connection.sendall(head)
        connection.sendall(response.body)
