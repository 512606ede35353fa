"""Signatures of webhooks that are none, on a body that is good: class 21."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping

from tests.corpus.case import Case

KEY = b"a key of the corpus, 32 bytes at least"
BODY = json.dumps({"channel": "partner", "text": "The zip broke after a day."}).encode()


def signed(body: bytes, *, now: int, message_id: str = "msg-1", key: bytes = KEY) -> dict[str, str]:
    """The headers of a body that is signed as Standard Webhooks has it."""
    content = f"{message_id}.{now}.".encode() + body
    signature = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return {"webhook-id": message_id, "webhook-timestamp": str(now), "webhook-signature": f"v1,{signature}"}


def signatures(now: int) -> Iterator[Case]:
    good = signed(BODY, now=now)
    signature = good["webhook-signature"]
    variants: dict[str, Mapping[str, str]] = {
        "none": {},
        "no id": {name: value for name, value in good.items() if name != "webhook-id"},
        "no time": {name: value for name, value in good.items() if name != "webhook-timestamp"},
        "no signature": {name: value for name, value in good.items() if name != "webhook-signature"},
        "empty": good | {"webhook-signature": ""},
        "only a version": good | {"webhook-signature": "v1"},
        "no base64": good | {"webhook-signature": "v1,%%%"},
        "not ASCII": good | {"webhook-signature": "v1,ü"},
        "truncated": good | {"webhook-signature": signature[:-8]},
        "another version": good | {"webhook-signature": signature.replace("v1,", "v2,")},
        "asymmetric": good | {"webhook-signature": signature.replace("v1,", "v1a,")},
        "10,000 signatures": good | {"webhook-signature": f"{signature} " * 10_000},
        "another id": good | {"webhook-id": "msg-2"},
        "an id with a newline": good | {"webhook-id": "msg\n1"},
        "301 seconds late": signed(BODY, now=now - 301),
        "301 seconds early": signed(BODY, now=now + 301),
        "no number": good | {"webhook-timestamp": "soon"},
        "a huge number": good | {"webhook-timestamp": "9" * 5_000},
        "a negative number": good | {"webhook-timestamp": "-1"},
        "other digits": good | {"webhook-timestamp": "١٢٣"},
        "another key": signed(BODY, now=now, key=b"another key, also of 32 bytes and more"),
        "Slack garbled": {"X-Slack-Signature": "v0=zz", "X-Slack-Request-Timestamp": str(now)},
        "Slack empty": {"X-Slack-Signature": "", "X-Slack-Request-Timestamp": ""},
    }
    for variant, headers in variants.items():
        yield Case(number=21, variant=variant, body=BODY, signature=headers)
