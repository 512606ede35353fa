"""Words the answers of intake as API Gateway wants them. It decides nothing."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from feedback.ledger import Entry, State
from feedback.problem import CONTENT_TYPE, Problem
from feedback.sentiment import UNSURE
from lambdas.intake.acceptance import Answer

_RETRY_AFTER_SECONDS: Final = {"in-flight": 1, "unavailable": 5}

_SECURITY_HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def feedback_response(answer: Answer, *, is_async: bool = False) -> dict[str, Any]:
    """The answer to one feedback: 200 once decided, 202 while it waits, a problem otherwise."""
    if isinstance(answer, Problem):
        return problem_response(answer)
    applied = {"Preference-Applied": "respond-async"} if is_async else {}
    return _response(_status(answer.entry), view(answer.entry), applied)


def batch_response(answers: Sequence[Answer], *, is_async: bool = False) -> dict[str, Any]:
    """200 with one result per item, in order; a problem only where not one item could be taken in."""
    results = [_result(answer) for answer in answers]
    if all(isinstance(answer, Problem) and answer.status >= 500 for answer in answers):
        return problem_response(Problem(kind="unavailable", detail="Nothing of the batch was accepted. Send it again."))
    applied = {"Preference-Applied": "respond-async"} if is_async else {}
    return _response(200, {"results": results}, applied)


def document_response(document: Mapping[str, Any]) -> dict[str, Any]:
    """200 with a document that is not ours to word."""
    return _response(200, document)


def entry_response(entry: Entry) -> dict[str, Any]:
    """What is known of a feedback that was accepted before."""
    document = view(entry) | {"received_at": entry.event.received_at}
    if entry.decided_at is not None:
        document["decided_at"] = entry.decided_at
    return _response(200, document)


def problem_response(problem: Problem) -> dict[str, Any]:
    """A refusal."""
    headers = {"Content-Type": CONTENT_TYPE}
    if problem.kind in _RETRY_AFTER_SECONDS:
        headers["Retry-After"] = str(_RETRY_AFTER_SECONDS[problem.kind])
    return _response(problem.status, problem.to_document(), headers)


def view(entry: Entry) -> dict[str, Any]:
    """A feedback as its sender sees it."""
    document: dict[str, Any] = {"id": entry.event.id, "state": entry.state.value}
    if entry.state is State.RECEIVED:
        document["status_url"] = f"/v1/feedback/{entry.event.id}"
    if entry.failure is not None:
        document["failure"] = entry.failure
    if entry.prediction is not None:
        document |= entry.prediction.to_document()
    elif entry.state is State.UNSURE:
        document |= {"sentiment": None, "label": UNSURE}
    if entry.unsure_because is not None:
        document["unsure_because"] = entry.unsure_because
    if entry.correction is not None:
        correction = entry.correction.to_document()
        document |= {"sentiment": correction["sentiment"], "label": correction["label"], "correction": correction}
    return document


def _result(answer: Answer) -> dict[str, Any]:
    if isinstance(answer, Problem):
        return {"status": answer.status, "problem": answer.to_document()}
    return {"status": _status(answer.entry), **view(answer.entry)}


def _status(entry: Entry) -> int:
    return 200 if entry.state.is_decided else 202


def _response(status: int, document: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json", **_SECURITY_HEADERS, **(headers or {})},
        "body": json.dumps(document),
    }
