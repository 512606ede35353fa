"""A classifier's answers as Autopilot's containers write them: one CSV record a row, with the keys that are asked for.

Lists are one quoted field, for instance ``negative,"[0.7, 0.2, 0.1]","['negative', 'neutral', 'positive']"``. Knows no
models. https://docs.aws.amazon.com/sagemaker/latest/dg/autopilot-automate-model-development-container-output.html
"""

import csv
import io
import json
from collections.abc import Iterator, Sequence

KEYS = ("predicted_label", "probability", "probabilities", "labels")


def keys(text: str) -> list[str]:
    """The keys of an environment variable such as ``predicted_label, probability``; ValueError for an unknown one."""
    found = [key.strip() for key in text.split(",") if key.strip()]
    for key in found:
        if key not in KEYS:
            raise ValueError(f"{key!r} is none of the inference keys {', '.join(KEYS)}")
    return found


def write(records: Sequence[Sequence[object]]) -> str:
    """CSV with a line for each record; a list is one field."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(
        [str(list(field)) if isinstance(field, (list, tuple)) else field for field in record] for record in records
    )
    return stream.getvalue()


def read(text: str, names: Sequence[str]) -> Iterator[dict[str, object]]:
    """The records of the algorithm's answer by key; ValueError where they are others."""
    for record in csv.reader(io.StringIO(text)):
        if len(record) != len(names):
            raise ValueError(f"an answer has {len(record)} fields, and the keys are {', '.join(names)}")
        named = zip(names, record, strict=True)
        yield {name: json.loads(field) if name == "probabilities" else field for name, field in named}
