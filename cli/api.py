"""The feedback API as a client sees it: signed requests and JSON answers.

Responsible for SigV4 and for telling refusals from failures. It does not know what the API does with a feedback.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from cli.connection import AwsConnection
from cli.errors import BadInput, NotReady, Problem
from cli.up import api_url

TIMEOUT_SECONDS = 35.0


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any


class FeedbackApi:
    """POST and GET of feedback, signed with the stage's credentials."""

    def __init__(self, connection: AwsConnection) -> None:
        self._connection = connection
        self._url = api_url(connection)

    def send(self, feedback: dict[str, Any]) -> Answer:
        """One feedback; 200 classified, 202 accepted."""
        return self._accepted(self.call("POST", "/v1/feedback", feedback))

    def send_batch(self, items: list[dict[str, Any]]) -> Answer:
        """Up to 100 at once."""
        return self._accepted(self.call("POST", "/v1/feedback/batch", {"items": items}))

    def fetch(self, feedback_id: str) -> Answer:
        """State and sentiment of one feedback."""
        return self._accepted(self.call("GET", f"/v1/feedback/{quote(feedback_id, safe='')}", None))

    def call(self, method: str, path: str, payload: object) -> Answer:
        """Any answer, refusals included."""
        import urllib3
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest

        body = None if payload is None else json.dumps(payload).encode()
        request = AWSRequest(method=method, url=self._url + path, data=body)
        if body is not None:
            request.headers["Content-Type"] = "application/json"
        credentials = self._connection.session.get_credentials()
        if credentials is None:
            raise NotReady("No AWS credentials were found: sign in (for instance `aws sso login`) or set AWS_PROFILE.")
        SigV4Auth(credentials.get_frozen_credentials(), "execute-api", self._connection.region).add_auth(request)
        with urllib3.PoolManager() as pool:
            try:
                answer = pool.request(
                    method,
                    request.url,
                    body=body,
                    headers=dict(request.headers),
                    timeout=TIMEOUT_SECONDS,
                    retries=False,
                )
            except urllib3.exceptions.HTTPError as error:
                raise NotReady(f"The API at {self._url} does not answer ({type(error).__name__}).") from None
        try:
            return Answer(answer.status, json.loads(answer.data))
        except ValueError:
            raise Problem(f"The API answered {answer.status} with something that is not JSON.") from None

    @staticmethod
    def _accepted(answer: Answer) -> Answer:
        if answer.status < 400:
            return answer
        details = answer.body if isinstance(answer.body, dict) else {}
        reason = details.get("detail") or details.get("title") or details.get("message") or "no reason was given"
        errors = tuple(str(entry) for entry in details.get("errors", []))
        kind = BadInput if answer.status < 500 and answer.status not in {401, 403, 429} else Problem
        raise kind(f"The API answered {answer.status}: {reason}", details=errors)
