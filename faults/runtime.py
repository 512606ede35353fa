"""A SageMaker runtime that is as sick as it is told to be: `python -m faults.runtime --port 8600 --mode hang`.

Serves InvokeEndpoint over the endpoint's contract of JSON lines. PUT /_faults {"mode": ...} changes the mode at run
time, GET /_faults tells it and counts the calls. Healthy answers come from a handful of words, so that a test can tell
a right label from a wrong one. Knows no model, and keeps nothing of a request.
"""

import argparse
import json
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any, NamedTuple

from faults.server import Handler, Server
from feedback.sentiment import CLASSES, LABELS, Sentiment

MODEL_VERSION = "faults-runtime"
HANG_SECONDS = 70.0
"""Longer than SageMaker lets a container take."""
SLOW_SECONDS = 1.0

_JSON = {"Content-Type": "application/json"}
_LINES = {"Content-Type": "application/jsonlines"}
_POSITIVE = frozenset({"excellent", "good", "great", "happy", "love", "perfect"})
_NEGATIVE = frozenset({"awful", "bad", "broken", "hate", "late", "poor", "terrible"})


class Mode(Enum):
    """What the runtime does with a call."""

    HEALTHY = "healthy"
    SLOW = "slow"
    HANG = "hang"
    RESET = "reset"
    MODEL_ERROR_4XX = "model-error-4xx"
    MODEL_ERROR_5XX = "model-error-5xx"
    NOT_READY = "not-ready"
    THROTTLED = "throttled"
    INTERNAL = "500"
    UNAVAILABLE = "503"
    ORIGIN_DOWN = "530"
    HTML_502 = "html-502"
    TRUNCATED = "truncated"
    WRONG_SCHEMA = "wrong-schema"
    NAN = "nan"
    FEWER = "fewer"
    WRONG_ORDER = "wrong-order"


_ERRORS: Mapping[Mode, tuple[int, str]] = {
    Mode.MODEL_ERROR_4XX: (424, "ModelError"),
    Mode.MODEL_ERROR_5XX: (424, "ModelError"),
    Mode.NOT_READY: (429, "ModelNotReadyException"),
    Mode.THROTTLED: (429, "ThrottlingException"),
    Mode.INTERNAL: (500, "InternalFailure"),
    Mode.UNAVAILABLE: (503, "ServiceUnavailable"),
    Mode.ORIGIN_DOWN: (530, "InternalDependencyException"),
}
_ORIGINAL_STATUS = {Mode.MODEL_ERROR_4XX: 400, Mode.MODEL_ERROR_5XX: 500}


class Failure(NamedTuple):
    """A call that fails as a whole; ``original_status`` is the container's own, where it was asked."""

    status: int
    code: str
    original_status: int | None


def failure_of(mode: Mode) -> Failure | None:
    """The error that a mode answers with; None for the modes that answer with lines, late, or not at all."""
    if mode not in _ERRORS:
        return None
    status, code = _ERRORS[mode]
    return Failure(status, code, _ORIGINAL_STATUS.get(mode))


def sentiment_of(text: str) -> Sentiment:
    """The healthy answer's sentiment."""
    words = set(text.lower().replace(".", " ").replace(",", " ").split())
    if words & _NEGATIVE:
        return Sentiment.NEGATIVE
    return Sentiment.POSITIVE if words & _POSITIVE else Sentiment.NEUTRAL


def prediction_of(line: Mapping[str, Any]) -> dict[str, Any]:
    """One healthy answer line for one request line."""
    sentiment = sentiment_of(str(line["text"]))
    likely = {each: 0.9 if each is sentiment else 0.05 for each in CLASSES}
    return {
        "id": line["id"],
        "sentiment": int(sentiment),
        "label": sentiment.label,
        "confidence": 0.9,
        "probabilities": dict(zip(LABELS, (likely[each] for each in CLASSES), strict=True)),
        "model_version": MODEL_VERSION,
    }


class Runtime(Server):
    """The fake, with its mode and the number of calls so far."""

    def __init__(self, *, mode: Mode = Mode.HEALTHY, port: int = 0, hang_seconds: float = HANG_SECONDS) -> None:
        super().__init__(_RuntimeHandler, port=port)
        self.mode = mode
        self.hang_seconds = hang_seconds
        self.calls = 0
        self._lock = threading.Lock()

    def count(self) -> Mode:
        """Count one call; the mode that it meets."""
        with self._lock:
            self.calls += 1
            return self.mode


