"""What our containers' answers are worth beside those of the same weights in fp32, on the frozen test rows.

Label agreement and probability differences for both shapes; macro-F1 and the recall of negative feedback for the one
that is fine-tuned, also behind its gate. Knows nothing of time.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.serving.bench import Bench
from benchmarks.serving.measures import Goal, Measure
from benchmarks.serving.models import BERT, MINILM, Served
from benchmarks.serving.sides import Probabilities, probabilities
from training_code.calibration import softmax
from training_code.metrics import Scores, score

TEST_ROWS = {MINILM: 100_000, BERT: 300}
LEAST_AGREEMENT, LARGEST_DIFFERENCE = 0.99, 0.05
LARGEST_QUANTISATION_LOSS, LARGEST_GATE_LOSS = 0.003, 0.005


def measure(bench: Bench) -> list[Measure]:
    measures: list[Measure] = []
    for shape, served in bench.models.plain.items():
        rows = bench.models.test.limited(bench.thoroughness.items(min(len(bench.models.test), TEST_ROWS[shape])))
        bench.say(f"answers to {len(rows)} test rows, {shape}, against fp32")
        truth = _in_full_precision(bench, served, shape, rows.texts)
        ours = probabilities(bench.hosted(served).ask(rows.texts))
        measures += _agreement(shape, truth, ours)
        if shape != MINILM:
            continue
        full, quantised = score(rows.classes, truth), score(rows.classes, ours)
        measures.append(_loss(f"{shape}: macro-F1, fp32 and as served", full, quantised, LARGEST_QUANTISATION_LOSS))
        if bench.models.cascade is not None:
            gated = score(rows.classes, probabilities(bench.hosted(bench.models.cascade).ask(rows.texts)))
            measures += _behind_gate(bench.models.cascade, full, gated)
    return measures


def _in_full_precision(bench: Bench, served: Served, shape: str, texts: Sequence[str]) -> Probabilities:
    """Probabilities under the temperature that the label container applies."""
    logits = np.array(bench.torch(shape).ask("logits", texts))
    return softmax(logits, temperature=_temperature(served.artifacts[-1]))


def _temperature(label_artifact: Path) -> float:
    with tarfile.open(label_artifact) as archive:
        member = archive.extractfile("calibration.json")
        if member is None:
            raise ValueError(f"{label_artifact} has no calibration.json")
        return float(json.load(member)["temperature"])


def _agreement(shape: str, truth: Probabilities, ours: Probabilities) -> list[Measure]:
    return [
        Measure(
            name=f"{shape}: label agreement with fp32",
            unit="%",
            ours=100 * float((truth.argmax(axis=1) == ours.argmax(axis=1)).mean()),
            goal=Goal.at_least(100 * LEAST_AGREEMENT, "%"),
        ),
        Measure(
            name=f"{shape}: largest probability difference",
            unit="",
            ours=float(np.abs(truth - ours).max()),
            goal=Goal.at_most(LARGEST_DIFFERENCE),
            note=f"99th percentile {np.percentile(np.abs(truth - ours).max(axis=1), 99):.4f}",
        ),
    ]


def _loss(name: str, full: Scores, ours: Scores, largest: float) -> Measure:
    """Signed: below zero, ours is better."""
    return Measure(
        name=f"{name}: lost",
        unit="",
        ours=full.macro_f1 - ours.macro_f1,
        goal=Goal.at_most(largest),
        note=f"{full.macro_f1:.4f} and {ours.macro_f1:.4f}",
    )


def _behind_gate(served: Served, full: Scores, gated: Scores) -> list[Measure]:
    share = served.evaluation.get("gate_share")
    return [
        _loss(f"{served.name}: macro-F1", full, gated, LARGEST_GATE_LOSS),
        Measure(
            name=f"{served.name}: negative recall lost",
            unit="",
            ours=full.negative_recall - gated.negative_recall,
            goal=Goal.at_most(0.0),
            note=f"{full.negative_recall:.4f} and {gated.negative_recall:.4f}",
        ),
        *(
            [Measure(name=f"{served.name}: rows answered by the gate", unit="%", ours=100 * share)]
            if isinstance(share, float)
            else []
        ),
    ]
