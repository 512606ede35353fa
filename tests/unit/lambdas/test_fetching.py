"""Fetching from strangers, with servers on the loopback in their place."""

import http.client
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from lambdas.channels.puller import fetching
from lambdas.channels.puller.fetching import Fetcher, NotFetchedError, public_address, read_url


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.asked.append((self.path, dict(self.headers)))
        status, headers, body = self.server.pages[self.path]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if callable(body):
            body(self.wfile)
        else:
            self.wfile.write(body)

    def log_message(self, *_):
        """Silence."""


@pytest.fixture
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.pages, server.asked = {}, []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def fetcher(server):
    """Every public host is this server, over plain HTTP."""

    def connect(target, timeout_seconds):
        return http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=timeout_seconds)

    return Fetcher(connect=connect, seconds=1.0)


def page(body=b"", status=200, **headers):
    return (
        status,
        {"Content-Length": str(len(body)), **{key.replace("_", "-"): value for key, value in headers.items()}},
        body,
    )


def test_a_document_is_fetched_with_what_is_needed_to_ask_for_changes(server, fetcher):
    server.pages["/feed?a=b"] = page(b"hello", ETag='"1"', Last_Modified="Sun, 01 Mar 2026 09:00:00 GMT")
    fetched = fetcher.fetch("https://site.example/feed?a=b")
    assert (fetched.body, fetched.etag) == (b"hello", '"1"')
    server.pages["/feed?a=b"] = (304, {"Content-Length": "0"}, b"")
    again = fetcher.fetch("https://site.example/feed?a=b", etag=fetched.etag, modified=fetched.modified)
    assert again.body is None
    asked = server.asked[-1][1]
    assert (asked["If-None-Match"], asked["If-Modified-Since"]) == ('"1"', "Sun, 01 Mar 2026 09:00:00 GMT")


def test_what_a_server_said_before_cannot_become_a_header_of_its_own(server, fetcher):
    server.pages["/feed"] = page(b"hello")
    fetcher.fetch("https://site.example/feed", etag='"1"\r\nX-Evil: yes', modified="é")
    assert not {"X-Evil", "If-None-Match", "If-Modified-Since"} & set(server.asked[-1][1])


def test_redirects_are_followed_a_few_times_and_judged_each_time(server, fetcher):
    server.pages["/a"] = page(status=301, Location="/b")
    server.pages["/b"] = page(status=302, Location="https://elsewhere.example/c")
    server.pages["/c"] = page(b"there")
    assert fetcher.fetch("https://site.example/a").body == b"there"
    server.pages["/c"] = page(status=307, Location="/a")
    with pytest.raises(NotFetchedError, match="redirects"):
        fetcher.fetch("https://site.example/a")
    for location in (
        "http://site.example/c",
        "https://u:p@site.example/",
        "https://site.example:8443/",
        "file:///etc/passwd",
    ):
        server.pages["/a"] = page(status=301, Location=location)
        with pytest.raises(NotFetchedError, match="https"):
            fetcher.fetch("https://site.example/a")


