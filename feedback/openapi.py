"""The API in OpenAPI 3.1, made from the schemas of what clients send and the kinds of problems.

It is the one description of the routes for people and tools; a contract test holds it against what the handler does. It
does not know where the API is: that is up to whoever serves it.
"""

from typing import Any, Final

from feedback.ledger import AlertState, State
from feedback.problem import CONTENT_TYPE, Problem
from feedback.schema import BATCH_LIMIT, JsonSchema, correction_schema, feedback_schema
from feedback.sentiment import LABELS, UNSURE

PATH: Final = "/v1/openapi.json"

_ID: Final = {"$ref": "#/components/parameters/Id"}
_REFUSALS: Final = ("malformed", "too-large", "unsupported-media-type", "unusable")
_PREFER: Final = {
    "name": "Prefer",
    "in": "header",
    "description": "respond-async: answer 202 as soon as it is accepted, without asking the model (RFC 7240).",
    "schema": {"type": "string"},
}
_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": 'The id of the feedback, in double quotes, in place of "id" in the body.',
    "schema": {"type": "string"},
    "example": '"order-1001"',
}
_APPLIED: Final = {"Preference-Applied": {"schema": {"type": "string", "enum": ["respond-async"]}}}


def describe() -> dict[str, Any]:
    """The document, as JSON values."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Earshot",
            "version": "1",
            "description": "Takes in what customers say, once, and answers with its sentiment. Requests are signed with"
            " AWS Signature Version 4 for the service execute-api.",
        },
        "paths": _paths(),
        "components": {
            "parameters": {"Id": {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}},
            "responses": {"Problem": _content("A refusal.", "Problem", media_type=CONTENT_TYPE)},
            "schemas": _schemas(),
            "securitySchemes": {
                "signature": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "x-amazon-apigateway-authtype": "awsSigv4",
                }
            },
        },
        "security": [{"signature": []}],
    }


def _paths() -> dict[str, Any]:
    decided = _content("Decided.", "Decision") | {"headers": _APPLIED}
    waits = _content("Accepted: the model has not answered yet.", "Decision") | {"headers": _APPLIED}
    return {
        "/v1/feedback": {
            "post": _operation(
                "takeIn",
                "Take in one feedback",
                {"200": decided, "202": waits},
                body="Feedback",
                parameters=[_PREFER, _KEY],
                problems=(*_REFUSALS, "id-reused", "in-flight"),
            )
        },
        "/v1/feedback/batch": {
            "post": _operation(
                "takeInBatch",
                f"Take in up to {BATCH_LIMIT} feedbacks, each by itself",
                {"200": _content("One result per item, in order.", "Results") | {"headers": _APPLIED}},
                body="Batch",
                parameters=[_PREFER],
                problems=_REFUSALS,
            )
        },
        "/v1/feedback/{id}": {
            "get": _operation(
                "find",
                "What is known of a feedback",
                {"200": _content("The feedback.", "Entry")},
                parameters=[_ID],
                problems=("not-found",),
            )
        },
        "/v1/feedback/{id}/correction": {
            "post": _operation(
                "correct",
                "Say what a feedback really is; it wins over the model",
                {"200": _content("The corrected feedback.", "Entry")},
                body="Correction",
                parameters=[_ID],
                problems=(*_REFUSALS, "not-found", "undecided"),
            )
        },
        "/v1/alerts/{id}": {
            "post": _operation(
                "actOnAlert",
                "Acknowledge, assign or snooze an alert",
                {"200": _content("The alert.", "Alert")},
                body="AlertAction",
                parameters=[_ID],
                problems=(*_REFUSALS, "not-found", "not-possible"),
            )
        },
        PATH: {
            "get": _operation(
                "describe",
                "This document",
                {"200": {"description": "OpenAPI 3.1.", "content": {"application/json": {"schema": _object()}}}},
            )
        },
    }


def _operation(
    id_: str,
    summary: str,
    answers: dict[str, Any],
    *,
    body: str | None = None,
    parameters: list[dict[str, Any]] | None = None,
    problems: tuple[str, ...] = (),
) -> dict[str, Any]:
    statuses = {str(Problem(kind=kind, detail="").status) for kind in (*problems, "internal", "unavailable")}
    refusals = {status: {"$ref": "#/components/responses/Problem"} for status in sorted(statuses)}
    operation: dict[str, Any] = {"operationId": id_, "summary": summary, "responses": answers | refusals}
    if parameters:
        operation["parameters"] = parameters
    if body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": _ref(body)}}}
    return operation


def _schemas() -> dict[str, JsonSchema]:
    identified = {"id": {"type": "string"}, "state": {"type": "string", "enum": [state.value for state in State]}}
    label = {"type": "string", "enum": [*LABELS, UNSURE]}
    decision = {
        **identified,
        "status_url": {"type": "string"},
        "sentiment": {"type": ["integer", "null"], "minimum": -1, "maximum": 1},
        "label": label,
        "confidence": {"type": "number", "minimum": 0, "maximum": 1},
        "probabilities": _object({name: {"type": "number"} for name in LABELS}, required=LABELS),
        "model_version": {"type": "string"},
        "unsure_because": {"type": "string", "enum": ["confidence", "language"]},
        "failure": {"type": "string"},
        "correction": _object({name: {} for name in ("sentiment", "label", "by", "at", "note")}),
    }
    moments = {"received_at": {"type": "string"}, "decided_at": {"type": "string"}}
    result = _object({"status": {"type": "integer"}, "problem": _ref("Problem"), **decision}, required=("status",))
    problem = {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": _list(_object({"pointer": {"type": "string"}, "detail": {"type": "string"}})),
    }
    alert = {"id": {"type": "string"}, "state": {"type": "string", "enum": [state.value for state in AlertState]}}
    return {
        "Feedback": _in_current_dialect(feedback_schema()),
        "Batch": _object({"items": _list(_ref("Feedback"), most=BATCH_LIMIT)}, required=("items",)),
        "Correction": _in_current_dialect(correction_schema()),
        "AlertAction": _alert_action(),
        "Decision": _object(decision, required=("id", "state")),
        "Entry": _object(decision | moments, required=("id", "state", "received_at")),
        "Results": _object({"results": _list(result, most=BATCH_LIMIT)}, required=("results",)),
        "Alert": _object(alert, required=("id", "state")),
        "Problem": _object(problem, required=("type", "title", "status", "detail")),
    }


def _alert_action() -> JsonSchema:
    text = {"type": "string", "minLength": 1, "maxLength": 100}
    fields = {
        "action": {"type": "string", "enum": ["acknowledge", "assign", "snooze"]},
        "by": text,
        "to": text | {"description": "Who it is assigned to; goes with assign."},
        "minutes": {"type": "integer", "minimum": 1, "description": "How long; goes with snooze."},
        "note": {"type": "string", "minLength": 1},
    }
    return _object(fields, required=("action", "by")) | {"additionalProperties": False}


def _in_current_dialect(schema: JsonSchema) -> JsonSchema:
    """Draft 4 as OpenAPI 3.1 has it: our schemas use no word that means something else there."""
    return {word: value for word, value in schema.items() if word != "$schema"}


def _content(description: str, schema: str, *, media_type: str = "application/json") -> dict[str, Any]:
    return {"description": description, "content": {media_type: {"schema": _ref(schema)}}}


def _object(properties: dict[str, Any] | None = None, *, required: tuple[str, ...] = ()) -> JsonSchema:
    schema: JsonSchema = {"type": "object"}
    if properties is not None:
        schema["properties"] = properties
    return schema | ({"required": list(required)} if required else {})


def _list(items: JsonSchema, *, most: int | None = None) -> JsonSchema:
    return {"type": "array", "items": items} | ({} if most is None else {"minItems": 1, "maxItems": most})


def _ref(name: str) -> JsonSchema:
    return {"$ref": f"#/components/schemas/{name}"}
