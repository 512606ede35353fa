"""Two production variants asked the same texts: what each said, how long it took, and how the two compare.

Responsible for asking fairly (the same batches, in turn first and second) and for the figures. It does not know where
the texts come from, nor how a report looks.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from cli.connection import Connection
from cli.errors import NotReady, Problem
from feedback.comparison import Pairs, confusion
from feedback.sentiment import LABELS, UNSURE

BATCH = 10
CONTENT_TYPE = "application/jsonlines"
REFUSED = "refused"
SAID = (*LABELS, UNSURE, REFUSED)

Note = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Text:
    """One text, with its label by its stars where they are known."""

    text: str
    truth: str | None = None


@dataclass(kw_only=True)
class Variant:
    """One production variant and what it said."""

    name: str
    weight: float
    version: str = ""
    answers: list[str] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """For `--json`: shares of what it said, and the time of a request of BATCH texts."""
        return {
            "name": self.name,
            "weight": self.weight,
            "model_version": self.version,
            "shares": {label: self.answers.count(label) / len(self.answers) for label in SAID},
            "p50_milliseconds": statistics.median(self.milliseconds),
            "p99_milliseconds": _p99(self.milliseconds),
        }


def two_variants(connection: Connection) -> tuple[Variant, Variant]:
    """The variants of the endpoint, the released model's first."""
    name = connection.output("endpoint", "EndpointName")
    described = connection.client("sagemaker").describe_endpoint(EndpointName=name)
    found = [
        Variant(name=each["VariantName"], weight=float(each.get("CurrentWeight", 0.0)))
        for each in described.get("ProductionVariants", [])
    ]
    if len(found) < 2:
        raise NotReady(
            "The endpoint serves one model only: `earshot release MODEL --beside --weight 0.1` serves a second one "
            "beside it, `--shadow` one without traffic."
        )
    return found[0], found[1]


def ask(connection: Connection, variants: tuple[Variant, Variant], texts: Sequence[Text], note: Note) -> None:
    """Ask both variants all texts; who is first changes with every batch, so that neither always finds warm caches."""
    name = connection.output("endpoint", "EndpointName")
    client = connection.client("sagemaker-runtime")
    for number, start in enumerate(range(0, len(texts), BATCH)):
        batch = texts[start : start + BATCH]
        body = "".join(json.dumps({"text": each.text}) + "\n" for each in batch).encode()
        for variant in variants if number % 2 == 0 else reversed(variants):
            started = time.monotonic()
            answer = client.invoke_endpoint(
                EndpointName=name,
                TargetVariant=variant.name,
                Body=body,
                ContentType=CONTENT_TYPE,
                Accept=CONTENT_TYPE,
            )
            content: bytes = answer["Body"].read()
            variant.milliseconds.append((time.monotonic() - started) * 1000)
            _note_answers(variant, content, len(batch))
        note(f"{min(start + BATCH, len(texts))} of {len(texts)}")


def compared(first: Variant, second: Variant, texts: Sequence[Text]) -> dict[str, Any]:
    """Agreement, confusion and the variants' own figures; with labels also accuracies and McNemar's test."""
    agreeing = sum(one == other for one, other in zip(first.answers, second.answers, strict=True))
    report: dict[str, Any] = {
        "texts": len(texts),
        "agreement": agreeing / len(texts),
        "labels": list(SAID),
        "confusion": confusion(first.answers, second.answers, SAID),
        "variants": [first.as_dict(), second.as_dict()],
        "labelled": None,
    }
    known = [place for place, each in enumerate(texts) if each.truth is not None]
    if known:
        first_right = [first.answers[place] == texts[place].truth for place in known]
        second_right = [second.answers[place] == texts[place].truth for place in known]
        pairs = Pairs.of(first_right, second_right)
        report["labelled"] = {
            "texts": len(known),
            "accuracy": [sum(first_right) / len(known), sum(second_right) / len(known)],
            "only_first_right": pairs.only_first,
            "only_second_right": pairs.only_second,
            "mcnemar_p": pairs.p_value(),
        }
    return report


def _note_answers(variant: Variant, content: bytes, expected: int) -> None:
    answers = [json.loads(line) for line in content.splitlines() if line.strip()]
    if len(answers) != expected:
        raise Problem(f"The variant {variant.name} answered {len(answers)} lines to {expected} texts.")
    for answer in answers:
        variant.answers.append(REFUSED if "error" in answer else answer["label"])
        variant.version = answer.get("model_version", variant.version)


def _p99(times: Sequence[float]) -> float:
    return statistics.quantiles(times, n=100, method="inclusive")[-1] if len(times) > 1 else times[0]
