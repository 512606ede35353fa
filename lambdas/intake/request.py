"""Reads what API Gateway hands over into documents. Anything that is no feedback by its form ends in a Problem here.

The schema's compiler is imported with the first document, as the clients are: a handler's import stays a few dozen
milliseconds.
It does not know what a feedback says, whether it was seen before, or how it is classified.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import unquote

from feedback.problem import FieldError, Problem
from feedback.schema import BATCH_LIMIT, JsonSchema, feedback_schema
from feedback.strict_json import BrokenJsonError, parse

if TYPE_CHECKING:
    from fastjsonschema import JsonSchemaValueException

BODY_LIMIT_BYTES: Final = 256 * 1024
BATCH_BODY_LIMIT_BYTES: Final = 5 * 1024 * 1024

_SHAPE_RULES: Final = ("type", "required", "additionalProperties", "enum")  # those that API Gateway judges too
_REFLECTED_LIMIT: Final = 64


class RefusedError(Exception):
    """A request, or one feedback in it, that is refused with a problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.kind)
        self.problem = problem


class Validate(Protocol):
    """A compiled schema."""

    def __call__(self, document: object) -> object:
        """JsonSchemaValueException where the document does not conform."""


def read_document(event: Mapping[str, Any], *, limit_bytes: int) -> object:
    """The JSON document in the body of an API Gateway event; RefusedError where there is none."""
    _check_headers(event)
    body = _body_text(event, limit_bytes=limit_bytes)
    try:
        return parse(body)
    except BrokenJsonError as error:
        raise RefusedError(Problem(kind="malformed", detail=f"The body cannot be read. {error}")) from error


def read_key(event: Mapping[str, Any]) -> str | None:
    """The sender's key in the header Idempotency-Key, a string as RFC 9651 writes it; None where there is none."""
    value = _header(event, "idempotency-key")
    if not value:
        return None
    key = value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else ""
    if not _is_id(key):
        detail = 'The header Idempotency-Key is a string in double quotes, such as "order-1001", that can be an id.'
        raise RefusedError(Problem(kind="malformed", detail=detail))
    return key


def wants_no_waiting(event: Mapping[str, Any]) -> bool:
    """Whether the header Prefer asks for an answer without the model's: ``respond-async`` (RFC 7240)."""
    return "respond-async" in (part.strip().lower() for part in re.split("[,;]", _header(event, "prefer")))


def with_key(document: Mapping[str, Any], key: str | None) -> Mapping[str, Any]:
    """The feedback under the key of its request; RefusedError where it names another id itself."""
    if key is None:
        return document
    if document.get("id", key) != key:
        detail = "The id in the body and the header Idempotency-Key differ."
        raise RefusedError(Problem(kind="malformed", detail=detail))
    return {**document, "id": key}


def read_batch(document: object) -> list[object]:
    """The items of a batch, each still to be judged by itself; RefusedError where it is no batch."""
    if not isinstance(document, dict) or set(document) != {"items"} or not isinstance(document["items"], list):
        raise RefusedError(Problem(kind="malformed", detail='A batch is an object with one list, "items".'))
    items = document["items"]
    if not items:
        raise RefusedError(Problem(kind="unusable", detail="The batch is empty."))
    if len(items) > BATCH_LIMIT:
        raise RefusedError(Problem(kind="too-large", detail=f"A batch has at most {BATCH_LIMIT} items."))
    return items


def read_feedback_id(event: Mapping[str, Any]) -> str:
    """The id in the path of an API Gateway event; RefusedError where no feedback can have it."""
    feedback_id = read_path_id(event)
    if not _is_id(feedback_id):
        raise RefusedError(Problem(kind="not-found", detail="No feedback has such an id."))
    return feedback_id


def read_path_id(event: Mapping[str, Any]) -> str:
    """The id in the path of an API Gateway event, whatever it is of."""
    return unquote((event.get("pathParameters") or {}).get("id") or "")


def read_feedback(document: object) -> dict[str, Any]:
    """The document, once it conforms to the schema; RefusedError with the place and the rule otherwise."""
    return check(document, _validate())


