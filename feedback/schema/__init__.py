"""The schema of a feedback, read from its one file.

It does not validate: that is done at the edges, with the library of their choice, and what API Gateway is given of the
schema is cut out where the API is built.
"""

import json
from pathlib import Path
from typing import Any, Final

JsonSchema = dict[str, Any]

BATCH_LIMIT: Final = 100
"""The most feedbacks in one batch."""

_FILE: Final = Path(__file__).parent / "feedback-v1.json"


def feedback_schema() -> JsonSchema:
    """JSON Schema (draft 4, which API Gateway takes too) of one feedback as a client sends it."""
    schema: JsonSchema = json.loads(_FILE.read_text(encoding="utf-8"))
    return schema
