"""Rows worth a person's look: where the champion is sure and wrong, and where all models contradict the stars.

The second are often reviews whose stars and words do not agree. Knows nothing of pages.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from feedback.sentiment import LABELS
from training_code.comparison.contenders import Contender, SplitFacts

MOST = 20
LONGEST_CHARACTERS = 600


def worst_mistakes(champion: Contender, test: SplitFacts) -> list[dict[str, Any]]:
    """The wrong answers with the highest probability, the surest first."""
    answers = champion.test.answers
    sure = champion.test.probabilities[np.arange(len(test)), answers]
    wrong = np.flatnonzero(answers != test.truth)
    ordered = wrong[np.argsort(-sure[wrong], kind="stable")][:MOST]
    return [_row(test, int(place), int(answers[place]), float(sure[place])) for place in ordered]


def conflicts(contenders: Sequence[Contender], test: SplitFacts) -> list[dict[str, Any]]:
    """Rows to which every model gives the same answer, and not that of the stars; the surest first."""
    able = [one for one in contenders if len(np.unique(one.test.answers)) > 1]
    if len(able) < 2:
        return []
    answers = np.stack([one.test.answers for one in able])
    agreed = (answers == answers[0]).all(axis=0) & (answers[0] != test.truth)
    places = np.flatnonzero(agreed)
    sure = np.mean([one.test.probabilities[places, answers[0][places]] for one in able], axis=0)
    ordered = np.argsort(-sure, kind="stable")[:MOST]
    return [_row(test, int(places[one]), int(answers[0][places[one]]), float(sure[one])) for one in ordered]


def _row(test: SplitFacts, place: int, answer: int, probability: float) -> dict[str, Any]:
    text = test.texts[place]
    return {
        "text_id": test.text_ids[place],
        "text": text if len(text) <= LONGEST_CHARACTERS else text[: LONGEST_CHARACTERS - 1] + "…",
        "stars": test.stars[place],
        "true": LABELS[int(test.truth[place])],
        "answered": LABELS[answer],
        "probability": round(probability, 4),
    }
