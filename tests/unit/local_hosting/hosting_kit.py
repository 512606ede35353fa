"""What the hosting tests share: tiny handlers, archives, an S3 and a log service in memory, and a hosting over them."""

import http.server
import io
import tarfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from botocore.exceptions import ClientError

from local.sagemaker.context import Context
from local.sagemaker.hosting import Hosting
from local.sagemaker.metrics import Measurement
from local.sagemaker.store import Store

SERVING_PYTHON = Path(__file__).parents[3] / ".venv-serving" / "bin" / "python"

# Answers what it got: body, its mark and the content type it saw; the answer's type carries the mark.
ECHO = """
def model_fn(model_dir):
    return "{mark}"

def input_fn(body, content_type):
    return (body.encode() if isinstance(body, str) else body), content_type

def predict_fn(data, model):
    body, content_type = data
    return body + f"|{{model}}<{{content_type}}>".encode()

def output_fn(prediction, accept):
    return prediction + f"[{{accept}}]".encode(), "application/x-{mark}"
"""


def archive(handler: str, files: Mapping[str, bytes] | None = None) -> bytes:
    """A model.tar.gz with ``code/inference.py`` and other files."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for name, data in {"code/inference.py": handler.encode(), **(files or {})}.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return content.getvalue()


def echo(mark: str) -> bytes:
    """An archive of the echoing handler."""
    return archive(ECHO.format(mark=mark))


class ObjectsInMemory:
    """The part of an S3 client that hosting uses."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def head_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        return {"ETag": f'"{hash(self._get(Bucket, Key, "HeadObject"))}"'}

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        return {"Body": io.BytesIO(self._get(Bucket, Key, "GetObject"))}

    def download_file(self, bucket: str, key: str, path: str) -> None:
        Path(path).write_bytes(self._get(bucket, key, "GetObject"))

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, **_: object) -> None:  # noqa: N803
        self.objects[f"s3://{Bucket}/{Key}"] = Body

    def _get(self, bucket: str, key: str, operation: str) -> bytes:
        try:
            return self.objects[f"s3://{bucket}/{key}"]
        except KeyError:
            raise ClientError({"Error": {"Code": "404", "Message": "Not Found"}}, operation) from None


class LogsInMemory:
    """The part of a CloudWatch Logs client that hosting uses."""

    def __init__(self) -> None:
        self.streams: dict[tuple[str, str], list[str]] = {}

    def create_log_group(self, **_: str) -> None:
        raise ClientError({"Error": {"Code": "ResourceAlreadyExistsException", "Message": ""}}, "CreateLogGroup")

    def create_log_stream(self, *, logGroupName: str, logStreamName: str) -> None:  # noqa: N803
        self.streams[logGroupName, logStreamName] = []

    def put_log_events(self, *, logGroupName: str, logStreamName: str, logEvents: list[dict[str, Any]]) -> None:  # noqa: N803
        self.streams[logGroupName, logStreamName] += [event["message"] for event in logEvents]


class HostingKit:
    """A hosting whose S3, logs and events are in memory; its containers are real processes."""

    def __init__(self, home: Path) -> None:
        assert SERVING_PYTHON.exists(), f"{SERVING_PYTHON} is missing: `make setup` makes it"
        self.events: list[dict[str, Any]] = []
        self.alarms: dict[str, Callable[[], str]] = {}
        self.measured: list[Measurement] = []
        self.s3 = ObjectsInMemory()
        self.logs = LogsInMemory()
        self.context = Context(
            home=home,
            endpoint_url="http://127.0.0.1:9",
            serving_python=SERVING_PYTHON,
            training_python=SERVING_PYTHON,
            publish=lambda source, detail_type, detail: self.events.append(detail),
            measure=self.measured.extend,
            alarm_states=lambda names: {name: state() for name, state in self.alarms.items() if name in names},
        )
        self.store = Store(home / "state.sqlite")
        self.hosting = self.fresh_hosting()

    def fresh_hosting(self) -> Hosting:
        """Another hosting over the same records, as after a restart."""
        return Hosting(self.context, self.store, s3=self.s3, logs=self.logs)

    def model(self, name: str, *archives: bytes, **more: Any) -> None:
        """Store a model of one or more containers."""
        containers = []
        for index, content in enumerate(archives):
            uri = f"s3://models/{name}/{index}/model.tar.gz"
            self.s3.objects[uri] = content
            containers.append({"Image": f"image-{index}", "ModelDataUrl": uri, "Environment": {}})
        self.store.put("model", name, {"ModelName": name, "Containers": containers, **more})

    def config(self, name: str, *variants: dict[str, Any], **more: Any) -> str:
        """Store an endpoint config; a single variant of the model of the same name unless given."""
        chosen = list(variants) or [{"VariantName": "main", "ModelName": name, "InitialInstanceCount": 2}]
        self.store.put("endpoint-config", name, {"EndpointConfigName": name, "ProductionVariants": chosen, **more})
        return name

    def endpoint(self, name: str, config_name: str) -> dict[str, Any]:
        """Create an endpoint and wait until it is settled."""
        self.hosting.create_endpoint({"EndpointName": name, "EndpointConfigName": config_name})
        return self.settled(name)

    def update(self, name: str, config_name: str, **more: Any) -> None:
        """Begin an update."""
        self.hosting.update_endpoint({"EndpointName": name, "EndpointConfigName": config_name, **more})

    def sum(self, metric: str, **dimensions: str) -> float:
        """The sum of a metric under exactly these dimensions, of all that was handed on."""
        found = [each for each in self.measured if each.name == metric and each.dimensions == dimensions]
        return sum(value * count for each in found for value, count in each.values.items())

    def settled(self, name: str, hosting: Hosting | None = None) -> dict[str, Any]:
        """The description of an endpoint once nothing is in progress."""
        hosting = hosting or self.hosting

        def is_settled() -> bool:
            return hosting.describe_endpoint({"EndpointName": name})["EndpointStatus"] in ("InService", "Failed")

        wait_for(is_settled)
        return hosting.describe_endpoint({"EndpointName": name})

    def statuses(self) -> list[str]:
        """The statuses that the events told, in order."""
        return [event["EndpointStatus"] for event in self.events]


def wait_for(holds: Callable[[], bool], timeout_seconds: float = 20.0) -> None:
    """Return when it holds; fail when it never does."""
    deadline = time.monotonic() + timeout_seconds
    while not holds():
        assert time.monotonic() < deadline, "what was waited for did not come"
        time.sleep(0.02)


class RuntimeServer:
    """The runtime's HTTP surface over a hosting, for a real SDK client."""

    def __init__(self, hosting: Hosting) -> None:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                name = unquote(self.path.split("/")[2])
                status, headers, answer = hosting.invoke(name, dict(self.headers.items()), body)
                self.send_response(status)
                for header, value in {**headers, "Content-Length": str(len(answer))}.items():
                    self.send_header(header, value)
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                """Silence."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
