"""SageMaker's `GET /ping` and `POST /invocations` in front of all three stages in one process.

`python -m one_container.server`: the entry point of the image. Answers pings with 200 only once the model has passed
its self-tests, and ends with 1 and a sentence where it does not. Knows HTTP; the verbs know the rest.
"""

import argparse
import json
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable
from http import HTTPStatus
from pathlib import Path
from typing import Any

import waitress

from model_artifact import UnsafeArtifactError
from one_container.release_folder import ReleaseFolderError, ready_folder
from training_code.containers import serve_all
from training_code.containers.content_types import JSON
from training_code.containers.errors import RequestError

MODEL_DIR = "/opt/ml/model"
PORT = 8080
MAXIMUM_BODY_BYTES = 64 * 1024 * 1024

StartResponse = Callable[[str, list[tuple[str, str]]], object]


class Application:
    """The WSGI side; it serves once `served` is set."""

    def __init__(self) -> None:
        self.served: serve_all.Served | None = None

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        status, content_type, body = self._answer(environ)
        headers = [("Content-Type", content_type), ("Content-Length", str(len(body)))]
        start_response(f"{status} {HTTPStatus(status).phrase}", headers)
        return [body]

    def _answer(self, environ: dict[str, Any]) -> tuple[int, str, bytes]:
        route = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if route == ("GET", "/ping"):
            return (200, JSON, b"") if self.served else _refusal(503, "The model is not loaded yet.")
        if route != ("POST", "/invocations"):
            return _refusal(404, "Only GET /ping and POST /invocations are served.")
        if self.served is None:
            return _refusal(503, "The model is not loaded yet.")
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        try:
            request = serve_all.input_fn(body, environ.get("CONTENT_TYPE") or JSON)
            answers = serve_all.predict_fn(request, self.served)
            answer, content_type = serve_all.output_fn(answers, environ.get("HTTP_ACCEPT", ""))
        except RequestError as error:
            return _refusal(error.status_code, error.message)
        return 200, content_type, answer


def _refusal(status: int, message: str) -> tuple[int, str, bytes]:
    return status, JSON, json.dumps({"message": message}).encode()


def main(arguments: list[str] | None = None) -> int:
    """Serve until killed; 1 where the model cannot be loaded."""
    parser = argparse.ArgumentParser(prog="python -m one_container.server", description=__doc__)
    parser.add_argument("--model", type=Path, default=Path(MODEL_DIR), help=f"the release's folder ({MODEL_DIR})")
    parser.add_argument("--host", default="0.0.0.0", help="the address to listen on")  # noqa: S104 - a container's own
    parser.add_argument("--port", type=int, default=PORT, help=f"the port to listen on ({PORT})")
    # SageMaker runs an image with the one argument `serve`.
    parser.add_argument("command", nargs="?", choices=["serve"], default="serve")
    chosen = parser.parse_args(arguments)
    application = Application()
    server = waitress.create_server(
        application,
        host=chosen.host,
        port=chosen.port,
        threads=max(4, 2 * (os.cpu_count() or 1)),
        max_request_body_size=MAXIMUM_BODY_BYTES,
        inbuf_overflow=MAXIMUM_BODY_BYTES,
        outbuf_overflow=MAXIMUM_BODY_BYTES,
        ident=None,
    )
    threading.Thread(target=server.run, name="server", daemon=True).start()
    print(f"listening on port {server.effective_port}", flush=True)
    with tempfile.TemporaryDirectory(prefix="earshot-") as work:
        try:
            application.served = serve_all.model_fn(str(ready_folder(chosen.model, Path(work))))
        except (ReleaseFolderError, UnsafeArtifactError, RuntimeError) as error:
            print(f"one_container: {error}", file=sys.stderr, flush=True)
            return 1
        print("the model is loaded", flush=True)
        threading.Event().wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
