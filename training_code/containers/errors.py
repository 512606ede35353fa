"""What a container says when it cannot take a request as a whole. A single bad line is no such error.

Knows nothing of HTTP servers: a toolkit reads `status_code` and the message.
"""


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