def check(document: object, validate: Validate) -> dict[str, Any]:
    """The document, once it conforms to a schema of an object; RefusedError otherwise."""
    from fastjsonschema import JsonSchemaValueException

    try:
        validate(document)
    except JsonSchemaValueException as error:
        raise RefusedError(_problem(error)) from error
    assert isinstance(document, dict)  # the schema says so
    return document


def compile_schema(schema: JsonSchema) -> Validate:
    """What judges documents by a schema."""
    import fastjsonschema

    validate: Validate = fastjsonschema.compile(schema)
    return validate


@cache
def _validate() -> Validate:
    return compile_schema(feedback_schema())


def _is_id(value: str) -> bool:
    try:
        read_feedback({"id": value, "channel": "web", "text": "-"})
    except RefusedError:
        return False
    return True


def _header(event: Mapping[str, Any], wanted: str) -> str:
    headers: Mapping[str, str | None] = event.get("headers") or {}
    return next(((value or "").strip() for name, value in headers.items() if name.lower() == wanted), "")


def _check_headers(event: Mapping[str, Any]) -> None:
    media_type, _, parameters = _header(event, "content-type").partition(";")
    charset = parameters.strip().lower().removeprefix("charset=").strip('"')
    if media_type.strip().lower() not in ("", "application/json") or charset not in ("", "utf-8", "utf8"):
        raise RefusedError(Problem(kind="unsupported-media-type", detail="Send application/json in UTF-8."))
    if _header(event, "content-encoding").lower() not in ("", "identity"):
        raise RefusedError(Problem(kind="unsupported-media-type", detail="Send the body without content encoding."))


def _body_text(event: Mapping[str, Any], *, limit_bytes: int) -> str:
    body = event.get("body")
    if not isinstance(body, str) or not body:
        raise RefusedError(Problem(kind="malformed", detail="The body is empty."))
    if len(body) > limit_bytes * (2 if event.get("isBase64Encoded") else 1):
        raise _too_large(limit_bytes)
    if event.get("isBase64Encoded"):
        try:
            raw = base64.b64decode(body, validate=True)
            body = raw.decode("utf-8")
        except (binascii.Error, ValueError) as error:  # UnicodeDecodeError is a ValueError
            raise RefusedError(Problem(kind="malformed", detail="The body is not UTF-8.")) from error
    if len(body.encode("utf-8", "surrogatepass")) > limit_bytes:
        raise _too_large(limit_bytes)
    return body


def _too_large(limit_bytes: int) -> RefusedError:
    return RefusedError(Problem(kind="too-large", detail=f"The body is larger than {limit_bytes // 1024} KiB."))


def _problem(error: "JsonSchemaValueException") -> Problem:
    """The problem behind a violated rule: 400 for the shape, 413 for a text too long, 422 for the rest."""
    path = [_reflect(str(part)) for part in error.path[1:]]
    pointer = "".join(f"/{part.replace('~', '~0').replace('/', '~1')}" for part in path)
    limit = error.rule_definition
    if error.rule == "maxLength" and path == ["text"]:
        kind, detail = "too-large", f"A text has at most {limit} characters."
    elif error.rule in _SHAPE_RULES:
        kind, detail = "malformed", "The document does not have the right form."
    else:
        kind, detail = "unusable", "A value is not one that can be here."
    return Problem(kind=kind, detail=detail, errors=(FieldError(pointer=pointer, detail=_reason(error)),))


def _reason(error: "JsonSchemaValueException") -> str:
    definition = error.rule_definition
    match error.rule:
        case "type":
            return f"must be of type {definition}"
        case "required":
            missing = [name for name in definition if name not in error.value]
            return f"lacks {', '.join(missing)}"
        case "additionalProperties":
            return "has a field that is not known"
        case "enum":
            return f"must be one of {', '.join(definition)}"
        case "minLength":
            return "must not be empty"
        case "maxLength":
            return f"must have at most {definition} characters"
        case "minimum" | "maximum":
            return f"must be {'at least' if error.rule == 'minimum' else 'at most'} {definition}"
        case "maxProperties":
            return f"must have at most {definition} entries"
        case _:
            return f"must match {definition}"


def _reflect(part: str) -> str:
    """A name from the request as it may be shown again: printable ASCII, short."""
    return "".join(character if " " <= character <= "~" else "?" for character in part[:_REFLECTED_LIMIT])
