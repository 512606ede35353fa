"""The endpoint: healthy, or sick in any of the ways of ``faults.runtime``. It knows no transport."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.simulation.errors import late, lost, refusal
from faults.runtime import HANG_SECONDS, SLOW_SECONDS, Mode, failure_of, prediction_of, spoiled

Arguments = Mapping[str, Any]
HEALTHY_SECONDS = 0.04
POISON = "poisonous"
"""A text with this word ends the container's process, whoever else is in the batch."""
UNREADABLE = "unreadable"
"""A text with this word gets a final failure for its line."""


class Model:
    """The calls of sagemaker-runtime's client. ``questions`` counts those that ask for more than an explanation."""

    def __init__(self) -> None:
        self.mode: Callable[[], Mode] = lambda: Mode.HEALTHY
        self.calm_mode = Mode.HEALTHY
        self.calls = 0
        self.questions = 0

    def seconds(self) -> float:
        """How long the answer to the next call takes."""
        return {Mode.HANG: HANG_SECONDS, Mode.SLOW: SLOW_SECONDS}.get(self.mode(), HEALTHY_SECONDS)

    def invoke_endpoint(self, call: Arguments) -> dict[str, Any]:
        self.calls += 1
        lines = [json.loads(line) for line in call["Body"].splitlines()]
        self.questions += not any(line.get("explain") for line in lines)
        mode = self.mode()
        if mode is Mode.RESET:
            raise lost()
        if mode is Mode.HANG:
            raise late()
        if mode is Mode.HTML_502:
            raise refusal("502", "InvokeEndpoint", status=502)
        if (failure := failure_of(mode)) is not None:
            status, code, original = failure
            more = {} if original is None else {"OriginalStatusCode": original}
            raise refusal(code, "InvokeEndpoint", status=status, **more)
        if any(POISON in line["text"] for line in lines):
            raise refusal("ModelError", "InvokeEndpoint", status=424, OriginalStatusCode=400)
        unreadable = {line["id"] for line in lines if UNREADABLE in line["text"]}
        predictions = spoiled(mode, [prediction_of(line) for line in lines])
        answers = [_failure(each) if each["id"] in unreadable else each for each in predictions]
        body = "".join(json.dumps(answer) + "\n" for answer in answers).encode()
        return {"Body": io.BytesIO(body[: len(body) // 2] if mode is Mode.TRUNCATED else body)}


def _failure(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": answer["id"], "error": {"code": "empty_text", "message": "The text is empty."}}
