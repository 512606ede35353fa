"""The wire form of InvokeEndpoint's answers and errors, as botocore's ``sagemaker-runtime`` reads them.

Knows headers and error shapes; nothing of endpoints or containers.
"""

import json
import re
import uuid
from collections.abc import Mapping

Answer = tuple[int, dict[str, str], bytes]

# The long-standing quota of real-time endpoints; some of AWS's pages speak of more. What passes here passes there.
MAX_PAYLOAD_BYTES = 6 * 1024 * 1024
MAX_MESSAGE_CHARACTERS = 1024

TARGET_VARIANT = "x-amzn-sagemaker-target-variant"
TARGET_CONTAINER = "x-amzn-sagemaker-target-container-hostname"
CUSTOM_ATTRIBUTES = "x-amzn-sagemaker-custom-attributes"
INFERENCE_ID = "x-amzn-sagemaker-inference-id"
INVOKED_VARIANT = "x-amzn-invoked-production-variant"

_VISIBLE = re.compile(r"[\x20-\x7e\t]{0,1024}")
_IDENTIFIER = re.compile(r"\S[\x20-\x7e]{0,63}")
_FORMS = {
    CUSTOM_ATTRIBUTES: (_VISIBLE, "CustomAttributes must be at most 1024 visible US-ASCII characters."),
    INFERENCE_ID: (_IDENTIFIER, "InferenceId must be 1 to 64 printable characters and not begin with a space."),
}
# What asks for a kind of endpoint that a script-mode pipeline is not.
_FOR_OTHER_ENDPOINTS = {
    "x-amzn-sagemaker-target-model": "TargetModel is for multi-model endpoints.",
    "x-amzn-sagemaker-inference-component": "InferenceComponentName is for endpoints with inference components.",
    "x-amzn-sagemaker-enable-explanations": "EnableExplanations is for endpoints with an explainer.",
    "x-amzn-sagemaker-session-id": "Stateful sessions are not offered by the local SageMaker.",
}


def refusal(headers: Mapping[str, str]) -> Answer | None:
    """What InvokeEndpoint answers to headers that it does not take here; their names are in lower case."""
    for name, (form, message) in _FORMS.items():
        if name in headers and not form.fullmatch(headers[name]):
            return validation_error(message)
    for name, message in _FOR_OTHER_ENDPOINTS.items():
        if name in headers:
            return validation_error(message)
    return None


def answered(body: bytes, container_headers: Mapping[str, str], *, variant_name: str) -> Answer:
    """A container's answer as the client gets it. ``container_headers`` have names in lower case."""
    headers = {
        "content-type": container_headers.get("content-type", "application/octet-stream"),
        INVOKED_VARIANT: variant_name,
        "x-amzn-requestid": str(uuid.uuid4()),
    }
    if CUSTOM_ATTRIBUTES in container_headers:
        headers[CUSTOM_ATTRIBUTES] = container_headers[CUSTOM_ATTRIBUTES]
    return 200, headers, body


def validation_error(message: str) -> Answer:
    """A request that names what is not there or is not allowed."""
    return _error(400, "ValidationError", {"Message": message})


def service_unavailable(message: str) -> Answer:
    """An endpoint that will be there in a moment; SDKs retry this."""
    return _error(503, "ServiceUnavailable", {"Message": message})


def model_error(
    *, container: str, status: int, message: str, account: str, log_group: str, log_stream_arn: str
) -> Answer:
    """A container that refused (4xx), failed (5xx) or did not answer in time (0)."""
    original = message[:MAX_MESSAGE_CHARACTERS]
    side = "client" if 400 <= status < 500 else "server"
    told = (
        f'Received {side} error ({status}) from {container} with message "{original}". '
        f"See the log group {log_group} in account {account} for more information."
    )
    fields = {
        "ErrorCode": f"{side.upper()}_ERROR_FROM_MODEL",
        "LogStreamArn": log_stream_arn,
        "Message": told,
        "OriginalMessage": original,
        "OriginalStatusCode": status,
    }
    return _error(424, "ModelError", fields)


def _error(status: int, code: str, fields: Mapping[str, object]) -> Answer:
    headers = {
        "content-type": "application/json",
        "x-amzn-errortype": code,
        "x-amzn-requestid": str(uuid.uuid4()),
    }
    return status, headers, json.dumps(fields).encode()
