"""The local Autopilot's search: features and an estimator chosen together, every try a candidate of the job.

    python -m local.sagemaker.builtin.autopilot --request FILE --training DIR [--validation DIR] --output DIR

Follows an AutoML job in hyperparameter tuning mode: the data is analysed, recipes are drawn by optuna, fitted and
scored within the limits of candidates and of time, and the best one is looked at closer. ``progress.jsonl`` in the
output says what happens while it happens. The program knows no S3 and no records: local.sagemaker.automl does.
"""

import argparse
import json
import sys
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split

from local.sagemaker.builtin import autopilot_notebooks as notebooks
from local.sagemaker.builtin import autopilot_scores, autopilot_space
from local.sagemaker.builtin.autopilot_candidates import (
    ALGORITHM,
    PROCESSOR,
    SCORES,
    Material,
    OutOfTimeError,
    Workbench,
)
from local.sagemaker.builtin.autopilot_serving.classifier import Classifier
from local.sagemaker.builtin.autopilot_serving.features import Processor
from local.sagemaker.builtin.autopilot_table import AutopilotError, Table, aligned, check, columns_of, read_table

PROGRESS, FAILURE = "progress.jsonl", "failure"
CANDIDATES, NOTEBOOKS, EXPLAINABILITY, INSIGHTS = "candidates", "notebooks", "explainability", "insights"
DEFAULT_VALIDATION_FRACTION = 0.2
EXPLAINED_ROWS = 500


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the job asks for, as local.sagemaker.automl writes it."""

    job: str
    target: str
    content: str | None
    problem: str | None
    objective: str | None
    algorithms: list[str]
    most_candidates: int
    candidate_seconds: float
    job_seconds: float
    validation_fraction: float | None


class Progress:
    """What happens, a JSON object a line."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def tell(self, event: str, **more: Any) -> None:
        """Append one line, and a shorter one to the log."""
        with self._path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({"event": event, "time": time.time(), **more}) + "\n")
        shown = {name: value for name, value in more.items() if name in ("name", "status", "value", "seconds", "error")}
        print(f"{event} " + " ".join(f"{name}={value}" for name, value in shown.items()), flush=True)


def run(request: Request, training: Path, validation: Path | None, output: Path) -> None:
    """The whole job; AutopilotError where it is impossible."""
    started = time.monotonic()
    progress = Progress(output / PROGRESS)
    progress.tell("phase", name="AnalyzingData")
    material, objective = _analyse(request, training, validation)
    progress.tell("resolved", objective=objective, problem=_problem(len(material.labels)))
    (output / NOTEBOOKS).mkdir(parents=True, exist_ok=True)
    tables = {"training": material.training, "validation": material.validation}
    explored = notebooks.data_exploration(request.job, tables, material.columns, target=request.target)
    (output / NOTEBOOKS / notebooks.DATA_EXPLORATION).write_text(explored, encoding="utf-8")
    progress.tell("phase", name="FeatureEngineering")
    allowed = autopilot_space.estimators(request.algorithms)
    progress.tell("phase", name="ModelTuning")
    leaderboard, is_out_of_time = _search(request, material, objective, allowed, output, progress, started)
    defined = notebooks.candidate_definition(request.job, leaderboard, objective=objective)
    (output / NOTEBOOKS / notebooks.CANDIDATE_DEFINITION).write_text(defined, encoding="utf-8")
    (output / "leaderboard.json").write_text(json.dumps(leaderboard, indent=2) + "\n", encoding="utf-8")
    best = leaderboard[0] if leaderboard else None
    if best is None or best["value"] is None:
        reason = f": {best['error']}" if best is not None else ""
        raise AutopilotError(f"no candidate was completed within the job's limits{reason}")
    progress.tell("best", name=best["name"])
    _report(material, objective, output, best["name"], progress)
    progress.tell("end", name="MaxAutoMLJobRuntimeReached" if is_out_of_time else "Completed")


def _analyse(request: Request, training: Path, validation: Path | None) -> tuple[Material, str]:
    table = read_table(training, target=request.target, only=request.content, channel="training")
    held: Table | None = None
    if validation is not None:
        held = read_table(validation, target=request.target, only=request.content, channel="validation")
    labels = check(table, held, target=request.target)
    if request.problem == "BinaryClassification" and len(labels) != 2:
        raise AutopilotError(f"the target column {request.target!r} has {len(labels)} values, and a binary one has 2")
    if held is None:
        fraction = request.validation_fraction or DEFAULT_VALIDATION_FRACTION
        learned, kept = train_test_split(
            np.arange(len(table)), test_size=fraction, stratify=table.targets, random_state=autopilot_space.SEED
        )
        table, held = table.where(sorted(learned.tolist())), table.where(sorted(kept.tolist()))
    held = aligned(held, table.columns)
    material = Material(training=table, validation=held, columns=columns_of(table), labels=labels)
    return material, autopilot_scores.objective(request.objective, len(labels))


