"""Candidates fitted and scored, each in a process of its own, so that a time limit ends one and not the search.

What a candidate leaves is its folder: ``processor/``, ``algorithm/`` and ``scores.json``, or ``failure``. Knows no
search and no request.
"""

import json
import multiprocessing
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from local.sagemaker.builtin import autopilot_estimators as estimators
from local.sagemaker.builtin.autopilot_features import FittedFeatures
from local.sagemaker.builtin.autopilot_scores import scores
from local.sagemaker.builtin.autopilot_space import Features, Recipe
from local.sagemaker.builtin.autopilot_table import Column, Table

PROCESSOR, ALGORITHM, SCORES, FAILURE = "processor", "algorithm", "scores.json", "failure"
LARGEST_FEATURES = 30
"""So many of the weights of each label go into the report."""
KEPT_FEATURES = 2


@dataclass(frozen=True, kw_only=True)
class Material:
    """What every candidate learns from and is judged by."""

    training: Table
    validation: Table
    columns: Sequence[Column]
    labels: Sequence[str]

    def classes(self, table: Table) -> Any:
        """[rows] the labels' numbers."""
        number = {label: index for index, label in enumerate(self.labels)}
        return np.array([number[target] for target in table.targets], dtype=np.int64)


class OutOfTimeError(RuntimeError):
    """The candidate was not fitted in the time that it had."""


class Workbench:
    """Makes candidates. Features are kept while recipes ask for the same."""

    def __init__(self, material: Material) -> None:
        self._material = material
        self._training_classes = material.classes(material.training)
        self._validation_classes = material.classes(material.validation)
        self._kept: OrderedDict[Features, tuple[FittedFeatures, Any, Any]] = OrderedDict()

    def prepare(self, features: Features) -> tuple[FittedFeatures, Any, Any]:
        """The fitted steps, and the training and validation rows by them."""
        if features not in self._kept:
            fitted = FittedFeatures(features, self._material.columns, self._material.training.cells)
            training = fitted.transform(self._material.training.cells)
            self._kept[features] = fitted, training, fitted.transform(self._material.validation.cells)
            while len(self._kept) > KEPT_FEATURES:
                self._kept.popitem(last=False)
        self._kept.move_to_end(features)
        return self._kept[features]

    def make(self, recipe: Recipe, folder: Path, *, timeout_seconds: float) -> dict[str, float]:
        """Fit a recipe into its folder and return its scores; RuntimeError with a sentence where nothing came of it.

        OutOfTimeError where it was the time.
        """
        started = time.monotonic()
        fitted, training, validation = self.prepare(recipe.features)
        folder.mkdir(parents=True, exist_ok=True)

        def work() -> None:
            estimator = estimators.fit(recipe, training, self._training_classes)
            answers = estimators.probabilities(estimator, validation)
            fitted.write(folder / PROCESSOR, self._material.labels)
            estimators.write(folder / ALGORITHM, estimator, features=training.shape[1])
            report = {
                "scores": scores(self._validation_classes, answers, len(self._material.labels)),
                "largest": _largest(estimator, fitted, self._material.labels),
            }
            (folder / SCORES).write_text(json.dumps(report), encoding="utf-8")

        _in_a_process(work, folder / FAILURE, timeout_seconds - (time.monotonic() - started))
        found: dict[str, float] = json.loads((folder / SCORES).read_text("utf-8"))["scores"]
        return found


def _in_a_process(work: Callable[[], None], failure: Path, timeout_seconds: float) -> None:
    """Do the work in a fork, which has the data already and leaves files; nothing is sent back."""

    def life() -> None:
        try:
            work()
        except Exception as error:
            traceback.print_exc()
            failure.write_text(f"{type(error).__name__}: {error}"[:900], encoding="utf-8")
            raise SystemExit(1) from error

    process = multiprocessing.get_context("fork").Process(target=life, daemon=True)
    process.start()
    process.join(max(0.0, timeout_seconds))
    if process.is_alive():
        process.kill()
        process.join()
        raise OutOfTimeError("the candidate was not fitted within MaxRuntimePerTrainingJobInSeconds")
    if process.exitcode:
        told = failure.read_text("utf-8") if failure.is_file() else f"its process ended with code {process.exitcode}"
        raise RuntimeError(told)


def _largest(estimator: Any, fitted: FittedFeatures, labels: Sequence[str]) -> dict[str, list[list[object]]]:
    """The features with the most weight for each label, where the estimator is linear in them."""
    weights = getattr(estimator, "coef_", None)
    if weights is None:
        weights = getattr(estimator, "feature_log_prob_", None)
        weights = None if weights is None else weights - weights.mean(axis=0)
    if weights is None or len(weights) != len(labels):
        return {}
    names = fitted.names()
    return {
        label: [[names[place], float(row[place])] for place in np.argsort(-row)[:LARGEST_FEATURES]]
        for label, row in zip(labels, weights, strict=True)
    }
