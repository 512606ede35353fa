"""`comparison.json`: every candidate's figures, the champion, what sets it apart, and rows worth a look.

Knows nothing of pages or of files but what it is handed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from training_code import metrics
from training_code.candidates.predictions import TEST, Candidate, Predictions
from training_code.comparison import chance, doubtful
from training_code.comparison.contenders import Contender, Failure, SplitFacts
from training_code.comparison.costs import cost
from training_code.comparison.figures_of import measured
from training_code.failures import JobError

SEED = 7
LEAST_COMMON_ROWS = 200
"""On fewer rows, two models are not told apart."""

Document = dict[str, Any]


def champion_of(contenders: Sequence[Contender], truth: metrics.Classes) -> Contender:
    """The best macro-F1 on validation rows of those that can be served; test rows choose nothing."""
    able = [one for one in contenders if one.candidate.is_deployable]
    if not able:
        raise JobError("No candidate of this run can be served, so there is none to release.")
    return max(able, key=lambda one: metrics.macro_f1(metrics.confusion(truth, one.validation.answers)))


def document(
    *,
    run: str,
    fingerprint: str | None,
    contenders: Sequence[Contender],
    champion: Contender,
    failures: Sequence[Failure],
    validation: SplitFacts,
    test: SplitFacts,
    current: tuple[Candidate, Predictions] | None,
) -> Document:
    """All of it, as JSON values."""
    ordered = sorted(contenders, key=lambda one: (one is not champion, one.candidate.name))
    return {
        "run": run,
        "champion": champion.candidate.name,
        "fingerprint": fingerprint,
        "test_rows": len(test),
        "validation_rows": len(validation),
        "candidates": [
            *(_scored(one, validation, test) for one in ordered),
            *({"name": one.name, "status": "failed", "reason": one.reason} for one in failures),
        ],
        "pairs": [
            {
                "better": champion.candidate.name,
                "other": one.candidate.name,
                **asdict(chance.compare(test.truth, champion.test.answers, one.test.answers, seed=SEED)),
            }
            for one in ordered
            if one is not champion
        ],
        "against_current": None if current is None else against(champion, test, *current),
        "worst_mistakes": doubtful.worst_mistakes(champion, test),
        "conflicts": doubtful.conflicts(contenders, test),
    }


def _scored(one: Contender, validation: SplitFacts, test: SplitFacts) -> Document:
    candidate = one.candidate
    known = metrics.confusion(validation.truth, one.validation.answers)
    return {
        "name": candidate.name,
        "title": candidate.title,
        "family": candidate.family,
        "status": "scored",
        "is_deployable": candidate.is_deployable,
        "trained_rows": candidate.trained_rows,
        "validation": {"macro_f1": metrics.macro_f1(known), "rows": len(validation)},
        "metrics": measured(test.truth, one.test, test.facets, seed=SEED),
        "cost": cost(candidate),
        "details": dict(candidate.details),
    }


def against(champion: Contender, test: SplitFacts, candidate: Candidate, answers: Predictions) -> Document:
    """The champion against the approved model, on the test rows that both have never learned from."""
    theirs = answers.of(TEST)
    known = set(theirs.text_ids.tolist())
    shared = np.array([place for place, text_id in enumerate(test.text_ids) if text_id in known], dtype=np.int64)
    version = str(candidate.details.get("model_version") or candidate.name)
    if len(shared) < LEAST_COMMON_ROWS:
        return {
            "model_version": version,
            "rows": len(shared),
            "note": (
                f"only {len(shared)} test rows are the same, and at least {LEAST_COMMON_ROWS} are needed to tell two "
                "models apart."
            ),
        }
    others = theirs.aligned([test.text_ids[place] for place in shared]).answers
    found = chance.compare(test.truth[shared], champion.test.answers[shared], others, seed=SEED)
    return {"model_version": version, **asdict(found)}
