"""Values fitted to the shapes of AWS's own service models. Knows no service in particular and calls none.

CloudFormation hands over numbers and booleans as text now and then, and Step Functions writes every member with a
capital first letter: both are told by botocore's model what the service wants.
"""

import base64
import datetime
import json
from collections.abc import Callable
from functools import cache
from typing import Any
from uuid import uuid4

import botocore.exceptions
import botocore.loaders
import botocore.model
import botocore.validate

Shape = Any


class MisfitError(ValueError):
    """A value that the service's model does not have room for."""


@cache
def service_model(service: str) -> botocore.model.ServiceModel:
    """The model of a service by boto3's name."""
    return botocore.model.ServiceModel(botocore.loaders.Loader().load_service_model(service, "service-2"), service)


def input_shape(service: str, operation: str) -> Shape:
    """The request of an operation."""
    return service_model(service).operation_model(operation).input_shape


def output_shape(service: str, operation: str) -> Shape:
    """The answer of an operation; None where there is none."""
    return service_model(service).operation_model(operation).output_shape


def with_tokens(service: str, operation: str, request: dict[str, Any]) -> dict[str, Any]:
    """The request with the idempotency tokens that an SDK adds by itself."""
    wanted = service_model(service).operation_model(operation).idempotent_members
    return {**{name: str(uuid4()) for name in wanted}, **request}


def problem_with(service: str, operation: str, request: dict[str, Any]) -> str | None:
    """What botocore's validator finds wrong with a request, or None."""
    report = botocore.validate.ParamValidator().validate(request, input_shape(service, operation))
    return str(report.generate_report()) if report.has_errors() else None


def fit(value: Any, shape: Shape, where: str = "") -> Any:
    """A value from a template as the model wants it: text becomes numbers and booleans, structures become JSON text.

    Raises MisfitError for a member that the shape does not have.
    """
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        if extra := sorted(set(value) - set(shape.members)):
            raise MisfitError(f"Encountered unsupported properties in {{{where or '/'}}}: [{', '.join(extra)}]")
        return {name: fit(each, shape.members[name], f"{where}/{name}") for name, each in value.items()}
    if kind == "list" and isinstance(value, list):
        return [fit(each, shape.member, f"{where}/{position}") for position, each in enumerate(value)]
    if kind == "map" and isinstance(value, dict):
        return {name: fit(each, shape.value, f"{where}/{name}") for name, each in value.items()}
    return _fit_scalar(value, kind, where)


def _fit_scalar(value: Any, kind: str, where: str) -> Any:
    try:
        if kind in ("integer", "long"):
            return int(value)
        if kind in ("float", "double"):
            return float(value)
    except (TypeError, ValueError):
        raise MisfitError(f"Property {where} must be a number, not {value!r}") from None
    if kind == "boolean":
        return value if isinstance(value, bool) else str(value).lower() == "true"
    if kind == "string":
        if isinstance(value, dict | list):
            return json.dumps(value)
        return str(value).lower() if isinstance(value, bool) else str(value)
    return value


def from_task(value: Any, shape: Shape) -> Any:
    """The parameters of an ``aws-sdk`` task under the service's own member names, blobs as bytes."""
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        names = {_capital(name): name for name in shape.members}
        known = {name: names.get(_capital(name), name) for name in value}
        return {
            known[name]: from_task(each, shape.members[known[name]]) if known[name] in shape.members else each
            for name, each in value.items()
        }
    if kind == "list" and isinstance(value, list):
        return [from_task(each, shape.member) for each in value]
    if kind == "map" and isinstance(value, dict):
        return {name: from_task(each, shape.value) for name, each in value.items()}
    if kind == "blob" and not isinstance(value, bytes):
        return (value if isinstance(value, str) else json.dumps(value)).encode()
    return value


def to_task(value: Any, shape: Shape, timestamp: Callable[[float], Any]) -> Any:
    """A service's answer as Step Functions hands it on; ``timestamp`` writes seconds since 1970."""
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        return {
            _capital(name): to_task(each, shape.members[name], timestamp)
            for name, each in value.items()
            if name in shape.members
        }
    if kind == "list" and isinstance(value, list):
        return [to_task(each, shape.member, timestamp) for each in value]
    if kind == "map" and isinstance(value, dict):
        return {name: to_task(each, shape.value, timestamp) for name, each in value.items()}
    if kind == "timestamp":
        return timestamp(value.timestamp() if isinstance(value, datetime.datetime) else float(value))
    if kind == "blob":
        return _text(value.read() if hasattr(value, "read") else value)
    return value


def iso_8601(seconds: float) -> str:
    """A point in time as ``aws-sdk`` tasks write it."""
    moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def epoch_milliseconds(seconds: float) -> int:
    """A point in time as the optimised integrations write it."""
    return round(seconds * 1000)


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]


def _text(value: bytes | str) -> str:
    if isinstance(value, str):
        return value
    try:
        return value.decode()
    except UnicodeDecodeError:
        return base64.b64encode(value).decode()