def test_a_redirect_to_a_private_host_is_not_connected_to(server, monkeypatch):
    server.pages["/a"] = page(status=301, Location="https://metadata.example/latest")

    def connect(target, timeout_seconds):
        if target.host == "site.example":
            return http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=timeout_seconds)
        return fetching.connect_publicly(target, timeout_seconds)

    look_up = socket.getaddrinfo

    def getaddrinfo(host, *rest, **named):
        is_theirs = host == "metadata.example"
        return [(2, 1, 6, "", ("169.254.169.254", 443))] if is_theirs else look_up(host, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    connections = []
    monkeypatch.setattr(fetching._PinnedConnection, "connect", lambda self: connections.append(self))
    with pytest.raises(NotFetchedError, match="public"):
        Fetcher(connect=connect, seconds=1.0).fetch("https://site.example/a")
    assert connections == []


@pytest.mark.parametrize("status", [204, 206, 400, 401, 404, 410, 429, 500, 503])
def test_any_other_answer_is_no_document(server, fetcher, status):
    server.pages["/a"] = page(status=status)
    with pytest.raises(NotFetchedError, match=str(status)):
        fetcher.fetch("https://site.example/a")


def test_an_answer_without_an_end_is_left_at_the_limit(server, fetcher, monkeypatch):
    monkeypatch.setattr(fetching, "SIZE_LIMIT_BYTES", 1024 * 1024)

    def write(file):
        while True:
            file.write(b"x" * 65536)

    server.pages["/a"] = (200, {"Connection": "close"}, lambda file: _until_broken(write, file))
    with pytest.raises(NotFetchedError, match="larger"):
        fetcher.fetch("https://site.example/a")


def test_a_server_that_drips_is_left_at_the_deadline(server, fetcher):
    def write(file):
        for _ in range(50):
            file.write(b"x")
            time.sleep(0.1)

    server.pages["/a"] = (200, {"Connection": "close"}, lambda file: _until_broken(write, file))
    started = time.monotonic()
    with pytest.raises(NotFetchedError):
        fetcher.fetch("https://site.example/a")
    assert time.monotonic() - started < 2.0


def _until_broken(write, file):
    try:
        write(file)
    except OSError:
        return


def test_a_server_that_drips_its_headers_is_left_at_the_deadline():
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        connection, _ = listener.accept()
        with connection:
            for byte in b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100:
                try:
                    connection.send(bytes([byte]))
                except OSError:
                    return
                time.sleep(0.05)

    thread = threading.Thread(target=serve)
    thread.start()

    def connect(target, timeout_seconds):
        return http.client.HTTPConnection("127.0.0.1", listener.getsockname()[1], timeout=timeout_seconds)

    started = time.monotonic()
    with pytest.raises(NotFetchedError):
        Fetcher(connect=connect, seconds=0.5).fetch("https://site.example/a")
    assert time.monotonic() - started < 1.5
    thread.join()
    listener.close()


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"Content-Length": "10", "Connection": "close"}, b"short"),
        ({"Content-Encoding": "gzip", "Content-Length": "2"}, b"\x1f\x8b"),
        ({"Transfer-Encoding": "chunked", "Connection": "close"}, b"zz\r\n"),
        ({"Content-Length": "many", "Connection": "close", "Location": "\xff"}, b""),
    ],
)
def test_an_answer_that_lies_about_itself_is_no_document(server, fetcher, headers, body):
    server.pages["/a"] = (200, headers, body)
    if headers.get("Content-Length") == "many":
        assert fetcher.fetch("https://site.example/a").body == b""
        return
    with pytest.raises(NotFetchedError):
        fetcher.fetch("https://site.example/a")


def test_nobody_listening_is_no_document():
    def connect(target, timeout_seconds):
        return http.client.HTTPConnection("127.0.0.1", 9, timeout=timeout_seconds)

    with pytest.raises(NotFetchedError):
        Fetcher(connect=connect).fetch("https://site.example/a")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "site.example",
        "http://site.example/",
        "ftp://site.example/",
        "file:///etc/passwd",
        "https://",
        "https:///path",
        "https://user@site.example/",
        "https://user:password@site.example/",  # pragma: allowlist secret
        "https://site.example:22/",
        "https://site.example:https/",
        "https://site.example/\r\nHost: evil",
        "https://site.example/a b",
        "https://site.example/é",
        "https://[::1",
        "https://" + "a" * 3_000 + ".example/",
        "https://site..example/",
    ],
)
def test_only_plain_https_is_an_address(url):
    with pytest.raises(NotFetchedError):
        read_url(url)


def test_an_address_is_split_into_host_and_path():
    assert read_url("https://Site.example:443?x=1#there") == fetching.Target(host="site.example", path="/?x=1")


PRIVATE = [
    "127.0.0.1",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "224.0.0.1",
    "255.255.255.255",
    "198.18.0.1",
    "::1",
    "::",
    "fe80::1%eth0",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_address_is_not_public(monkeypatch, address):
    found = [(2, 1, 6, "", ("93.184.216.34", 443)), (2, 1, 6, "", (address, 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(NotFetchedError, match="public"):
        public_address("rebinding.example")


def test_a_public_address_is_pinned(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("93.184.216.34", 443))])
    connection = fetching.connect_publicly(read_url("https://site.example/"), 1.0)
    assert (connection.host, connection._address) == ("site.example", "93.184.216.34")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "2130706433", "0x7f.1", "017700000001", "[::1]"])
def test_no_way_of_writing_the_loopback_is_public(host):
    with pytest.raises(NotFetchedError):
        public_address(read_url(f"https://{host}/").host)


def test_a_host_without_an_address_is_no_document(monkeypatch):
    def fail(*_, **__):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(NotFetchedError):
        public_address("nowhere.example")
