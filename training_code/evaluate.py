"""The evaluation job: packs the trained model for serving, and measures exactly what it packed on the frozen test rows.

    python3 -m training_code.evaluate --model DIR --test DIR --serving DIR --run RUN --output DIR --release DIR
        [--name bert --validation DIR --candidate DIR]

`--release` receives the three artifacts, their manifest and rows to probe them with, `--output` the report
`evaluation.json`, `--candidate` what the comparison with other models reads, for which validation rows are asked about
too. Knows nothing of gates or registries: it states figures and judges none.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from feedback.sentiment import CLASSES, LABELS, UNSURE
from training_code import artifacts, chain, metrics
from training_code.calibration import softmax
from training_code.candidates import predictions
from training_code.candidates.predictions import TEST, VALIDATION, Candidate, Predictions
from training_code.containers.cascade import Cascade
from training_code.containers.ragged import Ragged
from training_code.containers.tokenization import Tokenization
from training_code.failures import JobError, run_job
from training_code.feature_rows import SplitRows, read_split
from training_code.metrics import Classes, Probabilities
from training_code.progress import SECONDS_BETWEEN_LINES, say

LINES_PER_REQUEST = 64
PROBES = "probes.jsonl"
PROBES_PER_SENTIMENT = 66
"""Together below 200: the canary sends all of them to a running endpoint, more than once."""
TITLES = {"bert": "Fine-tuned BERT", "tuned": "Fine-tuned BERT, hyperparameters tuned"}


@dataclass(frozen=True, kw_only=True)
class Served:
    """One split as the packed containers answered it."""

    rows: SplitRows
    probabilities: Probabilities
    answers: Classes
    """The class that was decided for; where the answer was unsure, the one that would have been."""
    is_unsure: metrics.Unsure

    def scores(self) -> metrics.Scores:
        return metrics.score(self.rows.classes, self.probabilities, self.answers)


@dataclass(frozen=True, kw_only=True)
class Decision:
    """How the packed model gets from logits to an answer, as its calibration.json says."""

    temperature: float
    weights: Probabilities
    """[classes], what each probability is multiplied with before the highest is chosen."""

    @classmethod
    def of(cls, model: Path) -> Decision:
        stated = json.loads((model / "calibration.json").read_text(encoding="utf-8"))
        weights = stated.get("decision_weights") or {}
        return cls(
            temperature=float(stated["temperature"]),
            weights=np.array([float(weights.get(label, 1.0)) for label in LABELS]),
        )

    def raw(self, probabilities: Probabilities) -> Probabilities:
        """What the probabilities were before temperature scaling, as far as their digits tell."""
        return softmax(predictions.logits_of(probabilities) * self.temperature)


def evaluate(
    *,
    model: Path,
    test: Path,
    serving: Path,
    run: str,
    output: Path,
    release: Path,
    name: str = "bert",
    validation: Path | None = None,
    candidate: Path | None = None,
    training_instance: str | None = None,
    training_instances: int = 1,
    training_seconds: float | None = None,
) -> dict[str, Any]:
    """Build, run, measure, write; returns what `evaluation.json` says."""
    if candidate is not None and validation is None:
        raise JobError("A candidate is compared on validation rows too: --candidate needs --validation.")
    test_rows = read_split(test, split=TEST)
    validation_rows = read_split(validation, split=VALIDATION) if validation is not None else None
    with (
        artifacts.opened(_archive_or_folder(model, "model.tar.gz")) as model_folder,
        artifacts.opened(_archive_or_folder(serving, "serving.tar.gz")) as serving_folder,
    ):
        training = _training_report(model_folder)
        built = artifacts.build_release(model_folder, serving_folder, release, version_prefix=run)
        gate_share = _gate_share(model_folder, test_rows)
        decision = Decision.of(model_folder)
        size = _served_bytes(model_folder)
    asked = len(test_rows) + (len(validation_rows) if validation_rows else 0)
    say(f"packed {built.model_version}; asking it about {asked} rows")
    with (
        tempfile.TemporaryDirectory(prefix="earshot-evaluate-") as scratch,
        chain.running(built.artifacts, Path(scratch)) as containers,
    ):
        # Loading the model is no part of how fast it answers.
        containers.ask(json.dumps({"text": test_rows.texts[0]}).encode())
        started = time.monotonic()
        measured = _ask(containers, test_rows, built.model_version, decision, split=TEST)
        known = (
            _ask(containers, validation_rows, built.model_version, decision, split=VALIDATION)
            if validation_rows is not None
            else None
        )
        rows_per_second = round(asked / (time.monotonic() - started), 1)
    (release / PROBES).write_text(_probes(measured), encoding="utf-8")
    uncalibrated = decision.raw(measured.probabilities)
    report: dict[str, Any] = {
        "run": run,
        "candidate": name,
        "model_version": built.model_version,
        **asdict(measured.scores()),
        "calibration_error_before": metrics.calibration_error(test_rows.classes, uncalibrated),
        "unsure_share": float(measured.is_unsure.mean()),
        "rows_per_second": rows_per_second,
        "gate_share": gate_share,
        "validation": asdict(known.scores()) if known else None,
        "features": {"fingerprint": test_rows.fingerprint},
        "training": training,
        "manifest": built.digests,
    }
    output.mkdir(parents=True, exist_ok=True)
    (output / "evaluation.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    if candidate is not None and known is not None:
        described = Candidate(
            name=name,
            title=TITLES.get(name, name),
            family=name,
            trained_rows=int(training.get("rows", 0)),
            training_seconds=float(training.get("seconds", 0.0)) if training_seconds is None else training_seconds,
            training_instance=training_instance,
            training_instances=training_instances,
            size_bytes=size,
            texts_per_second=rows_per_second,
            is_deployable=True,
            details={
                "model_version": built.model_version,
                "unsure_share": report["unsure_share"],
                "temperature": decision.temperature,
                "decision_weights": dict(zip(LABELS, decision.weights.tolist(), strict=True)),
                **{
                    key: training[key]
                    for key in ("base", "weights", "best_epoch", "hyperparameters")
                    if key in training
                },
            },
        )
        predictions.write(candidate, described, _predictions(known, measured, decision))
    return report


def _archive_or_folder(place: Path, name: str) -> Path:
    """The archive in a channel's folder, the archive itself, or a folder that is unpacked already."""
    if (place / name).is_file():
        return place / name
    if place.is_file() or (place.is_dir() and any(place.iterdir())):
        return place
    raise JobError(f"There is no {name} in {place}.")


