"""The estimators of the search, fitted, and as plain arrays for the candidate's second container."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import lightgbm  # type: ignore[import-not-found]
import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import ComplementNB
from sklearn.svm import LinearSVC

from local.sagemaker.builtin.autopilot_serving import classifier as served
from local.sagemaker.builtin.autopilot_space import SEED, Recipe

FOLDS = 3
MOST_ROUNDS = 400
TOLERANCE = 1e-3
"""Of the logistic regression: a tenth of the usual precision is enough for a search."""


def fit(recipe: Recipe, features: Any, classes: Any) -> Any:
    """A scikit-learn classifier with probabilities, fitted on features [rows, features] and classes from 0."""
    settings = recipe.settings
    weight = "balanced" if settings.get("balanced") else None
    estimator: Any
    if recipe.estimator == "logistic":
        estimator = LogisticRegression(C=settings["c"], class_weight=weight, max_iter=MOST_ROUNDS, tol=TOLERANCE)
    elif recipe.estimator == "naive-bayes":
        estimator = ComplementNB(alpha=settings["alpha"])
    elif recipe.estimator == "svm":
        machine = LinearSVC(C=settings["c"], class_weight=weight, random_state=SEED, max_iter=MOST_ROUNDS * 5)
        folds = min(FOLDS, int(np.bincount(classes).min()))
        estimator = CalibratedClassifierCV(machine, method="sigmoid", cv=folds, ensemble=False)
    else:
        estimator = lightgbm.LGBMClassifier(
            objective="multiclass",
            num_class=int(classes.max()) + 1,
            n_estimators=settings["trees"],
            num_leaves=settings["leaves"],
            learning_rate=settings["rate"],
            min_child_samples=settings["least_rows_of_a_leaf"],
            class_weight=weight,
            random_state=SEED,
            deterministic=True,
            force_row_wise=True,
            use_missing=False,
            n_jobs=os.cpu_count(),
            verbose=-1,
        )
    return estimator.fit(features, classes)


def probabilities(estimator: Any, features: Any) -> Any:
    """[rows, classes]"""
    if isinstance(estimator, lightgbm.LGBMClassifier):
        return estimator.booster_.predict(features)
    return estimator.predict_proba(features)


def write(folder: Path, estimator: Any, *, features: int) -> None:
    """What :class:`autopilot_serving.classifier.Classifier` loads."""
    link = "softmax"
    if isinstance(estimator, lightgbm.LGBMClassifier):
        kind, arrays = "trees", _trees(estimator.booster_.dump_model())
    elif isinstance(estimator, ComplementNB):
        kind, arrays = "linear", {"weights": estimator.feature_log_prob_.T, "intercepts": 0.0}
    elif isinstance(estimator, LogisticRegression):
        kind, arrays = "linear", _both_sides(estimator)
    else:
        (calibrated,) = estimator.calibrated_classifiers_
        kind, link = "linear", "sigmoids"
        arrays = _both_sides(calibrated.estimator, factor=1.0)
        slopes, offsets = ([getattr(each, name) for each in calibrated.calibrators] for name in ("a_", "b_"))
        if len(slopes) == 1:
            # With two classes there is one machine and one sigmoid; the first class has what is left of 1.
            slopes, offsets = [slopes[0], slopes[0]], [-offsets[0], offsets[0]]
        arrays |= {"slopes": np.array(slopes), "offsets": np.array(offsets)}
    folder.mkdir(parents=True, exist_ok=True)
    description = {"kind": kind, "link": link, "features": features}
    (folder / served.DESCRIPTION).write_text(json.dumps(description), encoding="utf-8")
    kept: dict[str, Any] = {name: np.asarray(array) for name, array in arrays.items()}
    np.savez(folder / served.ARRAYS, **kept)


def _both_sides(estimator: Any, factor: float = 0.5) -> dict[str, Any]:
    """Weights and intercepts with an output for each class, also of a machine for two classes, which has one.

    The softmax of half of it for one class and against the other is its sigmoid.
    """
    weights, intercepts = estimator.coef_.T, np.atleast_1d(estimator.intercept_)
    if weights.shape[1] == 1:
        weights = np.hstack([-factor * weights, factor * weights])
        intercepts = np.concatenate([-factor * intercepts, factor * intercepts])
    return {"weights": weights, "intercepts": intercepts}


def _trees(model: Mapping[str, Any]) -> dict[str, Any]:
    per_round = int(model["num_tree_per_iteration"])
    nodes: list[tuple[int, float, int, int]] = []
    leaves: list[float] = []

    def add(tree: Mapping[str, Any]) -> int:
        """The node's number, or the leaf's below 0."""
        if "split_feature" not in tree:
            leaves.append(float(tree["leaf_value"]))
            return -len(leaves)
        number = len(nodes)
        nodes.append((0, 0.0, 0, 0))
        nodes[number] = (
            int(tree["split_feature"]),
            float(tree["threshold"]),
            add(tree["left_child"]),
            add(tree["right_child"]),
        )
        return number

    roots = [add(tree["tree_structure"]) for tree in model["tree_info"]]
    columns: Sequence[Any] = list(zip(*nodes, strict=True)) or [[0], [0.0], [-1], [-1]]
    return {
        "feature": np.array(columns[0], dtype=np.int64),
        "threshold": np.array(columns[1], dtype=np.float64),
        "left": np.array(columns[2], dtype=np.int64),
        "right": np.array(columns[3], dtype=np.int64),
        "leaves": np.array(leaves),
        "roots": np.array(roots, dtype=np.int64),
        "class_of_tree": np.arange(len(roots)) % per_round,
        "classes": np.int64(per_round),
    }
