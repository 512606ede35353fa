"""One container under one serving toolkit, as a child process: a request a line on stdin, an answer a line on stdout.

Run by path in the environment that holds AWS's toolkits, with the name of the toolkit, an unpacked artifact, a folder
for installed packages and the folder of the local hosting's own code. Each toolkit is driven through the class that its
model server calls, with the little that the server gives it. Standard library and the toolkits alone.
"""

import base64
import collections
import collections.abc
import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any, Protocol


class Server(Protocol):
    """Status, content type and body for a request."""

    def ask(self, body: bytes, headers: dict[str, str]) -> tuple[int, str, bytes]: ...


class LocalHost:
    """What the local SageMaker's own container does."""

    def __init__(self, model: Path) -> None:
        import container_handlers  # type: ignore[import-not-found]

        self._refusal = container_handlers.HandlerError
        self._handlers = container_handlers.Handlers.load("inference.py", model, "application/json")

    def ask(self, body: bytes, headers: dict[str, str]) -> tuple[int, str, bytes]:
        try:
            answer, answered_type = self._handlers.answer(body, headers["Content-Type"], headers.get("Accept", ""))
        except self._refusal as error:
            return error.status, "application/json", error.message.encode()
        return 200, answered_type, answer


class Context:
    """What multi-model-server hands to a handler service: properties, one request's headers, and its answer's."""

    def __init__(self, model: Path) -> None:
        self.system_properties = {"model_dir": str(model), "gpu_id": None, "batch_size": 1}
        self.request_processor = [self]
        self.metrics = self
        self.headers: dict[str, str] = {}
        self.status, self.content_type = 200, ""

    def get_request_properties(self) -> dict[str, str]:
        return self.headers

    def set_response_content_type(self, _index: int, content_type: str) -> None:
        self.content_type = content_type

    def set_response_status(self, *, code: int, phrase: str) -> None:
        assert "\n" not in phrase
        self.status = code

    def add_time(self, *_measured: object) -> None:
        """Metrics go nowhere."""


class ModelServer:
    """multi-model-server before a handler service, which has `initialize` and `handle`."""

    def __init__(self, service: Any, model: Path) -> None:
        self._service = service
        self._context = Context(model)
        service.initialize(self._context)

    def ask(self, body: bytes, headers: dict[str, str]) -> tuple[int, str, bytes]:
        from mms.service import PredictionException  # type: ignore[import-not-found]

        self._context.headers, self._context.status = headers, 200
        try:
            (answer,) = self._service.handle([{"body": bytearray(body)}], self._context)
        except PredictionException as error:
            return error.error_code, "text/plain", error.message.encode()
        if not isinstance(answer, str | bytes | bytearray):  # the server would make JSON of it
            return 500, "text/plain", f"a {type(answer).__name__} is no body".encode()
        body = answer.encode() if isinstance(answer, str) else bytes(answer)
        return self._context.status, self._context.content_type, body


def sagemaker_inference(model: Path) -> Server:
    from sagemaker_inference.default_handler_service import DefaultHandlerService  # type: ignore[import-not-found]

    return ModelServer(DefaultHandlerService(), model)


def huggingface(model: Path) -> Server:
    from sagemaker_huggingface_inference_toolkit.handler_service import (  # type: ignore[import-not-found]
        HuggingFaceHandlerService,
    )

    class OnProcessor(HuggingFaceHandlerService):  # type: ignore[misc]
        """There is no torch in this environment to ask for a GPU."""

        def get_device(self) -> int:
            return -1

    return ModelServer(OnProcessor(), model)


class ScikitLearn:
    """sagemaker-containers' Flask worker, put together as the scikit-learn container does.

    https://github.com/aws/sagemaker-scikit-learn-container/blob/master/src/sagemaker_sklearn_container/serving.py
    """

    def __init__(self, model: Path) -> None:
        for name in ("Callable", "Iterable", "Mapping", "MutableMapping", "Sequence"):
            setattr(collections, name, getattr(collections.abc, name))  # gone from there with Python 3.10
        os.environ["SAGEMAKER_BASE_DIR"] = str(model.parent)
        # Past `beta.framework`, which names the same two but also imports what only training needs.
        from sagemaker_containers import _env, _transformer, _worker  # type: ignore[import-not-found]

        assert _env.model_dir == str(model)
        module = importlib.import_module("inference")
        verbs = _transformer.Transformer(module.model_fn, module.input_fn, module.predict_fn, module.output_fn)
        verbs.initialize()
        self._client = _worker.Worker(transform_fn=verbs.transform, module_name="inference").test_client()

    def ask(self, body: bytes, headers: dict[str, str]) -> tuple[int, str, bytes]:
        answer = self._client.post("/invocations", data=body, headers=headers)
        return answer.status_code, answer.headers["Content-Type"], answer.data


TOOLKITS = {
    "local": LocalHost,
    "sagemaker-inference": sagemaker_inference,
    "huggingface": huggingface,
    "scikit-learn": ScikitLearn,
}


def main(toolkit: str, model: Path, packages: Path, hosting: Path) -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints must not get between the answers
    sys.path.insert(0, str(hosting))
    import container_packages  # type: ignore[import-not-found]

    if (installed := container_packages.install(model / "code", packages)) is not None:
        container_packages.put_on_path(installed)
    sys.path.insert(0, str(model / "code"))
    os.environ |= {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": str(model / "code")}
    server: Server = TOOLKITS[toolkit](model)
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        status, content_type, body = server.ask(base64.b64decode(request["body"]), request["headers"])
        answer = {"status": status, "content_type": content_type, "body": base64.b64encode(body).decode()}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], *map(Path, sys.argv[2:5]))
