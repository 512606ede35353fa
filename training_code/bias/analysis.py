"""Clarify's bias analysis, from its configuration and a data set to the contents of its `analysis.json`.

Understands what AWS documents for tabular bias analyses: labels and facets by name or index, categories or one
threshold, a group variable, lists of metrics or "all". Knows nothing of folders, of jobs or of explanations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from training_code.bias import measures
from training_code.bias.contingency import Booleans, Coded, Table, count
from training_code.bias.meanings import TITLES
from training_code.bias.measures import Metric
from training_code.failures import JobError

PRETRAINING: Final = "pre_training_bias"
POSTTRAINING: Final = "post_training_bias"
SECTION: Final = {PRETRAINING: "pre_training_bias_metrics", POSTTRAINING: "post_training_bias_metrics"}
_CONTINUOUS_SHARE = 0.05
"""From this share of distinct values on, Clarify takes whole numbers for measurements and not for categories."""
_NOT_COMPUTED = {"FT": "the flip test needs numeric features, and is not computed here"}

Config = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """Columns by name, in the order of the file."""

    columns: Mapping[str, Coded]

    @property
    def rows(self) -> int:
        return len(next(iter(self.columns.values())))

    def named(self, name_or_index: str | int, *, purpose: str) -> tuple[str, Coded]:
        """The column of this name or index; JobError where there is none."""
        names = list(self.columns)
        if isinstance(name_or_index, int) and 0 <= name_or_index < len(names):
            name_or_index = names[name_or_index]
        if name_or_index not in self.columns:
            raise JobError(f"The {purpose} {name_or_index!r} is no column of the dataset ({', '.join(names)}).")
        return str(name_or_index), self.columns[str(name_or_index)]


def analyse(config: Config, dataset: Dataset) -> dict[str, Any]:
    """The document with a section per method; JobError for what the configuration asks and the data has not."""
    label_name, label = dataset.named(_required(config, "label"), purpose="label")
    favoured_values = _required(config, "label_values_or_threshold")
    is_favoured, favoured = _favoured(label, favoured_values, purpose="label")
    group = None
    if "group_variable" in config:
        _, group = dataset.named(config["group_variable"], purpose="group variable")
    facets = _required(config, "facet")
    methods = config["methods"]
    document: dict[str, Any] = {"version": "1.0"}
    for method in (PRETRAINING, POSTTRAINING):
        if method not in methods:
            continue
        is_favoured_answer = None
        if method == POSTTRAINING:
            is_favoured_answer = _favoured_answers(config, dataset, favoured_values)
        document[SECTION[method]] = {
            "label": label_name,
            "label_value_or_threshold": favoured,
            "facets": dict(
                _facet(facet, dataset, is_favoured, is_favoured_answer, group, _metrics(methods[method], method))
                for facet in facets
            ),
        }
    return document


def _required(config: Config, key: str) -> Any:
    if config.get(key) in (None, [], ""):
        raise JobError(f"The analysis configuration has no {key!r}, which bias metrics need.")
    return config[key]


def _metrics(method: Mapping[str, Any], kind: str) -> list[str]:
    known = measures.PRETRAINING if kind == PRETRAINING else {**measures.POSTTRAINING, **_NOT_COMPUTED}
    asked = method.get("methods", "all")
    if asked in ("all", ["all"]):
        return sorted(known)
    unknown = [name for name in asked if name not in known]
    if unknown:
        raise JobError(f"There is no {kind} metric {unknown[0]!r}; there are {', '.join(sorted(known))}.")
    return sorted(asked)


def _favoured_answers(config: Config, dataset: Dataset, values: Sequence[Any]) -> Booleans:
    name, answers = dataset.named(_required(config, "predicted_label"), purpose="predicted label")
    is_favoured, _ = _favoured(answers, values, purpose="predicted label")
    if not is_favoured.any():
        raise JobError(f"No row of {name!r} has a favoured value of {list(values)}, so there is nothing to compare.")
    return is_favoured


def _facet(
    facet: Mapping[str, Any],
    dataset: Dataset,
    is_favoured: Booleans,
    is_favoured_answer: Booleans | None,
    group: Coded | None,
    metrics: Sequence[str],
) -> tuple[str, list[dict[str, object]]]:
    name, column = dataset.named(facet["name_or_index"], purpose="facet")
    values = facet.get("value_or_threshold")
    if values:
        is_chosen, described = _favoured(column, values, purpose="facet")
        column = Coded(codes=np.where(is_chosen, 0, -1), values=(described,))
    elif _numbers_if_continuous(column, []) is not None:
        raise JobError(f"The facet {name!r} is numeric and has no value_or_threshold to part it by.")
    table = count(column, is_favoured, is_favoured_answer=is_favoured_answer, group=group)
    return name, [
        {"value_or_threshold": value, "metrics": [_described(metric) for metric in found]}
        for value, found in _measured(table, metrics).items()
    ]


def _measured(table: Table, metrics: Sequence[str]) -> dict[str, list[Metric]]:
    computed = [name for name in metrics if name not in _NOT_COMPUTED]
    found = measures.posttraining(table, computed) if table.has_answers else measures.pretraining(table, computed)
    left_out = [Metric(name=name, value=None, error=_NOT_COMPUTED[name]) for name in metrics if name in _NOT_COMPUTED]
    return {value: sorted([*rows, *left_out], key=lambda metric: metric.name) for value, rows in found.items()}


def _described(metric: Metric) -> dict[str, object]:
    value: float | str | None = metric.value
    if metric.value is not None and np.isinf(metric.value):
        value = "Infinity" if metric.value > 0 else "-Infinity"
    described: dict[str, object] = {"name": metric.name, "description": TITLES[metric.name], "value": value}
    return described if metric.error is None else described | {"error": metric.error}


def _favoured(column: Coded, values: Sequence[Any] | float, *, purpose: str) -> tuple[Booleans, str]:
    """Which rows have one of the values, or are above a threshold, and how Clarify writes that down."""
    given = list(values) if isinstance(values, list | tuple) else [values]
    numbers = _numbers_if_continuous(column, given)
    if numbers is None:
        is_chosen = column.is_one_of([str(value) for value in given])
        if not is_chosen.any():
            # Numbers may be written in another way than in the file: 1 and 1.0.
            wanted = {_number(value) for value in given} - {None}
            is_chosen = column.is_one_of([value for value in column.values if _number(value) in wanted])
        return is_chosen, ",".join(str(value) for value in given)
    threshold = _number(given[0])
    if threshold is None:
        raise JobError(f"The {purpose} is numeric, and {given[0]!r} is no threshold.")
    largest = float(numbers.max())
    is_above: Booleans = numbers > threshold
    return is_above, f"({threshold}, {largest}]"


def _numbers_if_continuous(column: Coded, given: Sequence[Any]) -> npt.NDArray[np.float64] | None:
    """The column as numbers where Clarify would take them for measurements, else None."""
    if len(given) > 1 or not column.values:
        return None
    numbers = [_number(value) for value in column.values]
    if any(number is None for number in numbers) or int(column.codes.min()) < 0:
        return None
    values = np.array(numbers, dtype=np.float64)
    is_whole = all(value.lstrip("+-").isdigit() for value in column.values)
    if is_whole and len(values) / len(column) < _CONTINUOUS_SHARE:
        return None
    result: npt.NDArray[np.float64] = values[column.codes]
    return result


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
