"""Texts for the demo: one of each sentiment that the served model is sure about.

Responsible for the choice. Written ones come first; where the model (trained on somebody else's reviews) does not
answer them as meant, texts of the given reviews are tried. It does not send anything to the API.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cli.errors import Problem
from cli.reviews import Review
from feedback.sentiment import Sentiment, from_stars

Invoke = Callable[[bytes], bytes]

BATCH = 50
TRIED_REVIEWS = 600
LONGEST_TEXT = 400

WRITTEN: dict[Sentiment, tuple[str, ...]] = {
    Sentiment.NEGATIVE: (
        "The zip broke after two days and customer service never answered my emails. I want my money back.",
        "Very disappointed. The fabric is cheap and it fell apart after one wash. Never again.",
        "Terrible quality and a poor fit. It looks nothing like the pictures. I sent it straight back.",
    ),
    Sentiment.NEUTRAL: (
        "It's ok, nothing special. The fit is fine but the fabric is thinner than expected. Not sure if I'll keep it.",
        "The colour is a bit darker than on screen. You get what you pay for. Average, really.",
        "I wanted to love this more than I do. The material is nice, but the cut is boxy. It is just ok.",
    ),
    Sentiment.POSITIVE: (
        "I love it! The fabric is so soft, the fit is perfect and it arrived the next morning. Highly recommended.",
        "Beautiful dress, true to size and very comfortable. I get compliments every time I wear it.",
        "So happy with this. Great quality, worth every penny, I already ordered another one.",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A text and what the model says to it."""

    sentiment: Sentiment
    text: str
    product_id: str | None
    category: str | None
    written: bool


def choose_texts(reviews: Sequence[Review], invoke: Invoke, *, alert_threshold: float) -> list[Choice]:
    """One text per sentiment, negative first and clear enough to alert; a Problem when there is none."""
    return [_choose(sentiment, reviews, invoke, alert_threshold) for sentiment in Sentiment]


def _choose(sentiment: Sentiment, reviews: Sequence[Review], invoke: Invoke, alert_threshold: float) -> Choice:
    """The negative text must reach the alert threshold and a little more: answers may differ slightly."""
    needed = min(1.0, alert_threshold + 0.01) if sentiment is Sentiment.NEGATIVE else 0.0
    products = [review for review in reviews if review.product_id and from_stars(review.rating) is sentiment]
    about = products[0] if products else None
    written = [
        Choice(
            sentiment=sentiment,
            text=text,
            product_id=about.product_id if about else None,
            category=about.category if about else None,
            written=True,
        )
        for text in WRITTEN[sentiment]
    ]
    given = [
        Choice(
            sentiment=sentiment, text=review.text, product_id=review.product_id, category=review.category, written=False
        )
        for review in reviews
        if from_stars(review.rating) is sentiment and len(review.text) <= LONGEST_TEXT
    ][:TRIED_REVIEWS]
    candidates = written + given
    for start in range(0, len(candidates), BATCH):
        batch = candidates[start : start + BATCH]
        body = "".join(json.dumps({"text": choice.text}) + "\n" for choice in batch)
        answers = [json.loads(line) for line in invoke(body.encode()).splitlines() if line.strip()]
        for choice, answer in zip(batch, answers, strict=True):
            if answer.get("label") == sentiment.label and answer["probabilities"][sentiment.label] >= needed:
                return choice
    raise Problem(
        f"The model answers none of {len(candidates)} texts as {sentiment.label}"
        f"{f' with at least {needed:.0%}' if needed else ''}: train it longer (`earshot train --full`)."
    )
