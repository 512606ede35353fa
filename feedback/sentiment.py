"""The three sentiments, their class order and their labels. The only list of labels in the product.

It does not know how a sentiment is predicted, nor when a prediction is too weak to be one (that is ``UNSURE``).
"""

from enum import IntEnum
from typing import Final


class Sentiment(IntEnum):
    """What a customer feels; the members stand in class order, the order of every logit and probability row."""

    NEGATIVE = -1
    NEUTRAL = 0
    POSITIVE = 1

    @property
    def label(self) -> str:
        """The name in answers, files and reports, for instance ``negative``."""
        return self.name.lower()

    @property
    def class_index(self) -> int:
        """The column of this sentiment in logits and probabilities."""
        return CLASSES.index(self)

    @classmethod
    def from_label(cls, label: str) -> "Sentiment":
        """The sentiment of a label; ValueError for any other string, ``unsure`` included."""
        for sentiment in cls:
            if sentiment.label == label:
                return sentiment
        raise ValueError(f"{label!r} is no sentiment; there are {', '.join(LABELS)}")


CLASSES: Final[tuple[Sentiment, ...]] = tuple(Sentiment)
LABELS: Final[tuple[str, ...]] = tuple(sentiment.label for sentiment in CLASSES)

UNSURE: Final = "unsure"
"""The label of an answer below the abstain threshold. It has no sentiment: it is never a silent neutral."""

STARS: Final = range(1, 6)


def from_stars(stars: int) -> Sentiment:
    """The sentiment of a star rating: 1-2 negative, 3 neutral, 4-5 positive. ValueError outside 1 to 5."""
    if isinstance(stars, bool) or stars not in STARS:
        raise ValueError(f"a rating is 1 to 5 stars, not {stars!r}")
    if stars == 3:
        return Sentiment.NEUTRAL
    return Sentiment.NEGATIVE if stars < 3 else Sentiment.POSITIVE
