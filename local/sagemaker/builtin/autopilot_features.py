"""The features of a recipe by scikit-learn, and the same as plain arrays for the candidate's first container."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse  # type: ignore[import-untyped]
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder

from local.sagemaker.builtin.autopilot_serving import features as served
from local.sagemaker.builtin.autopilot_space import Features
from local.sagemaker.builtin.autopilot_table import AutopilotError, Column

SHORTEST_PIECE = 2

Matrix = Any


class FittedFeatures:
    """The steps of every column that is used, fitted on the training cells."""

    def __init__(self, recipe: Features, columns: Sequence[Column], cells: Sequence[Sequence[str]]) -> None:
        self._names = [column.name for column in columns]
        self._steps: list[tuple[str, int, Any]] = []
        for column in columns:
            for kind, step in _steps(recipe, column):
                try:
                    step.fit(_given(kind, [record[column.index] for record in cells]))
                except ValueError:
                    continue  # No term comes in as many rows as it takes: the column gives nothing.
                self._steps.append((kind, column.index, step))
        if not self._steps:
            raise AutopilotError("no column gives a feature with this recipe")

    def transform(self, cells: Sequence[Sequence[str]]) -> Matrix:
        """A sparse matrix [rows, features]."""
        parts = [step.transform(_given(kind, [row[index] for row in cells])) for kind, index, step in self._steps]
        return scipy.sparse.csr_matrix(scipy.sparse.hstack(parts), dtype=np.float64)

    def names(self) -> list[str]:
        """A name for each feature, for people."""
        found: list[str] = []
        for kind, index, step in self._steps:
            column = self._names[index]
            if kind in ("words", "characters"):
                found += [f"{column}: {term}" for term in step.get_feature_names_out()]
            elif kind == "categories":
                found += [f"{column} = {value}" for value in step.categories_[0]]
            else:
                found.append(column)
        return found

    def write(self, folder: Path, labels: Sequence[str]) -> None:
        """What :class:`autopilot_serving.features.Processor` loads."""
        parts: list[dict[str, Any]] = []
        arrays: dict[str, Any] = {}
        for number, (kind, index, step) in enumerate(self._steps):
            part: dict[str, Any] = {"kind": kind, "column": index}
            if kind in ("words", "characters"):
                part["terms"] = [str(term) for term in step.get_feature_names_out()]
                part["ngrams"], part["sublinear"] = list(step.ngram_range), bool(step.sublinear_tf)
                arrays[f"idf_{number}"] = step.idf_.astype(np.float64)
            elif kind == "categories":
                part["values"] = [str(value) for value in step.categories_[0]]
            else:
                scaler = step[-1]
                part["median"] = float(step[0].statistics_[0])
                part["low"], part["high"] = float(scaler.data_min_[0]), float(scaler.data_max_[0])
            parts.append(part)
        description = {"columns": self._names, "labels": list(labels), "parts": parts}
        folder.mkdir(parents=True, exist_ok=True)
        (folder / served.DESCRIPTION).write_text(json.dumps(description), encoding="utf-8")
        np.savez(folder / served.ARRAYS, **arrays)


def _steps(recipe: Features, column: Column) -> list[tuple[str, Any]]:
    if column.kind == "category":
        return [("categories", OneHotEncoder(handle_unknown="ignore"))]
    if column.kind == "number":
        return [("number", make_pipeline(SimpleImputer(strategy="median"), MinMaxScaler(clip=True)))]
    if column.kind == "unused":
        return []
    shared: dict[str, Any] = {
        "min_df": recipe.least_rows,
        "sublinear_tf": recipe.is_sublinear,
        "max_features": recipe.most_terms,
    }
    steps = [("words", TfidfVectorizer(ngram_range=(1, recipe.word_ngrams), **shared))]
    if recipe.characters:
        pieces = TfidfVectorizer(analyzer="char_wb", ngram_range=(SHORTEST_PIECE, recipe.characters), **shared)
        steps.append(("characters", pieces))
    return steps


def _given(kind: str, cells: list[str]) -> Any:
    """The cells in the form that the step takes."""
    if kind in ("words", "characters"):
        return cells
    if kind == "categories":
        return np.array(cells, dtype=object).reshape(-1, 1)
    return np.array([_number(cell) for cell in cells]).reshape(-1, 1)


def _number(cell: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        return float("nan")
    return value if np.isfinite(value) else float("nan")
