"""POST /v1/webhooks/{source}: translates between API Gateway and the receiver of pushed events.

A sender takes 2xx for done and repeats everything else, so 2xx is said once all that can be accepted is accepted.
"""

import base64
import binascii
import json
import time
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from feedback.problem import Problem
from lambdas.aws.clients import client
from lambdas.aws.secret import Secrets, SecretUnavailableError
from lambdas.channels.accepting import delivery
from lambdas.channels.delivery import NotDeliveredError, settle
from lambdas.channels.webhooks.receiving import Challenge, Receiver, RefusedEventError
from lambdas.channels.webhooks.settings import Settings
from lambdas.channels.webhooks.signature import UnsignedError
from lambdas.channels.webhooks.sources import Sources
from lambdas.environment import WrongEnvironmentError
from lambdas.intake.acceptance import Answer
from lambdas.intake.response import problem_response
from lambdas.telemetry import LambdaContext, count, log, log_error

_HEADERS: Final = {"Content-Type": "application/json", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_INTERNAL: Final = Problem(kind="internal", detail="The request failed. It is safe to send it again.")
_UNAVAILABLE: Final = Problem(kind="unavailable", detail="The event was not accepted. Send it again, as it is.")
_UNSIGNED: Final = Problem(kind="unauthorized", detail="The signature is missing, wrong or too old.")


def handle(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one pushed event. Nothing is raised: the sender gets a problem document, the log the rest."""
    try:
        return _receive(event, context)
    except UnsignedError:
        count(context, Unsigned=1)
        return problem_response(_UNSIGNED)
    except RefusedEventError as error:
        log("WARNING", "An event was refused.", source=error.source, reason=error.problem.detail)
        count(context, Refused=1)
        return problem_response(error.problem)
    except (SecretUnavailableError, NotDeliveredError) as error:
        log_error("An event could not be taken in now.", error)
        count(context, Unavailable=1)
        return problem_response(_UNAVAILABLE)
    except WrongEnvironmentError as error:
        log("ERROR", str(error))
        return problem_response(_INTERNAL)
    except Exception as error:  # the boundary: no stack trace may reach a sender
        log_error("An event could not be taken in.", error)
        count(context, Failed=1)
        return problem_response(_INTERNAL)


def _receive(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    source = str((event.get("pathParameters") or {}).get("source") or "")
    received = _receiver().receive(source, event.get("headers") or {}, _body(event))
    if isinstance(received, Challenge):
        return _response(200, {"challenge": received.challenge})
    return _settled(received, source, context)


def _settled(answers: list[Answer], source: str, context: LambdaContext) -> dict[str, Any]:
    receipt = settle(answers)
    count(
        context,
        Accepted=receipt.accepted,
        Replayed=receipt.repeated,
        Refused=len(receipt.refused),
        Ignored=int(not answers),
    )
    for place, reason in receipt.refused.items():
        log("WARNING", "A feedback in an event was refused.", source=source, place=place, reason=reason)
    problems = [answer for answer in answers if isinstance(answer, Problem)]
    if receipt.refused and len(receipt.refused) == len(answers):
        return problem_response(problems[0])
    return _response(202, {"accepted": receipt.accepted + receipt.repeated, "refused": len(receipt.refused)})


def _body(event: Mapping[str, Any]) -> bytes:
    """The body as it was signed, byte for byte."""
    body = event.get("body")
    if not isinstance(body, str):
        raise UnsignedError
    if not event.get("isBase64Encoded"):
        return body.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as error:
        raise UnsignedError from error


def _response(status: int, document: Mapping[str, Any]) -> dict[str, Any]:
    return {"statusCode": status, "headers": _HEADERS, "body": json.dumps(document)}


@cache
def _settings() -> Settings:
    return Settings.from_env()


@cache
def _receiver() -> Receiver:
    """Made once, since the sources' secrets are kept in it."""
    secretsmanager = client("secretsmanager", read_seconds=2.0, attempts=2)
    secrets = Secrets(prefix=_settings().webhook_secret_prefix, secretsmanager=secretsmanager)
    return Receiver(
        sources=Sources(store=secrets, clock=time.monotonic), deliver=delivery(_settings()).deliver, now=time.time
    )
