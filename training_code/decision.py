"""Chooses the weights by which a model decides (`training_code.containers.decision`), on validation rows.

A trained model that says what is likeliest finds a rare class too seldom: macro-F1 wants it found as often as it
occurs. Knows nothing of models or files.
"""

from __future__ import annotations

import itertools

import numpy as np

from feedback.sentiment import LABELS, Sentiment
from training_code.containers.decision import Weights, decided, equal_weights
from training_code.metrics import Classes, Probabilities, class_scores, confusion, macro_f1

LIKELIEST, BY_MACRO_F1 = "argmax", "macro-f1"
DECIDE = (LIKELIEST, BY_MACRO_F1)
STEP = 0.1
STEPS = {Sentiment.NEGATIVE: 13, Sentiment.NEUTRAL: 16, Sentiment.POSITIVE: 1}
"""How many logarithms are tried, from 0 on: positive feedback is the most frequent, and keeps its weight of 1."""
LARGEST_LOSS = 0.003
"""Of macro-F1, against the best weights: validation rows are a sample, and weights near 1 need the least luck."""


def weights_for(decide: str, probabilities: Probabilities, truth: Classes) -> Weights:
    """The weights of one of the ways to `DECIDE`."""
    return choose_weights(probabilities, truth) if decide == BY_MACRO_F1 else equal_weights()


def choose_weights(probabilities: Probabilities, truth: Classes) -> Weights:
    """Of the weights whose macro-F1 is next to the best, those nearest to 1; negative recall never falls for them."""
    negative = Sentiment.NEGATIVE.label
    least_recall = class_scores(confusion(truth, decided(probabilities, equal_weights())))[negative].recall
    tried: list[tuple[float, float, Weights]] = []
    for steps in itertools.product(*(range(STEPS[Sentiment.from_label(label)]) for label in LABELS)):
        logarithms = np.array(steps, dtype=np.float64) * STEP
        weights: Weights = np.round(np.exp(logarithms), 6).astype(np.float64)
        table = confusion(truth, decided(probabilities, weights))
        if class_scores(table)[negative].recall >= least_recall:
            tried.append((macro_f1(table), float(np.square(logarithms).sum()), weights))
    best = max(score for score, _, _ in tried)
    near = [entry for entry in tried if entry[0] >= best - LARGEST_LOSS]
    return min(near, key=lambda entry: (entry[1], -entry[0]))[2]
