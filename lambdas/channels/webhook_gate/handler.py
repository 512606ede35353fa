"""The authorizer of POST /v1/webhooks/{source}: lets through what carries a well-formed, timely signature.

API Gateway hands no body to an authorizer, so whether the signature is right is judged behind it, in
``lambdas.channels.webhooks``; here strangers and replays end without costing more than this function. The one way for
an authorizer to answer 401 is to raise this very word; a policy that denies would be 403.
https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html
"""

import time
from collections.abc import Mapping
from typing import Any

from lambdas.channels.webhooks.signature import UnsignedError, read_claim
from lambdas.telemetry import LambdaContext, count


def handle(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """A policy that allows this one method; an exception that API Gateway reads as 401 otherwise."""
    try:
        read_claim(event.get("headers") or {}).check_time(time.time())
    except UnsignedError:
        count(context, Refused=1)
        raise RuntimeError("Unauthorized") from None
    return {
        "principalId": "webhook",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": event["methodArn"]}],
        },
    }
