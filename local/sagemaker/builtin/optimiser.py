"""Which hyperparameters to try next: Optuna behind JSON lines, for a tuning job's coordinator.

    python3 -m local.sagemaker.builtin.optimiser

The first line of stdin says what is searched, every further one asks or tells, and each is answered by one line:

    {"strategy": "Bayesian", "seed": 0, "maximize": true, "jobs": 10, "ranges": [{"name", "kind", ...}]}  -> {}
    {"ask": true}                                  -> {"trial": 3, "values": {"rate": 0.01, "depth": "2"}}
    {"tell": 3, "value": 0.71}                     -> {}        (value null: the trial has none)

Ends with its input, and so with the process that started it. Knows nothing of jobs and AWS.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import optuna

# At least so many trials are drawn at random before TPE has something to go by, at most Optuna's own ten.
FEWEST_STARTUP_TRIALS = 2
MOST_STARTUP_TRIALS = 10


class _Grid(optuna.samplers.GridSampler):  # type: ignore[misc, unused-ignore]
    """Optuna's, which wants to end the study with the last trial; here whoever asks knows how many there are."""

    def after_trial(self, *_: Any, **__: Any) -> None:
        """Nothing to end."""


class Search:
    """One study in memory."""

    def __init__(self, plan: Mapping[str, Any]) -> None:
        self._ranges: Sequence[Mapping[str, Any]] = plan["ranges"]
        self._distributions = {each["name"]: _distribution(each) for each in self._ranges}
        self._study = optuna.create_study(
            direction="maximize" if plan["maximize"] else "minimize", sampler=self._sampler(plan)
        )
        self._asked: dict[int, optuna.Trial] = {}

    def ask(self) -> dict[str, Any]:
        """The next trial's number and values."""
        trial = self._study.ask(self._distributions)
        self._asked[trial.number] = trial
        return {"trial": trial.number, "values": {each["name"]: _value(each, trial) for each in self._ranges}}

    def tell(self, number: int, value: float | None) -> None:
        """What came of a trial."""
        trial = self._asked.pop(number)
        if value is None:
            self._study.tell(trial, state=optuna.trial.TrialState.FAIL)
        else:
            self._study.tell(trial, value)

    def _sampler(self, plan: Mapping[str, Any]) -> optuna.samplers.BaseSampler:
        seed = plan["seed"]
        if plan["strategy"] == "Random":
            return optuna.samplers.RandomSampler(seed=seed)
        if plan["strategy"] == "Grid":
            return _Grid({each["name"]: each["values"] for each in self._ranges}, seed=seed)
        at_random = min(MOST_STARTUP_TRIALS, max(FEWEST_STARTUP_TRIALS, plan["jobs"] // 3))
        # constant_liar: trials that are still running are no reason to try the same again.
        return optuna.samplers.TPESampler(seed=seed, n_startup_trials=at_random, constant_liar=True)


def _distribution(given: Mapping[str, Any]) -> optuna.distributions.BaseDistribution:
    if given["kind"] == "categorical":
        return optuna.distributions.CategoricalDistribution(given["values"])
    low, high, scale = given["low"], given["high"], given["scale"]
    if given["kind"] == "integer":
        return optuna.distributions.IntDistribution(low, high, log=scale == "Logarithmic")
    if scale == "ReverseLogarithmic":
        # Sensitive near 1: the distance from it is what is drawn evenly on a logarithmic scale.
        return optuna.distributions.FloatDistribution(1 - high, 1 - low, log=True)
    return optuna.distributions.FloatDistribution(low, high, log=scale == "Logarithmic")


def _value(given: Mapping[str, Any], trial: optuna.Trial) -> Any:
    value = trial.params[given["name"]]
    return 1 - value if given.get("scale") == "ReverseLogarithmic" else value


def main() -> int:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    search = Search(json.loads(sys.stdin.readline()))
    print("{}", flush=True)
    for line in sys.stdin:
        said = json.loads(line)
        answer: dict[str, Any] = {}
        if "tell" in said:
            search.tell(said["tell"], said["value"])
        else:
            answer = search.ask()
        print(json.dumps(answer), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
