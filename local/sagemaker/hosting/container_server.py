"""One hosted container: SageMaker's ``GET /ping`` and ``POST /invocations`` in front of a model in script mode.

A program of its own, run by the interpreter that stands for AWS's framework images: it may import httptools, the
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
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from local.sagemaker.hosting import container_handlers, container_http, container_packages
else:
    import container_handlers
    import container_http
    import container_packages

MAX_BODY_BYTES = 64 * 1024 * 1024


class Application:
    """The two routes: ready once it has handlers, and at most so many requests at work in them at a time."""

    def __init__(self, *, threads: int) -> None:
        self.handlers: container_handlers.Handlers | None = None
        self._at_work = threading.BoundedSemaphore(threads)

    def answer(self, request: container_http.Request) -> container_http.Response:
        """The answer to one request; nothing is raised."""
        route = request.method, request.path
        if route == ("GET", "/ping"):
            return container_http.Response(status=200) if self.handlers else _NOT_LOADED
        if route != ("POST", "/invocations"):
            return _refusal(404, "only GET /ping and POST /invocations are served")
        if self.handlers is None:
            return _NOT_LOADED
        content_type = request.headers.get("content-type") or "application/json"
        try:
            with self._at_work:
                answer, answered_type = self.handlers.answer(
                    request.body, content_type, request.headers.get("accept", "")
                )
        except container_handlers.HandlerError as error:
            return _refusal(error.status, error.message)
        return container_http.Response(status=200, body=answer, content_type=answered_type)


def _refusal(status: int, message: str) -> container_http.Response:
    return container_http.Response(
        status=status, body=json.dumps({"message": message}).encode(), content_type="application/json"
    )


_NOT_LOADED = _refusal(503, "the model is not loaded yet")


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
    application = Application(threads=arguments.threads)
    server = container_http.Server(application.answer, max_body_bytes=MAX_BODY_BYTES)
    threading.Thread(target=server.run, name="server", daemon=True).start()
    _write(arguments.folder / "port", str(server.port))
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
