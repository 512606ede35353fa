"""The parts of tuning that need no training: ranges, the median rule, pages of summaries, and the optimiser itself."""

import math
from pathlib import Path
from typing import Any

import pytest

from local.options import REPOSITORY
from local.sagemaker.errors import AwsError
from local.sagemaker.tuning import ranges, summaries
from local.sagemaker.tuning.course import not_improving
from local.sagemaker.tuning.early_stopping import is_hopeless
from local.sagemaker.tuning.optimiser import Optimiser, OptimiserError

TRAINING_PYTHON = REPOSITORY / ".venv-training" / "bin" / "python"
EARLIER = [[0.5, 0.7], [0.6, 0.8], [0.1, 0.3]]


def _continuous(low: str, high: str, scale: str) -> dict[str, Any]:
    return {
        "ContinuousParameterRanges": [{"Name": "rate", "MinValue": low, "MaxValue": high, "ScalingType": scale}],
    }


@pytest.mark.parametrize(
    ("low", "high", "asked", "got"),
    [
        ("0.00002", "0.003", "Auto", "Logarithmic"),
        ("0.1", "0.9", "Auto", "Linear"),
        ("0", "1000", "Auto", "Linear"),
        ("0.9", "0.999", "ReverseLogarithmic", "ReverseLogarithmic"),
    ],
)
def test_auto_scaling_takes_the_logarithm_of_magnitudes(low: str, high: str, asked: str, got: str) -> None:
    (planned,) = ranges.plan(_continuous(low, high, asked))
    assert planned["scale"] == got


def test_a_name_in_two_ranges_is_refused() -> None:
    twice = {
        **_continuous("0", "1", "Linear"),
        "CategoricalParameterRanges": [{"Name": "rate", "Values": ["a"]}],
    }
    with pytest.raises(AwsError, match="more than one"):
        ranges.plan(twice)


@pytest.mark.parametrize(
    ("values", "maximize", "hopeless"),
    [
        ([0.4], True, True),  # the median of 0.5, 0.6 and 0.1 is 0.5
        ([0.5], True, False),
        ([0.9, 0.5], True, True),  # of 0.6, 0.7 and 0.2: only the newest value counts
        ([0.4], False, False),
        ([0.7], False, True),
        ([0.9, 0.5, 0.59], True, True),  # the others ended after two values: their averages stay
        ([], True, False),
    ],
)
def test_the_median_of_running_averages_decides(values: list[float], maximize: bool, hopeless: bool) -> None:
    assert is_hopeless(values, EARLIER, maximize=maximize) is hopeless


def test_nothing_is_hopeless_before_there_is_something_to_compare_with() -> None:
    assert not is_hopeless([0.0], EARLIER[:2], maximize=True)


@pytest.mark.parametrize(
    ("values", "maximize", "count"), [([], True, 0), ([0.1, 0.3, 0.2, 0.3], True, 2), ([0.3, 0.1], False, 0)]
)
def test_trainings_since_the_best_are_counted(values: list[float], maximize: bool, count: int) -> None:
    assert not_improving(values, maximize=maximize) == count


def test_a_page_sorted_by_the_objective_leaves_out_what_has_none() -> None:
    scored = [
        {
            "TrainingJobName": name,
            "TrainingJobStatus": "Completed",
            "ObjectiveStatus": "Succeeded",
            "FinalHyperParameterTuningJobObjectiveMetric": {"Value": value},
        }
        for name, value in (("a", 0.1), ("b", 0.3), ("c", 0.2))
    ]
    failed = {"TrainingJobName": "d", "TrainingJobStatus": "Failed", "ObjectiveStatus": "Failed"}
    asked = {"SortBy": "FinalObjectiveMetricValue", "SortOrder": "Descending", "MaxResults": 2}
    first = summaries.page([*scored, failed], asked)
    assert [each["TrainingJobName"] for each in first["TrainingJobSummaries"]] == ["b", "c"]
    second = summaries.page([*scored, failed], {**asked, "NextToken": first["NextToken"]})
    assert [each["TrainingJobName"] for each in second["TrainingJobSummaries"]] == ["a"]


def _plan(**more: Any) -> dict[str, Any]:
    return {
        "strategy": "Bayesian",
        "seed": 3,
        "maximize": False,
        "jobs": 30,
        "ranges": [
            {"name": "rate", "kind": "continuous", "low": 0.9, "high": 0.999, "scale": "ReverseLogarithmic"},
            {"name": "depth", "kind": "integer", "low": 1, "high": 4, "scale": "Linear"},
            {"name": "kind", "kind": "categorical", "values": ["a", "b"]},
        ],
        **more,
    }


def _tuned(tmp_path: Path, plan: dict[str, Any], trials: int) -> list[tuple[float, int, str]]:
    if not TRAINING_PYTHON.exists():
        pytest.skip("there is no .venv-training")
    found = []
    with Optimiser(TRAINING_PYTHON, plan, log=tmp_path / "log.txt") as optimiser:
        for _ in range(trials):
            suggestion = optimiser.ask()
            rate, depth, kind = (suggestion.values[name] for name in ("rate", "depth", "kind"))
            found.append((float(rate), int(depth), kind))
            worth = abs(math.log10(1 - float(rate)) + 2) + abs(int(depth) - 3) + (kind == "b")
            optimiser.tell(suggestion.trial, None if len(found) == 2 else worth)
    return found


def test_the_optimiser_stays_in_its_ranges_and_closes_in_on_the_best(tmp_path: Path) -> None:
    found = _tuned(tmp_path, _plan(), 30)
    assert all(0.9 <= rate <= 0.999 and 1 <= depth <= 4 for rate, depth, _ in found)
    later = found[15:]
    assert sum(kind == "a" for *_, kind in later) > len(later) // 2
    assert sum(depth == 3 for _, depth, _ in later) > len(later) // 4


def test_equal_seeds_make_equal_trials(tmp_path: Path) -> None:
    random = _plan(strategy="Random")
    assert _tuned(tmp_path, random, 4) == _tuned(tmp_path, random, 4)
    assert _tuned(tmp_path, random, 4) != _tuned(tmp_path, {**random, "seed": 4}, 4)


def test_an_interpreter_without_the_library_is_a_sentence(tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho \"ModuleNotFoundError: No module named 'optuna'\" >&2\nexit 1\n")
    broken.chmod(0o755)
    with pytest.raises(OptimiserError, match="No module named 'optuna'"):
        Optimiser(broken, _plan(), log=tmp_path / "log.txt")
