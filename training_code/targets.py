"""What a classifier is trained to tell apart, and how that becomes the three sentiments that everything else is about.

A model may learn the five stars, which say more of a text than the sentiment that they stand for. What leaves it are
three logits all the same: the logarithm of the probability of all stars that are one sentiment. Knows nothing of files.
"""

from __future__ import annotations

from typing import Any

import torch

from feedback.sentiment import CLASSES, LABELS, STARS, from_stars

SENTIMENTS, FIVE_STARS = "sentiments", "stars"
TARGETS = (SENTIMENTS, FIVE_STARS)
STARS_OF_CLASS = tuple([place for place, star in enumerate(STARS) if from_stars(star) is each] for each in CLASSES)


def target_labels(targets: str) -> tuple[str, ...]:
    """The names of what is told apart, in the order of the model's logits."""
    return tuple(map(str, STARS)) if targets == FIVE_STARS else LABELS


def sentiment_logits(logits: torch.Tensor) -> torch.Tensor:
    """[rows, 3] of a model's own logits, which are three already or five of stars."""
    if logits.shape[-1] == len(CLASSES):
        return logits
    logarithms = torch.log_softmax(logits, dim=-1)
    # Slices, a largest and a sum: steps that become a graph of any number of rows. A log-sum-exp does not everywhere.
    parts = [logarithms[:, places[0] : places[-1] + 1] for places in STARS_OF_CLASS]
    largest = [part.amax(dim=1, keepdim=True) for part in parts]
    sums = [
        (part - highest).exp().sum(dim=1, keepdim=True).log() + highest
        for part, highest in zip(parts, largest, strict=True)
    ]
    return torch.cat(sums, dim=1)


def logits_of(model: Any, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
    """[rows, 3], whatever the model was trained to tell apart."""
    return sentiment_logits(model(input_ids=input_ids, attention_mask=attention_mask).logits)
