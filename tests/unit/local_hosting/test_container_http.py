"""The server of a hosted container and the host's connection to it, over real sockets."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from local.sagemaker.hosting.connection import BrokenOffError, Connection
from local.sagemaker.hosting.container_http import Request, Response, Server

LIMIT = 1000


def echo(request: Request) -> Response:
    if request.path == "/slow":
        time.sleep(1)
    said = f"{request.method} {request.path} {request.headers.get('x-word', '-')} ".encode()
    return Response(status=200, body=said + request.body, content_type="text/plain")


@pytest.fixture(scope="module")
def port() -> int:
    server = Server(echo, max_body_bytes=LIMIT)
    threading.Thread(target=server.run, daemon=True).start()
    return server.port


def spoken(port: int, *pieces: bytes) -> bytes:
    """All that the server says to these bytes until it closes or falls silent."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(0.02)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_a_request_in_pieces_is_one_request(port: int) -> None:
    said = spoken(port, b"POST /a?b=c HTTP/1.1\r\nX-Wo", b"rd: hi\r\nContent-Length: 5\r\n\r\nab", b"cde")
    assert said.startswith(b"HTTP/1.1 200 OK\r\n")
    assert said.endswith(b"POST /a hi abcde")


def test_a_chunked_body_is_put_together(port: int) -> None:
    head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert spoken(port, head, b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n").endswith(b"POST / - abcde")


def test_requests_that_come_at_once_are_answered_in_order(port: int) -> None:
    said = spoken(port, b"GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n")
    assert said.index(b"GET /1") < said.index(b"GET /2")


def test_who_waits_to_be_told_to_go_on_is_told(port: int) -> None:
    said = spoken(port, b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n", b"x")
    assert said.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")


def test_what_is_not_http_is_refused_and_the_connection_closed(port: int) -> None:
    assert spoken(port, b"\x00\x01 no HTTP\r\n\r\n").startswith(b"HTTP/1.1 400 Bad Request\r\n")


def test_a_body_above_the_limit_is_refused(port: int) -> None:
    head = f"POST / HTTP/1.1\r\nContent-Length: {LIMIT + 1}\r\n\r\n".encode()
    assert spoken(port, head + b"x" * (LIMIT + 1)).startswith(b"HTTP/1.1 413 ")


def test_the_connection_closes_where_the_client_asks_for_it(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
        said = b"".join(iter(lambda: connection.recv(65536), b""))  # ends, though this side never closed
    assert said.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Connection: close\r\n" in said


def test_one_connection_carries_many_requests(port: int) -> None:
    connection = Connection(port, deadline=time.monotonic() + 5)
    for number in range(3):
        reply = connection.ask("POST", "/", body=str(number).encode(), deadline=time.monotonic() + 5)
        assert (reply.status, reply.body) == (200, b"POST / - %d" % number)
        assert connection.can_be_kept
        assert not connection.is_stale
    connection.close()


def test_an_answer_that_comes_too_late_is_a_timeout(port: int) -> None:
    connection = Connection(port, deadline=time.monotonic() + 5)
    with pytest.raises(TimeoutError):
        connection.ask("GET", "/slow", deadline=time.monotonic() + 0.1)
    connection.close()


def test_a_header_cannot_become_two(port: int) -> None:
    connection = Connection(port, deadline=time.monotonic() + 5)
    with pytest.raises(ValueError, match="line break"):
        connection.ask("GET", "/", headers={"X-Word": "a\r\nX-Other: b"}, deadline=time.monotonic() + 5)
    connection.close()


@pytest.fixture
def answering() -> Iterator[list[bytes]]:
    """What the next listener says before it closes; its port comes first."""
    said: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        said.append(str(listener.getsockname()[1]).encode())

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(said[1])

        threading.Thread(target=serve, daemon=True).start()
        yield said


@pytest.mark.parametrize(
    "half",
    [b"", b"HTTP/1.1 200 OK\r\nContent-Le", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", b"no HTTP\r\n\r\n"],
)
def test_an_answer_that_is_not_whole_is_no_answer(answering: list[bytes], half: bytes) -> None:
    answering.append(half)
    connection = Connection(int(answering[0]), deadline=time.monotonic() + 5)
    with pytest.raises(BrokenOffError):
        connection.ask("GET", "/", deadline=time.monotonic() + 5)
    assert connection.is_stale or half.startswith(b"no")
    connection.close()
