from __future__ import annotations

import json
import math
import os
import random
import subprocess
from pathlib import Path

import pytest

from training_code.bias import measures
from training_code.bias.contingency import Coded, count

ROOT = Path(__file__).parents[4]
SPARK_PYTHON = ROOT / ".venv-spark" / "bin" / "python"
SENTIMENTS = ("negative", "neutral", "positive")
Case = dict[str, list[str]]


def drawn(seed: int, *, rows: int, values: int, labels: tuple[str, ...] = SENTIMENTS) -> Case:
    source = random.Random(seed)
    case: Case = {
        "facet": [f"v{source.randrange(values)}" for _ in range(rows)],
        "group": [source.choice(["short", "long"]) for _ in range(rows)],
        "label": [source.choice(labels) for _ in range(rows)],
    }
    case["answer"] = [label if source.random() < 0.6 else source.choice(SENTIMENTS) for label in case["label"]]
    case["answer"][0] = "negative"  # smclarify refuses answers without a favoured one
    return case


def written(*rows: str) -> Case:
    columns = zip(*(row.split() for row in rows), strict=True)
    return dict(zip(("facet", "group", "label", "answer"), map(list, columns), strict=True))


CASES: dict[str, Case] = {
    "three classes": drawn(1, rows=500, values=4),
    "few rows": drawn(2, rows=12, values=5),
    "more values than rows of some": drawn(3, rows=60, values=40),
    "no favoured label": drawn(4, rows=80, values=3, labels=("neutral", "positive")),
    "only favoured labels": drawn(5, rows=80, values=3, labels=("negative",)),
    "one value": drawn(6, rows=40, values=1),
    "a value without favoured labels": written(
        "a s negative negative", "a l neutral neutral", "b s neutral neutral", "b l positive negative"
    ),
    "a value with opposite labels": written("a s negative negative", "b s neutral neutral"),
    "no false alarm": written("a s negative neutral", "a s negative negative", "b s neutral neutral"),
    "every favoured one missed in a value": written(
        "a s negative neutral", "b l negative negative", "b s neutral neutral"
    ),
    "a group of one value": written("a s negative negative", "a s neutral neutral", "b l negative neutral"),
    "every answer favoured": written("a s negative negative", "a l neutral negative", "b s positive negative"),
}


def ours(case: Case) -> dict[str, dict[str, dict[str, float | None]]]:
    label, answer = (Coded.of(case[name]).is_one_of(["negative"]) for name in ("label", "answer"))
    table = count(Coded.of(case["facet"]), label, is_favoured_answer=answer, group=Coded.of(case["group"]))
    found = {"pretraining": measures.pretraining(table), "posttraining": measures.posttraining(table)}
    return {
        stage: {value: {metric.name: metric.value for metric in metrics} for value, metrics in values.items()}
        for stage, values in found.items()
    }


@pytest.fixture(scope="module")
def theirs() -> dict[str, dict[str, dict[str, dict[str, float | str | None]]]]:
    assert SPARK_PYTHON.exists(), f"{SPARK_PYTHON} is missing: `make test` sets it up"
    done = subprocess.run(
        [str(SPARK_PYTHON), str(Path(__file__).with_name("smclarify_figures.py"))],
        input=json.dumps(list(CASES.values())),
        env={"PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(zip(CASES, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("name", CASES)
def test_every_metric_of_every_value_is_that_of_smclarify_to_a_billionth(
    name: str, theirs: dict[str, dict[str, dict[str, dict[str, float | str | None]]]]
) -> None:
    found = ours(CASES[name])

    for stage, values in theirs[name].items():
        assert found[stage].keys() == values.keys()
        for value, metrics in values.items():
            metrics.pop("FT", None)  # the flip test needs numeric features; neither side has it
            assert found[stage][value].keys() == metrics.keys()
            for metric, expected in metrics.items():
                figure = found[stage][value][metric]
                if expected is None:
                    assert figure is None, (stage, value, metric)
                elif isinstance(expected, str):
                    assert figure == float(expected.replace("Infinity", "inf")), (stage, value, metric)
                else:
                    assert figure is not None
                    assert math.isclose(figure, expected, rel_tol=0, abs_tol=1e-9), (stage, value, metric)


def test_the_cases_reach_figures_that_are_infinite_and_figures_that_do_not_exist(
    theirs: dict[str, dict[str, dict[str, dict[str, float | str | None]]]],
) -> None:
    figures = [
        figure
        for stages in theirs.values()
        for values in stages.values()
        for metrics in values.values()
        for name, figure in metrics.items()
        if name != "FT"
    ]

    assert "Infinity" in figures
    assert None in figures
