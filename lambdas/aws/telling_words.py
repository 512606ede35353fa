"""The words that carried the model's decision, asked of the endpoint. None where it is away: they are an extra.

It does not know what they are asked for.
"""

import json
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from feedback.strict_json import BrokenJsonError, parse
from lambdas.aws.clients import Client
from lambdas.aws.endpoint import JSON_LINES
from lambdas.telemetry import log_error

WORD_LIMIT: Final = 5

_ANSWER_LIMIT_BYTES: Final = 64 * 1024


class TellingWords:
    """Asks the endpoint to explain. The client is to give up after about two seconds, at its first attempt."""

    def __init__(self, *, endpoint: str, runtime: Client) -> None:
        self._endpoint = endpoint
        self._runtime = runtime

    def of(self, feedback_id: str, text: str) -> list[str]:
        """The most telling words first."""
        body = json.dumps({"id": feedback_id, "text": text, "explain": True}) + "\n"
        try:
            answer = self._runtime.invoke_endpoint(
                EndpointName=self._endpoint, ContentType=JSON_LINES, Accept=JSON_LINES, Body=body.encode("ascii")
            )
            content: bytes = answer["Body"].read(_ANSWER_LIMIT_BYTES)
            return _words(content)
        except (ClientError, BotoCoreError, UnicodeDecodeError, BrokenJsonError) as error:
            log_error("The model did not explain itself.", error, feedback_id=feedback_id)
            return []


def _words(content: bytes) -> list[str]:
    line = parse(content.decode("utf-8"))
    found = line.get("explanation") if isinstance(line, dict) else None
    if not isinstance(found, list):
        return []
    words = [each.get("word") for each in found if isinstance(each, dict)]
    return [word for word in words if isinstance(word, str)][:WORD_LIMIT]
