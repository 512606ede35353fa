"""Script mode: a user's module with the verbs that AWS's framework toolkits call.

``model_fn(model_dir)`` once, then for each request either ``transform_fn(model, data, content_type, accept)`` or
``input_fn(data, content_type)``, ``predict_fn(data, model)`` and ``output_fn(prediction, accept)``. The rules follow
github.com/aws/sagemaker-inference-toolkit (transformer.py), but for the defaults of single frameworks: all the verbs
must be there. Runs inside the container with nothing but the standard library; knows nothing of HTTP servers.
"""

import importlib
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

DECODED_TYPES = ("application/json", "text/csv")
MESSAGE_LIMIT = 500


class HandlerError(Exception):
    """What a client is told about a request that failed: one sentence and an HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Handlers:
    """The loaded module and model of one container."""

    def __init__(self, module: ModuleType, model: object, default_accept: str) -> None:
        self._module = module
        self._model = model
        self._default_accept = default_accept
        self._transform: Callable[..., Any] | None = getattr(module, "transform_fn", None)

    @classmethod
    def load(cls, program: str, model_dir: Path, default_accept: str) -> "Handlers":
        """Import ``program`` (a file below a folder of sys.path) and run its ``model_fn``; raises what they raise."""
        module = importlib.import_module(program.removesuffix(".py").replace("/", "."))
        _check_verbs(module, program)
        return cls(module, module.model_fn(str(model_dir)), default_accept)

    def answer(self, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        """The answer's bytes and content type; HandlerError where the handlers refuse or fail."""
        wanted = accept if accept and accept != "*/*" else self._default_accept
        data: bytes | str = body
        if content_type in DECODED_TYPES:
            try:
                data = body.decode()
            except UnicodeDecodeError as error:
                raise HandlerError(400, f"the body is not UTF-8: {error.reason} at byte {error.start}") from error
        if self._transform is not None:
            result = _run(self._transform, self._model, data, content_type, wanted)
        else:
            decoded = _run(self._module.input_fn, data, content_type)
            prediction = _run(self._module.predict_fn, decoded, self._model)
            result = _run(self._module.output_fn, prediction, wanted)
        payload, answered_type = result if isinstance(result, tuple) else (result, wanted)
        if isinstance(payload, str):
            payload = payload.encode()
        if not isinstance(payload, (bytes, bytearray, memoryview)):
            raise HandlerError(500, f"the handlers answered {type(payload).__name__}, not bytes or text")
        return bytes(payload), str(answered_type)


def _check_verbs(module: ModuleType, program: str) -> None:
    defined = {
        verb for verb in ("model_fn", "transform_fn", "input_fn", "predict_fn", "output_fn") if hasattr(module, verb)
    }
    steps = {"input_fn", "predict_fn", "output_fn"}
    if "transform_fn" in defined and defined & steps:
        raise ValueError(f"{program}: transform_fn cannot be combined with input_fn, predict_fn or output_fn")
    wanted = {"model_fn"} if "transform_fn" in defined else {"model_fn", *steps}
    if missing := sorted(wanted - defined):
        raise ValueError(f"{program} does not define {', '.join(missing)}")


def _run(verb: Callable[..., Any], *arguments: object) -> Any:
    try:
        return verb(*arguments)
    except Exception as error:
        status = refused_status(error)
        if status is not None:
            raise HandlerError(status, one_sentence(getattr(error, "message", None) or str(error))) from error
        traceback.print_exc(file=sys.stderr)
        raise HandlerError(500, one_sentence(f"{verb.__name__} failed with {describe(error)}")) from error


def refused_status(error: Exception) -> int | None:
    """The HTTP status an exception asks for, as sagemaker-inference's BaseInferenceToolkitError carries it."""
    for name in ("status_code", "status"):
        value = getattr(error, name, None)
        if isinstance(value, int) and 400 <= value <= 599:
            return int(value)
    return None


def describe(error: BaseException) -> str:
    """The type and the first line of an exception's message."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def one_sentence(message: object) -> str:
    """The first line of a message, within the length that is sent to clients."""
    lines = str(message).strip().splitlines() or ["the handler gave no reason"]
    return lines[0] if len(lines[0]) <= MESSAGE_LIMIT else lines[0][: MESSAGE_LIMIT - 1] + "…"
