"""Fetches a document of the public web over https, and nothing else: no private address, no endless or huge answer.

An address comes from settings and from the answers of strangers' servers (redirects, next pages), so each one is judged
anew: https on its own port, without credentials, and a name all of whose addresses are public. The connection is made
to the very address that was judged, or a second look-up could give another. It does not know what a document says.
"""

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin, urlsplit

SIZE_LIMIT_BYTES: Final = 5 * 1024 * 1024

_PORT: Final = 443
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_REDIRECT_LIMIT: Final = 3
_CHUNK_BYTES: Final = 64 * 1024
_URL_LIMIT: Final = 2_000
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")


class NotFetchedError(Exception):
    """There is no such document to be had; the message is one sentence and quotes nothing of an answer."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """An address that may be fetched."""

    host: str
    path: str


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """A document, None where it has not changed since; ``etag`` and ``modified`` ask for that the next time."""

    body: bytes | None
    etag: str | None
    modified: str | None


Connect = Callable[[Target, float], http.client.HTTPConnection]
"""A connection to a target's host, with a limit in seconds for every wait."""


def read_url(url: str) -> Target:
    """The target of an address; NotFetchedError for any but plain https."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        host = host.encode("idna").decode("ascii")
    except ValueError as error:  # UnicodeError is a ValueError
        raise NotFetchedError("The address is none.") from error
    has_credentials = parts.username is not None or parts.password is not None
    if parts.scheme != "https" or not host or port not in (None, _PORT) or has_credentials:
        raise NotFetchedError("The address is not plain https.")
    path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    if len(url) > _URL_LIMIT or not path.isascii() or not path.isprintable() or " " in path:
        raise NotFetchedError("The address is too long or holds characters that no address has.")
    return Target(host=host, path=path)


def connect_publicly(target: Target, timeout_seconds: float) -> http.client.HTTPConnection:
    """A TLS connection to a public address of the host; NotFetchedError where any of its addresses is private."""
    return _PinnedConnection(target.host, public_address(target.host), timeout_seconds)


def public_address(host: str) -> str:
    """One address of the host, after all of them were found public."""
    try:
        found = socket.getaddrinfo(host, _PORT, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotFetchedError("The host has no address.") from error
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses or not all(_is_public(address) for address in addresses):
        raise NotFetchedError("The host is not a public one.")
    return addresses[0]


class Fetcher:
    """Fetches with a limit in seconds for each document, redirects included."""

    def __init__(self, *, connect: Connect = connect_publicly, seconds: float = 15.0) -> None:
        self._connect = connect
        self._seconds = seconds

    def fetch(self, url: str, *, etag: str | None = None, modified: str | None = None) -> Fetched:
        """The document at an address; NotFetchedError where it cannot be had whole and in time."""
        deadline = time.monotonic() + self._seconds
        for _ in range(_REDIRECT_LIMIT + 1):
            try:
                step = self._step(url, _conditions(etag, modified), deadline)
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise NotFetchedError("The connection failed.") from error
            if isinstance(step, Fetched):
                return step
            url = step
        raise NotFetchedError("There are too many redirects.")

    def _step(self, url: str, headers: dict[str, str], deadline: float) -> Fetched | str:
        """The document, or the address that it is said to be at."""
        target = read_url(url)
        connection = self._connect(target, _left(deadline))
        sockets: list[socket.socket | None] = []
        watchdog = threading.Timer(_left(deadline), lambda: _cut(connection.sock, *sockets))
        watchdog.start()
        try:
            connection.connect()
            sockets.append(
                connection.sock
            )  # it is read on after an answer that closes has taken it from the connection
            connection.request("GET", target.path, headers=headers)
            answer = connection.getresponse()
            if answer.status in _REDIRECTS:
                return urljoin(url, answer.getheader("Location") or "")
            if answer.status == http.client.NOT_MODIFIED:
                return Fetched(body=None, etag=headers.get("If-None-Match"), modified=headers.get("If-Modified-Since"))
            if answer.status != http.client.OK:
                raise NotFetchedError(f"The server answered {answer.status}.")
            if answer.getheader("Content-Encoding", "identity").lower() != "identity":
                raise NotFetchedError("The answer is compressed, though that was not asked for.")
            body = _read(answer, deadline)
            return Fetched(body=body, etag=answer.getheader("ETag"), modified=answer.getheader("Last-Modified"))
        finally:
            watchdog.cancel()
            connection.close()


class _PinnedConnection(http.client.HTTPSConnection):
    """TLS to one address, with the certificate of the host's name."""

    def __init__(self, host: str, address: str, timeout_seconds: float) -> None:
        super().__init__(host, _PORT, timeout=timeout_seconds)
        self._address = address
        self._tls = ssl.create_default_context()

    def connect(self) -> None:
        plain = socket.create_connection((self._address, _PORT), self.timeout)
        secured = self._tls.wrap_socket(plain, server_hostname=self.host, do_handshake_on_connect=False)
        self.sock = secured  # from here on the watchdog can cut it
        secured.do_handshake()


def _is_public(address: str) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        embedded = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if embedded is not None:
            return _is_public(str(embedded))
        if ip in _NAT64:
            return _is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
    return ip.is_global and not ip.is_multicast


def _cut(*sockets: socket.socket | None) -> None:
    """End what is waited on, however slowly a server drips: a wait's own limit starts anew with every byte."""
    for sock in sockets:
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


def _read(answer: http.client.HTTPResponse, deadline: float) -> bytes:
    """The whole body: a server that drips it or never ends is left."""
    chunks = []
    size = 0
    while chunk := answer.read1(_CHUNK_BYTES):
        size += len(chunk)
        if size > SIZE_LIMIT_BYTES:
            raise NotFetchedError(f"The answer is larger than {SIZE_LIMIT_BYTES // 1024 // 1024} MiB.")
        chunks.append(chunk)
    _left(deadline)  # what the watchdog cut looks like an end
    if answer.length:
        raise NotFetchedError("The answer ended early.")
    return b"".join(chunks)


def _left(deadline: float) -> float:
    """The seconds until the deadline, as a limit for the next wait."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise NotFetchedError("The server took too long.")
    return left


def _conditions(etag: str | None, modified: str | None) -> dict[str, str]:
    """Headers of the request. What a server said before is said again only where it can be one header's value."""
    conditions = {"If-None-Match": etag or "", "If-Modified-Since": modified or ""}
    said = {name: value for name, value in conditions.items() if value and value.isascii() and value.isprintable()}
    return {"User-Agent": "earshot", "Accept-Encoding": "identity", **said}