def _problem(labels: int) -> str:
    return "BinaryClassification" if labels == 2 else "MulticlassClassification"


def _search(
    request: Request,
    material: Material,
    objective: str,
    allowed: tuple[str, ...],
    output: Path,
    progress: Progress,
    started: float,
) -> tuple[list[dict[str, Any]], bool]:
    """Every candidate, best first, and whether time ended the search."""
    study, workbench = autopilot_space.study(allowed), Workbench(material)
    tried: list[dict[str, Any]] = []
    for number in range(1, request.most_candidates + 1):
        left = request.job_seconds - (time.monotonic() - started)
        if left <= 0:
            return _ranked(tried), True
        trial = study.ask()
        recipe = autopilot_space.recipe(trial, allowed)
        name = f"{request.job}-{number:03d}"
        progress.tell("candidate", name=name, status="InProgress", recipe=recipe.described())
        begun = time.monotonic()
        entry: dict[str, Any] = {"name": name, "recipe": recipe.described(), "value": None, "status": "Failed"}
        try:
            found = workbench.make(
                recipe, output / CANDIDATES / name, timeout_seconds=min(request.candidate_seconds, left)
            )
        except (RuntimeError, AutopilotError) as error:
            study.tell(trial, 0.0)
            if isinstance(error, OutOfTimeError) and left <= request.candidate_seconds:
                entry |= {"status": "Stopped", "error": "the job's own time, MaxAutoMLJobRuntimeInSeconds, was over"}
            else:
                entry["error"] = str(error)
            entry["seconds"] = time.monotonic() - begun
            progress.tell("candidate", **entry)
        else:
            study.tell(trial, found[objective])
            entry |= {"status": "Completed", "value": found[objective], "seconds": time.monotonic() - begun}
            progress.tell("candidate", **entry, scores=found)
        tried.append(entry)
    return _ranked(tried), False


def _ranked(tried: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(tried, key=lambda each: (each["value"] is None, -(each["value"] or 0.0), each["name"]))


def _report(material: Material, objective: str, output: Path, name: str, progress: Progress) -> None:
    """What the best candidate goes by, and what it gets wrong, as its own containers answer."""
    folder = output / CANDIDATES / name
    processor, classifier = Processor.load(folder / PROCESSOR), Classifier.load(folder / ALGORITHM)
    truth = material.classes(material.validation)
    drawn = np.random.default_rng(autopilot_space.SEED).permutation(len(truth))[:EXPLAINED_ROWS]
    cells = [material.validation.cells[row] for row in drawn]

    def score(given: list[list[str]]) -> float:
        answers = classifier.probabilities(processor.transform(given))
        return autopilot_scores.scores(truth[drawn], answers, len(material.labels))[objective]

    progress.tell("phase", name="GeneratingExplainabilityReport")
    whole = score(cells)
    shuffled = np.random.default_rng(autopilot_space.SEED).permutation(len(cells))
    importance = {
        column.name: whole
        - score(
            [
                [*record[: column.index], cells[other][column.index], *record[column.index + 1 :]]
                for record, other in zip(cells, shuffled, strict=True)
            ]
        )
        for column in material.columns
        if column.kind != "unused"
    }
    largest: Mapping[str, Any] = json.loads((folder / SCORES).read_text("utf-8"))["largest"]
    _write(
        output / EXPLAINABILITY / name / "analysis.json",
        {
            "method": f"permutation importance: the loss of {objective} when a column's cells are exchanged",
            "rows": len(cells),
            "importance": importance,
            "largest_weights": largest,
        },
    )
    progress.tell("phase", name="GeneratingModelInsightsReport")
    answers = classifier.probabilities(processor.transform(material.validation.cells)).argmax(axis=1)
    _write(output / INSIGHTS / name / "statistics.json", autopilot_scores.insights(truth, answers, material.labels))


def _write(path: Path, document: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def main(argv: list[str]) -> int:
    """0, or 1 with the reason in the output's file ``failure``."""
    parser = argparse.ArgumentParser(prog="local.sagemaker.builtin.autopilot", description=__doc__.partition("\n")[0])
    parser.add_argument("--request", type=Path, required=True)
    parser.add_argument("--training", type=Path, required=True)
    parser.add_argument("--validation", type=Path)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args(argv)
    warnings.simplefilter("ignore")
    arguments.output.mkdir(parents=True, exist_ok=True)
    try:
        request = Request(**json.loads(arguments.request.read_text("utf-8")))
        run(request, arguments.training, arguments.validation, arguments.output)
    except AutopilotError as error:
        print(error, file=sys.stderr, flush=True)
        (arguments.output / FAILURE).write_text(str(error), encoding="utf-8")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
