"""AWS's wire formats as far as a fault needs them: which operation a request is, and how its service says no.

Services, operations and error statuses come from botocore's own descriptions. Does not know which fault is wanted.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

import botocore.session
from botocore.exceptions import UnknownServiceError

Headers = Mapping[str, str]
"""Names in lower case."""

_CREDENTIAL: Final = re.compile(r"Credential=[^/,]+/\d{8}/[^/,]+/([^/,]+)/aws4_request")
# Services that share a name in signatures, or sign with another than botocore calls them by; the REST one comes last.
_SIGNED_AS: Final[Mapping[str, tuple[str, ...]]] = {
    "dynamodb": ("dynamodb", "dynamodbstreams"),
    "email": ("ses",),
    "monitoring": ("cloudwatch",),
    "sagemaker": ("sagemaker", "sagemaker-runtime"),
    "states": ("stepfunctions",),
    "tagging": ("resourcegroupstaggingapi",),
}
_STATUS_OF_OTHERS: Final[Mapping[str, int]] = {
    "AccessDenied": 403,
    "AccessDeniedException": 400,
    "InternalError": 500,
    "InternalFailure": 500,
    "InternalServerError": 500,
    "RequestTimeout": 400,
    "ServiceUnavailable": 503,
    "SlowDown": 503,
}


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request as AWS sees it. ``names`` are all that its service goes by; ``service`` is botocore's."""

    service: str
    names: tuple[str, ...]
    operation: str
    headers: Headers


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """An error, worded."""

    status: int
    headers: dict[str, str]
    body: bytes


def call_of(method: str, target: str, headers: Headers, body: bytes) -> Call:
    """Which operation of which service a request is; its method and `/` where nothing says so."""
    signed_as = _signing_name(target, headers)
    services = _SIGNED_AS.get(signed_as, (signed_as,))
    operation = _named_operation(target, headers, body)
    service = services[0]
    if operation is None:
        for service in reversed(services):
            operation = _rest_operation(service, method, target, headers)
            if operation is not None:
                break
    elif headers.get("x-amz-target", "").startswith("DynamoDBStreams"):
        service = "dynamodbstreams"
    names = tuple(dict.fromkeys((service, signed_as)))
    return Call(service=service, names=names, operation=operation or f"{method} /", headers=headers)


def refuse(call: Call, *, code: str | None, status: int | None) -> Refusal:
    """The error as the service words it; without a code, a page of a proxy that knows no AWS."""
    if code is None:
        number = status or 500
        page = f"<html><body><h1>{number}</h1></body></html>\n".encode()
        return Refusal(status=number, headers={"Content-Type": "text/html"}, body=page)
    headers, body = _error(call, code, f"{code}, as the fault plan wants it")
    headers["x-amzn-RequestId"] = "00000000-0000-0000-0000-000000000000"
    return Refusal(status=status or _status_of(call.service, code), headers=headers, body=body)


def _signing_name(target: str, headers: Headers) -> str:
    found = _CREDENTIAL.search(headers.get("authorization", ""))
    if found:
        return found[1].lower()
    credential = parse_qs(urlsplit(target).query).get("X-Amz-Credential", [""])[0].split("/")
    return credential[3].lower() if len(credential) == 5 else "unsigned"


def _named_operation(target: str, headers: Headers, body: bytes) -> str | None:
    """The operation where the request names it: in a header, a form or, in Smithy's RPC, in the path."""
    if "x-amz-target" in headers:
        return headers["x-amz-target"].rpartition(".")[2]
    path, query = urlsplit(target).path, urlsplit(target).query
    if "smithy-protocol" in headers:
        return path.rpartition("/operation/")[2]
    if headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        form = parse_qs(body.decode("utf-8", "replace"))
        if "Action" in form:
            return form["Action"][0]
    return parse_qs(query).get("Action", [None])[0]


def _rest_operation(service: str, method: str, target: str, headers: Headers) -> str | None:
    """The operation whose path, and what else it must be given, say most about the request."""
    parts = urlsplit(target)
    given = parse_qs(parts.query, keep_blank_values=True)
    best: tuple[tuple[int, int], str] | None = None
    for route in _routes(service):
        if route.method != method or not route.path.fullmatch(parts.path) or not route.headers <= headers.keys():
            continue
        if all(name in given and value in (None, given[name][0]) for name, value in route.query.items()):
            score = (len(route.query) + len(route.headers), route.literal_characters)
            if best is None or score > best[0]:
                best = (score, route.operation)
    return best[1] if best else None


