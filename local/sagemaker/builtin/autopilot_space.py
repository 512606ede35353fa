"""What the search tries: recipes of features and an estimator, and how an optuna trial becomes one. Fits nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import optuna  # type: ignore[import-not-found]

from local.sagemaker.builtin.autopilot_table import AutopilotError

SEED = 20
FIRST_TRIALS = 8
"""So many are drawn at large before the sampler follows what it has seen."""

# Autopilot's names for algorithms, and what stands for them here. "mlp" has nothing.
ESTIMATORS_OF: Mapping[str, tuple[str, ...]] = {
    "linear-learner": ("naive-bayes", "svm", "logistic"),
    "xgboost": ("trees",),
    "lightgbm": ("trees",),
}
ESTIMATORS = ("naive-bayes", "svm", "logistic", "trees")
"""The quick ones first: a short search has something then."""
TITLES = {
    "logistic": "Logistic regression",
    "naive-bayes": "Complement naive Bayes",
    "svm": "Linear support vector machine with Platt scaling",
    "trees": "Gradient boosted trees (LightGBM)",
}
_PLAIN_TERMS = {"word_ngrams": 2, "characters": 0, "least_rows": 2, "sublinear": True, "terms": 20_000}
# What each estimator begins with: quick, and rarely bad.
PLAIN: Mapping[str, Mapping[str, Any]] = {
    "logistic": {**_PLAIN_TERMS, "balanced": True, "logistic_c": 2.0},
    "naive-bayes": {**_PLAIN_TERMS, "alpha": 0.5},
    "svm": {**_PLAIN_TERMS, "balanced": True, "svm_c": 0.1},
    "trees": {
        "tree_least_rows": 5,
        "sublinear": True,
        "tree_terms": 1000,
        "balanced": True,
        "trees": 80,
        "leaves": 15,
        "rate": 0.1,
        "least_rows_of_a_leaf": 20,
    },
}


@dataclass(frozen=True)
class Features:
    """How cells become features."""

    word_ngrams: int
    characters: int
    """The longest piece of a word, 0 for none."""
    least_rows: int
    """A term in fewer rows is left out."""
    is_sublinear: bool
    most_terms: int


@dataclass(frozen=True)
class Recipe:
    """One candidate before it is fitted."""

    features: Features
    estimator: str
    settings: Mapping[str, Any]

    def described(self) -> dict[str, Any]:
        """For the leaderboard."""
        return {"estimator": TITLES[self.estimator], **asdict(self.features), **self.settings}


def estimators(algorithms: Sequence[str]) -> tuple[str, ...]:
    """What stands for the algorithms that a job is limited to; all where it is not."""
    if not algorithms:
        return ESTIMATORS
    chosen = {name for algorithm in algorithms for name in ESTIMATORS_OF.get(algorithm, ())}
    if not chosen:
        raise AutopilotError(f"the local Autopilot has nothing for the algorithms {', '.join(algorithms)}")
    return tuple(name for name in ESTIMATORS if name in chosen)


def study(allowed: Sequence[str]) -> optuna.Study:
    """A seeded search that begins with one plain recipe for each estimator."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.TPESampler(seed=SEED, n_startup_trials=FIRST_TRIALS)
    created = optuna.create_study(direction="maximize", sampler=sampler)
    for name in allowed:
        created.enqueue_trial({"estimator": name, **PLAIN[name]})
    return created


def recipe(trial: optuna.trial.Trial, allowed: Sequence[str]) -> Recipe:
    """The recipe of a trial."""
    name = trial.suggest_categorical("estimator", list(allowed))
    if name == "trees":
        # Trees look at every term for every split: fewer terms, and none of characters.
        features = Features(
            word_ngrams=1,
            characters=0,
            least_rows=trial.suggest_int("tree_least_rows", 3, 10),
            is_sublinear=trial.suggest_categorical("sublinear", [True, False]),
            most_terms=trial.suggest_categorical("tree_terms", [1000, 2000, 4000]),
        )
    else:
        features = Features(
            word_ngrams=trial.suggest_int("word_ngrams", 1, 3),
            characters=trial.suggest_categorical("characters", [0, 4, 5]),
            least_rows=trial.suggest_int("least_rows", 1, 5),
            is_sublinear=trial.suggest_categorical("sublinear", [True, False]),
            most_terms=trial.suggest_categorical("terms", [10_000, 20_000, 40_000]),
        )
    return Recipe(features, name, _settings(trial, name))


def _settings(trial: optuna.trial.Trial, name: str) -> dict[str, Any]:
    if name == "naive-bayes":
        return {"alpha": trial.suggest_float("alpha", 0.05, 3.0, log=True)}
    balanced = trial.suggest_categorical("balanced", [True, False])
    if name == "logistic":
        return {"balanced": balanced, "c": trial.suggest_float("logistic_c", 0.1, 30.0, log=True)}
    if name == "svm":
        return {"balanced": balanced, "c": trial.suggest_float("svm_c", 0.01, 3.0, log=True)}
    return {
        "balanced": balanced,
        "trees": trial.suggest_int("trees", 40, 200),
        "leaves": trial.suggest_int("leaves", 7, 47),
        "rate": trial.suggest_float("rate", 0.04, 0.3, log=True),
        "least_rows_of_a_leaf": trial.suggest_int("least_rows_of_a_leaf", 5, 40),
    }
