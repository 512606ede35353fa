"""The evaluation job: packs the trained model for serving, and measures exactly what it packed on the frozen test rows.

    python3 -m training_code.evaluate --model DIR --test DIR --serving DIR --run RUN --output DIR --release DIR

`--release` receives the three artifacts, their manifest and rows to probe them with, `--output` the report
`evaluation.json`. Knows nothing of gates or registries: it states figures and judges none.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np

from feedback.sentiment import CLASSES, LABELS, UNSURE
from training_code import artifacts, chain, metrics
from training_code.containers.cascade import Cascade
from training_code.containers.ragged import Ragged
from training_code.containers.tokenization import Tokenization
from training_code.examples import Rows, read_rows
from training_code.failures import JobError, run_job
from training_code.metrics import Probabilities
from training_code.progress import say

LINES_PER_REQUEST = 64
PROBES = "probes.jsonl"
PROBES_PER_SENTIMENT = 66
"""Together below 200: the canary sends all of them to a running endpoint, more than once."""


def evaluate(*, model: Path, test: Path, serving: Path, run: str, output: Path, release: Path) -> dict[str, object]:
    """Build, run, measure, write; returns what `evaluation.json` says."""
    rows = read_rows(test, split="test")
    with (
        artifacts.opened(_archive_or_folder(model, "model.tar.gz")) as model_folder,
        artifacts.opened(_archive_or_folder(serving, "serving.tar.gz")) as serving_folder,
    ):
        training = _training_report(model_folder)
        built = artifacts.build_release(model_folder, serving_folder, release, version_prefix=run)
        gate_share = _gate_share(model_folder, rows)
    say(f"packed {built.model_version}; asking it about {len(rows)} test rows")
    started = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="earshot-evaluate-") as scratch,
        chain.running(built.artifacts, Path(scratch)) as containers,
    ):
        probabilities, is_unsure = _answers(containers, rows, built.model_version)
    (release / PROBES).write_text(_probes(rows, probabilities, is_unsure), encoding="utf-8")
    seconds = time.monotonic() - started
    scores = asdict(metrics.score(rows.classes, probabilities))
    report: dict[str, object] = {
        "run": run,
        "model_version": built.model_version,
        **scores,
        "unsure_share": float(is_unsure.mean()),
        "rows_per_second": round(len(rows) / seconds, 1),
        "gate_share": gate_share,
        "features": {"fingerprint": rows.fingerprint},
        "training": training,
        "manifest": built.digests,
    }
    output.mkdir(parents=True, exist_ok=True)
    (output / "evaluation.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return report


def _archive_or_folder(place: Path, name: str) -> Path:
    """The archive in a channel's folder, the archive itself, or a folder that is unpacked already."""
    if (place / name).is_file():
        return place / name
    if place.is_file() or (place.is_dir() and any(place.iterdir())):
        return place
    raise JobError(f"There is no {name} in {place}.")


def _training_report(model: Path) -> object:
    path = model / "training.json"
    if not path.is_file():
        raise JobError("The model has no training.json, so it does not come from this product's training job.")
    return json.loads(path.read_text(encoding="utf-8"))


def _gate_share(model: Path, rows: Rows) -> float | None:
    """The share of the test rows that the gate answers in the model's place; None where the model has no gate."""
    gate = Cascade.load(model)
    if gate is None:
        return None
    _, undecided = gate.split(Ragged.of(Tokenization.load(model).encode(rows.texts)))
    return 1 - len(undecided) / len(rows)


def _answers(containers: chain.Chain, rows: Rows, model_version: str) -> tuple[Probabilities, metrics.Unsure]:
    probabilities = np.empty((len(rows), len(LABELS)))
    is_unsure = np.zeros(len(rows), dtype=np.bool_)
    for start in range(0, len(rows), LINES_PER_REQUEST):
        texts = rows.texts[start : start + LINES_PER_REQUEST]
        lines = [json.dumps({"id": str(start + place), "text": text}) for place, text in enumerate(texts)]
        answers = [json.loads(line) for line in containers.ask("\n".join(lines).encode()).splitlines()]
        if [answer.get("id") for answer in answers] != [str(start + place) for place in range(len(texts))]:
            raise JobError("The containers lost or reordered lines of a request.")
        for place, answer in enumerate(answers, start=start):
            if "error" in answer:
                raise JobError(f"The containers refused test row {place}: {answer['error']['message']}")
            if answer["model_version"] != model_version:
                raise JobError("The containers answered with another model version than the packed one.")
            probabilities[place] = [answer["probabilities"][label] for label in LABELS]
            is_unsure[place] = answer["label"] == UNSURE
    return probabilities, is_unsure


def _probes(rows: Rows, probabilities: Probabilities, is_unsure: metrics.Unsure) -> str:
    """The first test rows of each sentiment, which are in the order of a hash, and this model's answers to them."""
    lines = []
    for sentiment in CLASSES:
        for place in np.flatnonzero(rows.classes == sentiment.class_index)[:PROBES_PER_SENTIMENT]:
            expected = UNSURE if is_unsure[place] else LABELS[int(probabilities[place].argmax())]
            lines.append(
                json.dumps({"text": rows.texts[place], "sentiment": int(sentiment), "expected": expected}) + "\n"
            )
    return "".join(lines)


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="training_code.evaluate", description=__doc__.partition("\n")[0])
    parser.add_argument("--model", type=Path, required=True, help="folder with the training job's model.tar.gz")
    parser.add_argument("--test", type=Path, required=True, help="folder with the test rows")
    parser.add_argument("--serving", type=Path, required=True, help="folder with serving.tar.gz")
    parser.add_argument("--run", required=True, help="the pipeline run, which the model version starts with")
    parser.add_argument("--output", type=Path, required=True, help="folder for evaluation.json")
    parser.add_argument("--release", type=Path, required=True, help="folder for the three artifacts")
    parser.add_argument("--message", type=Path, help="file that becomes the job's exit message on failure")
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    arguments = vars(_arguments(argv))
    message = arguments.pop("message")

    def job() -> None:
        report = evaluate(**arguments)
        interval = report["macro_f1_interval"]
        say(f"macro-F1 {report['macro_f1']:.3f}, 95 % interval {interval}")
        say(f"accuracy {report['accuracy']:.3f}, negative recall {report['negative_recall']:.3f}")
        say(f"calibration error {report['calibration_error']:.3f}, unsure {report['unsure_share']:.1%}")

    return run_job(job, failure_file=message)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