def _training_report(model: Path) -> dict[str, Any]:
    path = model / "training.json"
    if not path.is_file():
        raise JobError("The model has no training.json, so it does not come from this product's training job.")
    report = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(report, dict):
        raise JobError("The model's training.json is no report of a training job.")
    return report


def _served_bytes(model: Path) -> int:
    """What is loaded to answer: the graph, and the gate where there is one."""
    names = {name for graph in artifacts.GRAPHS for name in graph} | set(artifacts.CASCADE)
    return sum((model / name).stat().st_size for name in names if (model / name).is_file())


def _gate_share(model: Path, rows: SplitRows) -> float | None:
    """The share of the test rows that the gate answers in the model's place; None where the model has no gate."""
    gate = Cascade.load(model)
    if gate is None:
        return None
    _, undecided = gate.split(Ragged.of(Tokenization.load(model).encode(rows.texts)))
    return 1 - len(undecided) / len(rows)


def _ask(containers: chain.Chain, rows: SplitRows, model_version: str, decision: Decision, *, split: str) -> Served:
    """Texts of like length go together, so that little padding is computed; what is answered does not depend on it."""
    probabilities = np.empty((len(rows), len(LABELS)))
    answers = np.zeros(len(rows), dtype=np.int64)
    is_unsure = np.zeros(len(rows), dtype=np.bool_)
    order = sorted(range(len(rows)), key=lambda place: len(rows.texts[place]))
    last_said = time.monotonic()
    for start in range(0, len(order), LINES_PER_REQUEST):
        places = order[start : start + LINES_PER_REQUEST]
        lines = [json.dumps({"id": str(place), "text": rows.texts[place]}) for place in places]
        found = [json.loads(line) for line in containers.ask("\n".join(lines).encode()).splitlines()]
        if [answer.get("id") for answer in found] != [str(place) for place in places]:
            raise JobError("The containers lost or reordered lines of a request.")
        for place, answer in zip(places, found, strict=True):
            if "error" in answer:
                raise JobError(f"The containers refused {split} row {place}: {answer['error']['message']}")
            if answer["model_version"] != model_version:
                raise JobError("The containers answered with another model version than the packed one.")
            probabilities[place] = [answer["probabilities"][label] for label in LABELS]
            is_unsure[place] = answer["label"] == UNSURE
            answers[place] = (
                (probabilities[place] * decision.weights).argmax()
                if is_unsure[place]
                else LABELS.index(answer["label"])
            )
        if time.monotonic() - last_said > SECONDS_BETWEEN_LINES:
            last_said = time.monotonic()
            say(f"{start + len(places)} of {len(rows)} {split} rows answered")
    return Served(rows=rows, probabilities=probabilities, answers=answers, is_unsure=is_unsure)


def _predictions(validation: Served, test: Served, decision: Decision) -> Predictions:
    both = (validation, test)
    # Answers come with six decimals, so that their sum may be off by as much.
    probabilities = np.concatenate([served.probabilities for served in both])
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    return Predictions(
        text_ids=np.array([text_id for served in both for text_id in served.rows.text_ids], dtype=np.str_),
        split=np.repeat(np.array((VALIDATION, TEST), dtype=np.str_), [len(served.rows) for served in both]),
        probabilities=probabilities,
        raw=decision.raw(probabilities),
        answers=np.concatenate([served.answers for served in both]),
    )


def _probes(served: Served) -> str:
    """The first test rows of each sentiment, which are in the order of a hash, and this model's answers to them."""
    lines = []
    for sentiment in CLASSES:
        for place in np.flatnonzero(served.rows.classes == sentiment.class_index)[:PROBES_PER_SENTIMENT]:
            expected = UNSURE if served.is_unsure[place] else LABELS[int(served.answers[place])]
            lines.append(
                json.dumps({"text": served.rows.texts[place], "sentiment": int(sentiment), "expected": expected}) + "\n"
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
    parser.add_argument("--name", choices=sorted(TITLES), default="bert", help="the candidate that this model is")
    parser.add_argument("--validation", type=Path, help="folder with the validation rows")
    parser.add_argument("--candidate", type=Path, help="folder for what the comparison reads")
    parser.add_argument("--training-instance", help="the instance that it was trained on, for its price")
    parser.add_argument("--training-instances", type=int, default=1, help="how many trained it together")
    parser.add_argument(
        "--training-seconds", type=float, help="what training took in all, where that is more than one job"
    )
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
