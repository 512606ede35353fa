"""A SageMaker runtime that answers as the three containers do, by what stands in the text."""

import io
import json

from botocore.exceptions import ReadTimeoutError


class FakeRuntime:
    """``is_down`` makes every call time out."""

    def __init__(self):
        self.is_down = False
        self.calls = 0

    def invoke_endpoint(self, *, EndpointName, ContentType, Accept, Body):  # noqa: N803 - boto3's names
        self.calls += 1
        if self.is_down:
            raise ReadTimeoutError(endpoint_url="http://endpoint")
        lines = [json.dumps(_answer(json.loads(line))) for line in Body.splitlines()]
        return {"Body": io.BytesIO("".join(f"{line}\n" for line in lines).encode())}


def _answer(line):
    if "unreadable" in line["text"]:
        return {"id": line["id"], "error": {"code": "empty_text", "message": "The text is empty."}}
    sentiment, label, shares = (-1, "negative", (0.94, 0.04, 0.02))
    if "Lovely" in line["text"]:
        sentiment, label, shares = (1, "positive", (0.02, 0.08, 0.9))
    if "Hm" in line["text"]:
        sentiment, label, shares = (None, "unsure", (0.4, 0.35, 0.25))
    return {
        "id": line["id"],
        "sentiment": sentiment,
        "label": label,
        "probabilities": dict(zip(("negative", "neutral", "positive"), shares, strict=True)),
        "confidence": max(shares),
        "model_version": "20260301-090000",
    }
