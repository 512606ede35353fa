"""The model's endpoint: a batch of texts in, one outcome per text back, in order, within stated limits.

boto3 would try a hung endpoint several times for 60 seconds each, and never try a container's error again, since every
one of them arrives as the same ``ModelError``; so attempts are counted here, by class of error. It does not know what
a failure means for a feedback.
"""

import json
import time
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, ReadTimeoutError

from feedback.prediction import MalformedAnswerError, Outcome, parse_answer
from lambdas.aws.clients import Client

JSON_LINES: Final = "application/jsonlines"

_ANSWER_LIMIT_BYTES: Final = 4 * 1024 * 1024
_BUSY_CODES: Final = frozenset(
    {
        "ThrottlingException",
        "Throttling",
        "TooManyRequestsException",
        "ModelNotReadyException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "InternalFailure",
        "InternalDependencyException",
    }
)


class EndpointFailure(Enum):
    """Why there was no answer. Only BUSY is worth an immediate second attempt; REFUSED is about the texts sent."""

    TIMEOUT = "timeout"
    BUSY = "busy"
    BROKEN = "broken"
    MISSING = "missing"
    REFUSED = "refused"


class EndpointUnavailableError(RuntimeError):
    """The endpoint gave no usable answer for the batch."""

    def __init__(self, failure: EndpointFailure) -> None:
        super().__init__(f"The endpoint gave no answer ({failure.value}).")
        self.failure = failure


class Endpoint:
    """The sentiment endpoint. ``attempts`` bounds the tries of one batch; the client's own must be one.

    With a ``variant`` it is always that production variant that answers, whatever the weights are.
    """

    def __init__(
        self,
        *,
        name: str,
        runtime: Client,
        variant: str | None = None,
        attempts: int = 1,
        pause_seconds: float = 0.2,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._name = name
        self._target = {} if variant is None else {"TargetVariant": variant}
        self._runtime = runtime
        self._attempts = attempts
        self._pause_seconds = pause_seconds
        self._sleep = sleep

    def admits(self) -> bool:
        """Whether it may be asked now: always, where nothing guards it."""
        return True

    def classify(self, texts: Sequence[tuple[str, str]]) -> list[Outcome]:
        """One outcome per (id, text), in order; EndpointUnavailableError when the batch has no usable answer."""
        body = "".join(json.dumps({"id": id_, "text": text}) + "\n" for id_, text in texts).encode("ascii")
        for attempt in range(1, self._attempts + 1):
            try:
                return self._invoke(body, [id_ for id_, _ in texts])
            except EndpointUnavailableError as error:
                if error.failure is not EndpointFailure.BUSY or attempt == self._attempts:
                    raise
                self._sleep(self._pause_seconds * attempt)
        raise AssertionError("the last attempt returns or raises")

    def _invoke(self, body: bytes, ids: list[str]) -> list[Outcome]:
        try:
            answer = self._runtime.invoke_endpoint(
                EndpointName=self._name, ContentType=JSON_LINES, Accept=JSON_LINES, Body=body, **self._target
            )
            content: bytes = answer["Body"].read(_ANSWER_LIMIT_BYTES)
            return parse_answer(content, ids=ids)
        except ClientError as error:
            raise EndpointUnavailableError(_failure_of(error)) from error
        except (ReadTimeoutError, ConnectTimeoutError) as error:
            raise EndpointUnavailableError(EndpointFailure.TIMEOUT) from error
        except BotoCoreError as error:  # refused, reset and cut connections
            raise EndpointUnavailableError(EndpointFailure.BUSY) from error
        except MalformedAnswerError as error:
            raise EndpointUnavailableError(EndpointFailure.BROKEN) from error


def _failure_of(error: ClientError) -> EndpointFailure:
    code = error.response["Error"]["Code"]
    if code == "ModelError":  # 424: what the container said is inside
        status = int(error.response.get("OriginalStatusCode", 500))
        if status in (408, 429, 503):
            return EndpointFailure.BUSY
        return EndpointFailure.REFUSED if 400 <= status < 500 else EndpointFailure.BROKEN
    if code in _BUSY_CODES:
        return EndpointFailure.BUSY
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500))
    return EndpointFailure.BUSY if status in (429, 500, 502, 503, 504, 530) else EndpointFailure.MISSING
