"""The local SageMaker behind a loopback server, with S3 and CloudWatch Logs beside it, for a real boto3 client."""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

import boto3
import pytest
from botocore.config import Config

from local.sagemaker.context import Context
from local.sagemaker.service import SageMaker


@dataclass
class Bus:
    """The event bus: what was published, in order."""

    events: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    def publish(self, source: str, detail_type: str, detail: dict[str, Any]) -> None:
        self.events.append((source, detail_type, json.loads(json.dumps(detail))))


class FakeAws:
    """S3 objects and log streams in memory: as much of both as jobs use."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.logs: dict[tuple[str, str], list[str]] = {}
        self.lock = Lock()

    def s3(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        parts = urlsplit(path)
        key, query = unquote(parts.path).lstrip("/"), parse_qs(parts.query)
        with self.lock:
            if method == "PUT":
                self.objects[key] = body
                return 200, b""
            if "list-type" in query:
                return 200, self._list(key.rstrip("/"), query.get("prefix", [""])[0])
            if key in self.objects:
                return 200, self.objects[key]
        return 404, b"<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>"

    def _list(self, bucket: str, prefix: str) -> bytes:
        names = sorted(
            name.removeprefix(f"{bucket}/") for name in self.objects if name.startswith(f"{bucket}/{prefix}")
        )
        entries = "".join(f"<Contents><Key>{escape(name)}</Key><Size>1</Size></Contents>" for name in names)
        return f"<ListBucketResult><IsTruncated>false</IsTruncated>{entries}</ListBucketResult>".encode()

    def log(self, target: str, request: dict[str, Any]) -> None:
        with self.lock:
            if target.endswith("PutLogEvents"):
                lines = self.logs.setdefault((request["logGroupName"], request["logStreamName"]), [])
                lines += [event["message"] for event in request["logEvents"]]


@dataclass
class LocalAws:
    """The running service and what a test needs around it."""

    client: Any
    service: SageMaker
    context: Context
    aws: FakeAws
    bus: Bus

    def put(self, uri: str, content: bytes) -> None:
        self.aws.objects[uri.removeprefix("s3://")] = content

    def get(self, uri: str) -> bytes:
        return self.aws.objects[uri.removeprefix("s3://")]

    def keys(self, uri: str) -> list[str]:
        return sorted(key for key in self.aws.objects if key.startswith(uri.removeprefix("s3://")))


class Stage:
    """What the one server of a test session serves now: each test puts its own on."""

    service: SageMaker
    aws: FakeAws


def _handler(stage: Stage) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _any(self) -> None:
            body = self._body()
            target = self.headers.get("X-Amz-Target", "")
            if target.startswith("SageMaker.") or self.path.startswith("/endpoints/"):
                status, headers, answer = stage.service.handle(self.command, self.path, dict(self.headers), body)
            elif target.startswith("Logs_"):
                stage.aws.log(target, json.loads(body))
                status, headers, answer = 200, {"content-type": "application/x-amz-json-1.1"}, b"{}"
            else:
                status, answer = stage.aws.s3(self.command, self.path, body)
                headers = {"etag": '"0"', "content-type": "application/xml"}
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer)

        def _body(self) -> bytes:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if "aws-chunked" not in self.headers.get("Content-Encoding", ""):
                return body
            content = b""
            while body:
                size, _, body = body.partition(b"\r\n")
                length = int(size.split(b";")[0], 16)
                if length == 0:
                    break
                content, body = content + body[:length], body[length + 2 :]
            return content

        do_GET = do_PUT = do_POST = do_HEAD = _any  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Tests are quiet."""

    return Handler


@dataclass(frozen=True, kw_only=True)
class Served:
    """The session's server and the client that talks to it: both are slow to make."""

    endpoint_url: str
    client: Any
    stage: Stage


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    """A loopback server and a boto3 client without checks of its own: the service's are under test."""
    stage = Stage()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(stage))
    server.daemon_threads = True
    endpoint_url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    client = boto3.client(
        "sagemaker",
        endpoint_url=endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"max_attempts": 1}, parameter_validation=False),
    )
    yield Served(endpoint_url=endpoint_url, client=client, stage=stage)
    client.close()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def local_aws(tmp_path: Path, served: Served) -> Iterator[LocalAws]:
    """A local SageMaker of the test's own that has started."""
    aws, bus = FakeAws(), Bus()
    context = Context(
        home=tmp_path / "home",
        endpoint_url=served.endpoint_url,
        serving_python=Path(sys.executable),
        training_python=Path(sys.executable),
        publish=bus.publish,
    )
    service = SageMaker(context, stop_grace_seconds=1.0)
    served.stage.service, served.stage.aws = service, aws
    service.start()
    yield LocalAws(client=served.client, service=service, context=context, aws=aws, bus=bus)
    service.close()
