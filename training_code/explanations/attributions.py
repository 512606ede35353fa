"""Attributes a model's probabilities to the words of texts, by SHAP values.

A text's values and the base (the answer to no words) add up to its probabilities; that is checked for every text.
Needs shap. Knows nothing of where texts or answers come from.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training_code.explanations.words import TakenAway, words_of
from training_code.failures import JobError
from training_code.metrics import Probabilities

LARGEST_GAP = 1e-6
Ask = Callable[[Sequence[str]], Probabilities]
"""Texts to probabilities [texts, classes]."""


@dataclass(frozen=True, kw_only=True)
class Text:
    text_id: str
    text: str
    truth: int
    """The class as a column index."""


@dataclass(frozen=True, kw_only=True)
class Attribution:
    """What each word of a text adds to each class's probability."""

    text_id: str
    truth: int
    words: tuple[str, ...]
    values: npt.NDArray[np.float64]
    """[words, classes]."""
    base: npt.NDArray[np.float64]
    probabilities: npt.NDArray[np.float64]

    @property
    def answer(self) -> int:
        return int(self.probabilities.argmax())

    @property
    def gap(self) -> float:
        """By how much base and values miss the probabilities: 0 but for rounding."""
        return float(np.abs(self.base + self.values.sum(axis=0) - self.probabilities).max())


@dataclass
class Asked:
    """Counts what a model is asked."""

    ask: Ask
    texts: int = 0

    def __call__(self, texts: npt.NDArray[np.object_]) -> Probabilities:
        self.texts += len(texts)
        return self.ask([str(text) for text in texts])


def attributions(
    texts: Sequence[Text], ask: Ask, *, evaluations_per_text: int, batch_size: int, seed: int
) -> Iterator[Attribution]:
    """One text after the other, so that the caller can stop; texts need two words. JobError where sums do not hold."""
    import shap

    model = Asked(ask)
    explainer = shap.explainers.Partition(model, TakenAway())
    for text in texts:
        words = words_of(text.text)
        # shap breaks ties in its queue by numpy's global generator.
        np.random.seed(seed)
        row = explainer.explain_row(
            words,
            max_evals=evaluations_per_text,
            main_effects=False,
            error_bounds=False,
            batch_size=batch_size,
            outputs=None,
            silent=True,
        )
        found = Attribution(
            text_id=text.text_id,
            truth=text.truth,
            words=words,
            values=np.asarray(row["values"], dtype=np.float64),
            base=np.asarray(row["expected_values"], dtype=np.float64),
            probabilities=ask([" ".join(words)])[0],
        )
        if found.gap > LARGEST_GAP:
            raise JobError(
                f"The attributions of text {text.text_id} miss its answer by {found.gap:.2g}: the model does not "
                "answer the same text the same way each time."
            )
        yield found


def within(
    seconds: float, found: Iterator[Attribution], *, clock: Callable[[], float] = time.monotonic
) -> Iterator[Attribution]:
    """As many as come before the time is over, at least one."""
    started = clock()
    for attribution in found:
        yield attribution
        if clock() - started > seconds:
            return
