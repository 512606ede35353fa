"""The schemas of what clients send, each read from its one file.

It does not validate: that is done at the edges, with the library of their choice, and what API Gateway is given of the
schema is cut out where the API is built.
"""

import json
from pathlib import Path
from typing import Any, Final

JsonSchema = dict[str, Any]

BATCH_LIMIT: Final = 100
"""The most feedbacks in one batch."""

_FOLDER: Final = Path(__file__).parent


def feedback_schema() -> JsonSchema:
    """JSON Schema (draft 4, which API Gateway takes too) of one feedback as a client sends it."""
    return _read("feedback-v1.json")


def correction_schema() -> JsonSchema:
    """JSON Schema (draft 4) of a person's correction of one feedback."""
    return _read("correction-v1.json")


def _read(name: str) -> JsonSchema:
    schema: JsonSchema = json.loads((_FOLDER / name).read_text(encoding="utf-8"))
    return schema