class _RuntimeHandler(Handler):
    server: Runtime

    def answer(self, body: bytes) -> None:
        if self.path == "/_faults":
            self._control(body)
        elif self.command == "POST" and self.path.startswith("/endpoints/") and self.path.endswith("/invocations"):
            self._invoke(self.server.count(), body)
        else:
            self._fail(404, "UnknownOperationException")

    def _control(self, body: bytes) -> None:
        if self.command == "PUT":
            try:
                self.server.mode = Mode(json.loads(body)["mode"])
            except (ValueError, LookupError, TypeError):
                modes = ", ".join(mode.value for mode in Mode)
                self.send(400, json.dumps({"message": f"mode is one of {modes}"}).encode(), _JSON)
                return
        self.send(200, json.dumps({"mode": self.server.mode.value, "calls": self.server.calls}).encode(), _JSON)

    def _invoke(self, mode: Mode, body: bytes) -> None:
        failure = failure_of(mode)
        if failure is not None:
            self._fail(failure.status, failure.code, original=failure.original_status)
        elif mode is Mode.HTML_502:
            self.send(502, b"<html><body><h1>502 Bad Gateway</h1></body></html>", {"Content-Type": "text/html"})
        elif mode is Mode.RESET:
            self.reset()
        elif mode is Mode.HANG:
            self.wait(self.server.hang_seconds)
            self.reset()
        else:
            if mode is Mode.SLOW:
                self.wait(SLOW_SECONDS)
            self._predict(mode, body)

    def _predict(self, mode: Mode, body: bytes) -> None:
        try:
            predictions = [prediction_of(json.loads(line)) for line in body.splitlines()]
        except (ValueError, LookupError, TypeError):
            self._fail(424, "ModelError", original=400)
            return
        content = _worded(spoiled(mode, predictions))
        if mode is Mode.TRUNCATED:
            self.send(200, content, _LINES, keep_bytes=len(content) // 2)
        else:
            self.send(200, content, _LINES)

    def _fail(self, status: int, code: str, *, original: int | None = None) -> None:
        document: dict[str, Any] = {"Message": f"{code}, as it was asked for"}
        if original is not None:
            document |= {"OriginalStatusCode": original, "OriginalMessage": "as it was asked for"}
        self.send(status, json.dumps(document).encode(), _JSON | {"x-amzn-ErrorType": code})


Predictions = list[dict[str, Any]]


def _without_label(predictions: Predictions) -> Predictions:
    return [{"id": each["id"], "score": each["confidence"], "class": each["label"]} for each in predictions]


def _with_nan(predictions: Predictions) -> Predictions:
    return [each | {"confidence": float("nan")} for each in predictions]


def _fewer(predictions: Predictions) -> Predictions:
    return predictions[:-1]


def _in_wrong_order(predictions: Predictions) -> Predictions:
    """Another order; where there is one line only, it is about another feedback."""
    if len(predictions) > 1:
        return predictions[1:] + predictions[:1]
    return [each | {"id": f"not-{each['id']}"} for each in predictions]


_SPOILED: Mapping[Mode, Callable[[Predictions], Predictions]] = {
    Mode.WRONG_SCHEMA: _without_label,
    Mode.NAN: _with_nan,
    Mode.FEWER: _fewer,
    Mode.WRONG_ORDER: _in_wrong_order,
}


def spoiled(mode: Mode, predictions: Predictions) -> Predictions:
    """The answer lines as a mode sends them; unchanged in the modes that do not touch them."""
    return _SPOILED.get(mode, list)(predictions)


def _worded(predictions: Iterable[Mapping[str, Any]]) -> bytes:
    return "".join(json.dumps(each) + "\n" for each in predictions).encode()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m faults.runtime", description="A SageMaker runtime that is sick.")
    parser.add_argument("--port", type=int, default=8600)
    parser.add_argument("--mode", choices=[mode.value for mode in Mode], default=Mode.HEALTHY.value)
    parser.add_argument("--hang-seconds", type=float, default=HANG_SECONDS)
    chosen = parser.parse_args(arguments)
    try:
        runtime = Runtime(mode=Mode(chosen.mode), port=chosen.port, hang_seconds=chosen.hang_seconds)
    except OSError as error:
        print(f"Port {chosen.port} cannot be listened on: {error.strerror}.", file=sys.stderr)
        return 2
    with runtime:
        print(f"{runtime.url} is {chosen.mode}; PUT {runtime.url}/_faults changes it. End with Ctrl-C.", flush=True)
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            return 0


if __name__ == "__main__":
    sys.exit(main())