@dataclass(frozen=True, kw_only=True)
class _Route:
    operation: str
    method: str
    path: re.Pattern[str]
    query: Mapping[str, str | None]
    headers: frozenset[str]
    literal_characters: int


@cache
def _routes(service: str) -> tuple[_Route, ...]:
    model = _model(service)
    if model is None:
        return ()
    routes = []
    for name in model.operation_names:
        operation = model.operation_model(name)
        http = operation.http
        path, _, query = http["requestUri"].partition("?")
        pieces = re.split(r"(\{[^}]+\})", path.rstrip("/"))
        pattern = "".join(_piece(piece) for piece in pieces)
        wanted = [pair.partition("=") for pair in query.split("&") if pair]
        routes.append(
            _Route(
                operation=name,
                method=http["method"],
                path=re.compile(f"{pattern}/?"),
                query={key: value if equals else None for key, equals, value in wanted}
                | dict.fromkeys(_required(operation, "querystring")),
                headers=frozenset(header.lower() for header in _required(operation, "header")),
                literal_characters=sum(len(piece) for piece in pieces if not piece.startswith("{")),
            )
        )
    return tuple(routes)


def _required(operation: Any, location: str) -> list[str]:
    """The names of what a request must have in one place of it."""
    shape = operation.input_shape
    members = [shape.members[name].serialization for name in shape.required_members] if shape else []
    return [member["name"] for member in members if member.get("location") == location]


def _piece(piece: str) -> str:
    if not piece.startswith("{"):
        return re.escape(piece)
    return ".+" if piece.endswith("+}") else "[^/]+"


@cache
def _model(service: str) -> Any | None:
    """botocore's description of a service; None for what AWS does not have, such as an unsigned page."""
    try:
        return botocore.session.Session().get_service_model(service)
    except UnknownServiceError:
        return None


def _status_of(service: str, code: str) -> int:
    model = _model(service)
    for shape in model.error_shapes if model else ():
        if shape.name == code or shape.metadata.get("error", {}).get("code") == code:
            modelled: int | None = shape.metadata.get("error", {}).get("httpStatusCode")
            return modelled or _STATUS_OF_OTHERS.get(code, 400)
    return _STATUS_OF_OTHERS.get(code, 400)


def _error(call: Call, code: str, message: str) -> tuple[dict[str, str], bytes]:
    content_type = call.headers.get("content-type", "")
    if call.headers.get("smithy-protocol") == "rpc-v2-cbor":
        answer = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
        return answer, _cbor_map({"__type": code, "message": message})
    if content_type.startswith("application/x-amz-json") or "x-amz-target" in call.headers:
        answer = {"Content-Type": content_type or "application/x-amz-json-1.0"}
        if call.headers.get("x-amzn-query-mode") == "true":  # services that spoke XML before, such as SQS
            answer["x-amzn-query-error"] = f"{code};Sender"
        return answer, json.dumps({"__type": code, "message": message}).encode()
    model = _model(call.service)
    protocol = model.metadata.get("protocol") if model else "rest-json"
    if protocol in ("query", "ec2") or content_type.startswith("application/x-www-form-urlencoded"):
        return {"Content-Type": "text/xml"}, _xml(code, message, wrapped=True)
    if protocol == "rest-xml":
        return {"Content-Type": "application/xml"}, _xml(code, message, wrapped=call.service != "s3")
    return {"Content-Type": "application/json", "x-amzn-ErrorType": code}, json.dumps({"message": message}).encode()


def _xml(code: str, message: str, *, wrapped: bool) -> bytes:
    error = f"<Error><Type>Sender</Type><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
    document = f"<ErrorResponse>{error}<RequestId>faults</RequestId></ErrorResponse>" if wrapped else error
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{document}'.encode()


def _cbor_map(entries: Mapping[str, str]) -> bytes:
    """A map of texts: https://www.rfc-editor.org/rfc/rfc8949.html#section-3.1, major types 5 and 3."""
    return bytes([0xA0 + len(entries)]) + b"".join(_cbor_text(text) for pair in entries.items() for text in pair)


def _cbor_text(text: str) -> bytes:
    content = text.encode()
    if len(content) < 24:
        return bytes([0x60 + len(content)]) + content
    return b"\x79" + len(content).to_bytes(2, "big") + content
