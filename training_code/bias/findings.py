"""What two Clarify analyses found, value by value, with the rows behind each figure and how sure it is.

The figures are Clarify's own (AWS's job or the local one, which write the same file). The rows and the intervals come
from the data sets that Clarify read, and every figure is computed again from them: the largest deviation is stated.
Knows nothing of HTML or of what a gate allows.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from training_code.bias import analysis, clarify_config
from training_code.bias.analysis import Dataset
from training_code.bias.contingency import count
from training_code.bias.dataset import read_csv
from training_code.bias.facets import HALF, LEAST_ROWS
from training_code.bias.intervals import CONFIDENCE, difference_interval
from training_code.bias.measures import Comparison, comparisons
from training_code.failures import JobError

ANALYSIS_FILE: Final = "analysis.json"
DATASET_FILE: Final = clarify_config.DATASET_FILE

Shares = tuple[tuple[int, int], tuple[int, int]]
"""Two shares as (hits, rows); a metric is the first minus the second."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A metric that is the difference of two shares, and what `bias.json` calls the largest one."""

    key: str
    metric: str
    stage: str

    def shares(self, rows: Comparison) -> Shares:
        others, ours = rows.outside, rows.inside
        return {
            "DPL": ((others.labelled, others.rows), (ours.labelled, ours.rows)),
            "DPPL": ((others.answered, others.rows), (ours.answered, ours.rows)),
            "AD": ((others.right, others.rows), (ours.right, ours.rows)),
            "RD": ((others.true_favoured, others.labelled), (ours.true_favoured, ours.labelled)),
            "SD": ((ours.true_unfavoured, ours.not_labelled), (others.true_unfavoured, others.not_labelled)),
        }[self.metric]

    def counted(self, rows: Comparison) -> int:
        """The rows of the value that its own share is counted from."""
        ours = rows.inside
        return {"RD": ours.labelled, "SD": ours.not_labelled}.get(self.metric, ours.rows)


DIFFERENCES: Final = (
    Difference(key="label_difference", metric="DPL", stage="pretraining"),
    Difference(key="answer_difference", metric="DPPL", stage="posttraining"),
    Difference(key="accuracy_difference", metric="AD", stage="posttraining"),
    Difference(key="recall_difference", metric="RD", stage="posttraining"),
    Difference(key="specificity_difference", metric="SD", stage="posttraining"),
)
STAGES: Final = {"pretraining": analysis.PRETRAINING, "posttraining": analysis.POSTTRAINING}


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One analysis and the rows it was made from."""

    name: str
    label: str
    rows: int
    metrics: Mapping[tuple[str, str], Mapping[str, float | str | None]]
    """Clarify's figures by facet and value."""
    compared: Mapping[tuple[str, str], Comparison]
    largest_deviation: float


def read_stage(name: str, *, analysis_file: Path, data: Path) -> Stage:
    """`data` is the folder with Clarify's configuration and data set. JobError where the files do not fit together."""
    config = _json(data / clarify_config.CONFIG_FILE)
    rows = read_csv(data / clarify_config.DATASET_FILE, headers=config.get("headers"))
    section = analysis.SECTION[STAGES[name]]
    found = _json(analysis_file).get(section)
    if not isinstance(found, dict):
        raise JobError(f"{analysis_file} has no {section}, so it is not the {name} analysis.")
    metrics = dict(_metrics(found))
    again = dict(_metrics(analysis.analyse(config, rows)[section]))
    if set(metrics) != set(again):
        raise JobError(f"{analysis_file} is not of the data in {data}: they have different facets or values.")
    return Stage(
        name=name,
        label=str(found["label_value_or_threshold"]),
        rows=rows.rows,
        metrics=metrics,
        compared=dict(_compared(config, rows)),
        largest_deviation=max((_deviation(metrics[place], again[place]) for place in metrics), default=0.0),
    )


def document(pretraining: Stage | None, posttraining: Stage) -> dict[str, Any]:
    """What `bias.json` says; without a pre-training analysis, all that belongs to it is None."""
    stages = {stage.name: stage for stage in (pretraining, posttraining) if stage is not None}
    places = list(dict.fromkeys(place for stage in stages.values() for place in stage.metrics))
    return {
        "label": {name: stages[name].label if name in stages else None for name in STAGES},
        "rows": {name: stages[name].rows if name in stages else None for name in STAGES},
        "least_rows": LEAST_ROWS,
        "confidence": CONFIDENCE,
        "facets": [_entry(place, stages) for place in places],
        "largest": {
            **{difference.key: _largest(difference, stages.get(difference.stage)) for difference in DIFFERENCES},
            "disparate_impact": _most_unequal(posttraining),
        },
        "largest_deviation": _finite(max(stage.largest_deviation for stage in stages.values())),
    }


