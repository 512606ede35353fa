"""Small AutoML jobs for tests: tables that can be learned from, and requests. Imports no service."""

import csv
import io
import random
from typing import Any

from tests.unit.local_sagemaker.job_kit import ROLE

LABELS = ("negative", "neutral", "positive")
_SAID = {
    "negative": ("broken", "refund", "awful", "late", "never again"),
    "neutral": ("okay", "average", "fine", "so so", "expected"),
    "positive": ("lovely", "perfect", "great", "happy", "works well"),
}
_FILLING = ("the parcel", "this phone", "my order", "their answer", "a gift", "it's here", "naïve café", "x")


def rows(count: int, *, seed: int = 1, labels: tuple[str, ...] = LABELS) -> list[list[str]]:
    """Text, category, age and label; the text tells the label in most rows."""
    draw = random.Random(seed)
    found = []
    for number in range(count):
        label = labels[number % len(labels)]
        told = label if draw.random() < 0.9 else draw.choice(labels)
        words = [draw.choice(_SAID[told]), draw.choice(_FILLING), draw.choice(_FILLING), f"number {number % 37}"]
        draw.shuffle(words)
        text = ", ".join(words) if number % 50 else ""
        found.append([text, draw.choice(("toys", "books", "food")), str(draw.randint(18, 80)), label])
    return found


def table(records: list[list[str]], header: tuple[str, ...] = ("text", "category", "age", "sentiment")) -> bytes:
    """CSV; without a header where that is empty."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([list(header), *records] if header else records)
    return stream.getvalue().encode()


def channel(kind: str, uri: str, **more: str) -> dict[str, Any]:
    """One input channel."""
    return {
        "ChannelType": kind,
        "ContentType": "text/csv;header=present",
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}},
        **more,
    }


def request(name: str = "job", *, candidates: int = 2, **tabular: Any) -> dict[str, Any]:
    """A CreateAutoMLJobV2 request over s3://b/training/ and s3://b/validation/."""
    return {
        "AutoMLJobName": name,
        "AutoMLJobInputDataConfig": [
            channel("training", "s3://b/training/"),
            channel("validation", "s3://b/validation/"),
        ],
        "OutputDataConfig": {"S3OutputPath": "s3://b/autopilot"},
        "AutoMLProblemTypeConfig": {
            "TabularJobConfig": {
                "TargetAttributeName": "sentiment",
                "ProblemType": "MulticlassClassification",
                "Mode": "HYPERPARAMETER_TUNING",
                "CompletionCriteria": {
                    "MaxCandidates": candidates,
                    "MaxRuntimePerTrainingJobInSeconds": 60,
                    "MaxAutoMLJobRuntimeInSeconds": 120,
                },
                **tabular,
            }
        },
        "AutoMLJobObjective": {"MetricName": "F1macro"},
        "RoleArn": ROLE,
    }
