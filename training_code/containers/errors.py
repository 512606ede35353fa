"""What a container says when it cannot take a request as a whole. A single bad line is no such error.

Knows nothing of HTTP servers: a toolkit reads `status_code` and the message.
"""

from __future__ import annotations

import functools
import sys
import traceback
from collections.abc import Callable
from typing import TypeVar

First = TypeVar("First")
Second = TypeVar("Second")
Answer = TypeVar("Answer")


class RequestError(ValueError):
    """A request that cannot be answered; the message is one sentence and quotes nothing of the request's text."""

    def __init__(self, status_code: int, message: str) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.message = message


def malformed(message: str) -> RequestError:
    return RequestError(400, message)


def unsupported(content_type: str, supported: str) -> RequestError:
    return RequestError(415, f"The content type {content_type[:100]!r} is not understood here; send {supported}.")


def answering(verb: Callable[[First, Second], Answer]) -> Callable[[First, Second], Answer]:
    """A verb that fails with a RequestError or not at all.

    Toolkits send a handler's exception to the client, and its message may hold what a customer wrote. So a failure of
    our own becomes one sentence for the client, and a traceback without any message in the container's log.
    """

    @functools.wraps(verb)
    def answered(first: First, second: Second) -> Answer:
        try:
            return verb(first, second)
        except RequestError:
            raise
        except MemoryError:
            raise RequestError(507, "The request needs more memory than the container has; send fewer lines.") from None
        except Exception as error:
            kind = type(error).__name__
            sys.stderr.write(
                f"{verb.__name__} failed with {kind}:\n{''.join(traceback.format_tb(error.__traceback__))}"
            )
            raise RequestError(500, f"The container failed with {kind} in {verb.__name__}.") from None

    return answered