def _finite(deviation: float) -> float | None:
    """None where one side has a figure and the other has not: JSON knows no infinity."""
    return deviation if math.isfinite(deviation) else None


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise JobError(f"There is no {path.name} in {path.parent}.") from error
    except ValueError as error:
        raise JobError(f"{path} is no JSON: {error}.") from error


def _metrics(section: Any) -> Iterator[tuple[tuple[str, str], dict[str, float | str | None]]]:
    for facet, values in section["facets"].items():
        for entry in values:
            yield (
                (facet, str(entry["value_or_threshold"])),
                {metric["name"]: metric.get("value") for metric in entry["metrics"]},
            )


def _compared(config: Any, rows: Dataset) -> Iterator[tuple[tuple[str, str], Comparison]]:
    _, label = rows.named(config["label"], purpose="label")
    favoured = [str(value) for value in config["label_values_or_threshold"]]
    answers = None
    if "predicted_label" in config:
        answers = rows.named(config["predicted_label"], purpose="predicted label")[1].is_one_of(favoured)
    for facet in config["facet"]:
        name, column = rows.named(facet["name_or_index"], purpose="facet")
        table = count(column, label.is_one_of(favoured), is_favoured_answer=answers)
        for value, comparison in comparisons(table).items():
            yield (name, value), comparison


def _deviation(theirs: Mapping[str, float | str | None], ours: Mapping[str, float | str | None]) -> float:
    worst = 0.0
    for name in theirs.keys() & ours.keys():
        first, second = theirs[name], ours[name]
        if isinstance(first, int | float) and isinstance(second, int | float):
            worst = max(worst, abs(first - second))
        elif first != second:
            return math.inf
    return worst


def _entry(place: tuple[str, str], stages: Mapping[str, Stage]) -> dict[str, Any]:
    facet, value = place
    entry: dict[str, Any] = {"facet": facet, "value": value}
    for name in STAGES:
        stage = stages.get(name)
        if stage is None or place not in stage.metrics:
            entry[name] = None
            continue
        rows = stage.compared[place]
        entry["rows"] = rows.inside.rows
        entry[name] = {
            "rows": rows.inside.rows,
            "labelled_rows": rows.inside.labelled,
            **stage.metrics[place],
            "intervals": {
                difference.metric: list(difference_interval(*difference.shares(rows)))
                for difference in DIFFERENCES
                if difference.stage == name
            },
        }
    return entry


def _largest(difference: Difference, stage: Stage | None) -> dict[str, Any] | None:
    """The largest difference of a value that has rows enough; None where no value has."""
    eligible = [
        (place, rows, value)
        for place, rows in (stage.compared.items() if stage else ())
        if stage
        and place[0] != HALF
        and all(counted >= LEAST_ROWS for _, counted in difference.shares(rows))
        and isinstance(value := stage.metrics[place].get(difference.metric), int | float)
    ]
    if not eligible:
        return None
    # Of two groups that make up all rows, one is as far above 0 as the other below: the worse off is named.
    (facet, facet_value), rows, value = max(eligible, key=lambda found: (round(abs(found[2]), 12), found[2]))
    shares = difference.shares(rows)
    # One of many differences is large by chance alone: the confidence is shared among all that were looked at.
    low, high = difference_interval(*shares, confidence=1 - (1 - CONFIDENCE) / len(eligible))
    return {
        "value": value,
        "facet": facet,
        "facet_value": facet_value,
        "rows": rows.inside.rows,
        "counted_rows": difference.counted(rows),
        "interval": list(difference_interval(*shares)),
        "compared_values": len(eligible),
        "surely_at_least": max(low, -high, 0.0),
    }


def _most_unequal(stage: Stage) -> dict[str, Any] | None:
    """The disparate impact farthest from 1 in either direction."""
    eligible = [
        (abs(math.log(value)), place, value, rows)
        for place, rows in stage.compared.items()
        if place[0] != HALF
        and min(rows.inside.rows, rows.outside.rows) >= LEAST_ROWS
        and isinstance(value := stage.metrics[place].get("DI"), int | float)
        and value > 0
    ]
    if not eligible:
        return None
    _, (facet, facet_value), value, rows = max(eligible, key=lambda found: found[0])
    return {"value": value, "facet": facet, "facet_value": facet_value, "rows": rows.inside.rows}
