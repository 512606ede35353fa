"""One hosted container: SageMaker's ``GET /ping`` and ``POST /invocations`` in front of a model in script mode.

A program of its own, run by the interpreter that stands for AWS's framework images: it may import waitress, the
standard library and the files beside it, nothing of this project else. It answers 503 to a ping until the model is
loaded. Its port goes to the file ``port`` in its folder; when it cannot start, the reason goes to ``failure`` there
and the traceback to standard error. It does not know endpoints, variants or the containers next to it.
"""

import argparse
import importlib.util
import json
import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterable
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import waitress

if TYPE_CHECKING:
    from local.sagemaker.hosting import container_handlers, container_packages
else:
    import container_handlers
    import container_packages

MAX_BODY_BYTES = 64 * 1024 * 1024

StartResponse = Callable[[str, list[tuple[str, str]]], object]


class Application:
    """The WSGI side: ready once it has handlers."""

    def __init__(self) -> None:
        self.handlers: container_handlers.Handlers | None = None

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        status, headers, body = self._answer(environ)
        headers = {**headers, "Content-Length": str(len(body))}
        start_response(f"{status} {HTTPStatus(status).phrase if status in _STATUSES else 'Error'}", [*headers.items()])
        return [body]

    def _answer(self, environ: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        route = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if route == ("GET", "/ping"):
            return (200, {}, b"") if self.handlers else _refusal(503, "the model is not loaded yet")
        if route != ("POST", "/invocations"):
            return _refusal(404, "only GET /ping and POST /invocations are served")
        if self.handlers is None:
            return _refusal(503, "the model is not loaded yet")
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        content_type = environ.get("CONTENT_TYPE") or "application/json"
        try:
            answer, answered_type = self.handlers.answer(body, content_type, environ.get("HTTP_ACCEPT", ""))
        except container_handlers.HandlerError as error:
            return _refusal(error.status, error.message)
        return 200, {"Content-Type": answered_type}, answer


_STATUSES = {status.value for status in HTTPStatus}


def _refusal(status: int, message: str) -> tuple[int, dict[str, str], bytes]:
    return status, {"Content-Type": "application/json"}, json.dumps({"message": message}).encode()


def _end_with_parent(lifeline: Path) -> None:
    specification = importlib.util.spec_from_file_location("lifeline", lifeline)
    if specification is None or specification.loader is None:
        raise ImportError(f"{lifeline} cannot be loaded")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    module.watch()


def _write(path: Path, content: str) -> None:
    """Readers see the whole content or no file."""
    draft = path.with_suffix(".draft")
    draft.write_text(content)
    draft.rename(path)


def _load(model_dir: Path, packages_cache: Path) -> container_handlers.Handlers:
    program = os.environ.get("SAGEMAKER_PROGRAM", "inference.py")
    code = Path(os.environ.get("SAGEMAKER_SUBMIT_DIRECTORY") or model_dir / "code")
    if not (code / program).is_file():
        raise FileNotFoundError(f"the model artifact holds no code/{program}")
    packages = container_packages.install(code, packages_cache)
    if packages is not None:
        container_packages.put_on_path(packages)
    sys.path.insert(0, str(code))
    accept = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", "application/json")
    return container_handlers.Handlers.load(program, model_dir, accept)


def main() -> int:
    """Serve until killed; 1 where the model cannot be loaded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--packages", type=Path, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--lifeline", type=Path, required=True)
    arguments = parser.parse_args()
    _end_with_parent(arguments.lifeline)
    # The handlers' own modules must never be mistaken for the ones beside this file.
    here = Path(__file__).resolve().parent
    sys.path[:] = [entry for entry in sys.path if not entry or Path(entry).resolve() != here]
    application = Application()
    server = waitress.create_server(
        application,
        host="127.0.0.1",
        port=0,
        threads=arguments.threads,
        max_request_body_size=MAX_BODY_BYTES,
        inbuf_overflow=MAX_BODY_BYTES,
        outbuf_overflow=MAX_BODY_BYTES,
        channel_timeout=3600,
        ident=None,
    )
    threading.Thread(target=server.run, name="server", daemon=True).start()
    _write(arguments.folder / "port", str(server.effective_port))
    try:
        application.handlers = _load(arguments.model, arguments.packages)
    except Exception as error:
        traceback.print_exc()
        _write(arguments.folder / "failure", container_handlers.one_sentence(container_handlers.describe(error)))
        return 1
    print("The model is loaded.", flush=True)
    threading.Event().wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
