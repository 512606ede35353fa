"""The two baselines of a run: the most frequent class, and TF-IDF with logistic regression.

    python3 -m training_code.candidates.baselines --features DIR --output DIR --seed N

Writes a candidate's folder each, OUTPUT/majority and OUTPUT/tfidf. What a larger model costs is worth paying where it
is well above them. Knows nothing of serving.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from feedback.sentiment import CLASSES, LABELS
from training_code.candidates import predictions
from training_code.candidates.predictions import TEST, VALIDATION, Answered, Candidate
from training_code.failures import JobError, run_job
from training_code.feature_rows import SplitRows, read_split
from training_code.metrics import Probabilities, confusion, macro_f1, score
from training_code.progress import say

WORDS = r"(?u)[^\W_]+(?:'[^\W_]+)*"
WORD_NGRAMS, CHARACTER_NGRAMS = (1, 2), (4, 4)
STRENGTHS = (0.1, 0.3, 1.0)
"""Of the regularisation, as scikit-learn's C: the larger, the freer."""
LEAST_OCCURRENCES = {"words": 3, "characters": 10}
ROWS_FOR_RARE_TERMS = 1000
"""Below so many rows every term counts, since hardly any occurs often."""
PASSES, TOLERANCE = 30, 1e-3


@dataclass(frozen=True, kw_only=True)
class Splits:
    train: SplitRows
    validation: SplitRows
    test: SplitRows


def read_splits(features: Path) -> Splits:
    """JobError where the train rows lack a class: nothing could be learned of it."""
    splits = Splits(**{split: read_split(features / split, split=split) for split in ("train", VALIDATION, TEST)})
    counts = np.bincount(splits.train.classes, minlength=len(CLASSES))
    missing = next((label for label, count in zip(LABELS, counts, strict=True) if count == 0), None)
    if missing is not None:
        raise JobError(f"The train data has no '{missing}' row, so nothing can be learned of that class.")
    return splits


def majority(splits: Splits, target: Path, *, instance: str | None) -> None:
    """Answers each text with the class shares of the train rows, so with the most frequent class."""
    shares = np.bincount(splits.train.classes, minlength=len(CLASSES)) / len(splits.train)
    _write(
        splits,
        target,
        lambda texts: np.tile(shares, (len(texts), 1)),
        name="majority",
        title="Most frequent class",
        seconds=0.0,
        instance=instance,
        size=shares.nbytes,
        details={"class_shares": {label: round(float(share), 6) for label, share in zip(LABELS, shares, strict=True)}},
    )


def tfidf(splits: Splits, target: Path, *, seed: int, instance: str | None) -> None:
    """Logistic regression on TF-IDF of words and characters; the regularisation is chosen on validation rows."""
    from scipy.sparse import hstack  # type: ignore[import-untyped]

    started = time.monotonic()
    counted = vectorizers(len(splits.train))
    parts = [fitted(vectorizer, splits.train.texts) for vectorizer in counted]
    matrix = hstack(parts).tocsr()
    say(f"{matrix.shape[1]} terms in {len(splits.train)} train rows, {time.monotonic() - started:.1f} s")

    def matrix_of(texts: Sequence[str]) -> Any:
        return hstack([vectorizer.transform(texts) for vectorizer in counted]).tocsr()

    known = matrix_of(splits.validation.texts)
    tried = []
    for strength in STRENGTHS:
        model = _regression(splits.train, strength, seed)
        model.fit(matrix, splits.train.classes)
        found = macro_f1(confusion(splits.validation.classes, model.predict_proba(known).argmax(axis=1)))
        say(f"C {strength}: validation macro-F1 {found:.3f}, {time.monotonic() - started:.1f} s")
        tried.append((found, model, strength))
    _, chosen, strength = max(tried, key=lambda one: one[0])
    seconds = time.monotonic() - started
    terms = sum(len(term.encode()) for vectorizer in counted for term in vectorizer.vocabulary_)
    weights = chosen.coef_.nbytes + chosen.intercept_.nbytes + sum(entry.idf_.nbytes for entry in counted)
    _write(
        splits,
        target,
        lambda texts: chosen.predict_proba(matrix_of(texts)).astype(np.float64),
        name="tfidf",
        title="TF-IDF and logistic regression",
        seconds=round(seconds, 1),
        instance=instance,
        size=int(terms + weights),
        details={
            "terms": int(matrix.shape[1]),
            "word_ngrams": list(WORD_NGRAMS),
            "character_ngrams": list(CHARACTER_NGRAMS),
            "C": strength,
            "class_weights": "square root of the inverse share",
            "seed": seed,
        },
    )


def vectorizers(rows: int) -> list[Any]:
    """Of words and of characters, not yet fitted, for so many rows."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    least = LEAST_OCCURRENCES if rows >= ROWS_FOR_RARE_TERMS else dict.fromkeys(LEAST_OCCURRENCES, 1)
    shared: dict[str, Any] = {"sublinear_tf": True, "dtype": np.float32}
    return [
        TfidfVectorizer(ngram_range=WORD_NGRAMS, token_pattern=WORDS, min_df=least["words"], **shared),
        TfidfVectorizer(analyzer="char_wb", ngram_range=CHARACTER_NGRAMS, min_df=least["characters"], **shared),
    ]


def fitted(vectorizer: Any, texts: Sequence[str]) -> Any:
    """The sparse matrix [texts, terms] of what the vectorizer learned of them; JobError where there is no word."""
    try:
        return vectorizer.fit_transform(texts)
    except ValueError as error:
        raise JobError(f"The train texts hold no word that could be counted: {error}") from error


def _regression(train: SplitRows, strength: float, seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression

    counts = np.bincount(train.classes, minlength=len(CLASSES))
    weights = np.sqrt(len(train) / (len(CLASSES) * counts))
    return LogisticRegression(
        C=strength,
        class_weight={index: float(weight) for index, weight in enumerate(weights)},
        max_iter=PASSES,
        tol=TOLERANCE,
        random_state=seed,
    )


def _write(
    splits: Splits,
    target: Path,
    answer: Callable[[Sequence[str]], Probabilities],
    *,
    name: str,
    title: str,
    seconds: float,
    instance: str | None,
    size: int,
    details: dict[str, object],
) -> None:
    """Ask, calibrate on validation rows, write the folder, and say how good it is on them."""
    asked = time.monotonic()
    raw = {split: answer(rows.texts) for split, rows in ((VALIDATION, splits.validation), (TEST, splits.test))}
    took = time.monotonic() - asked
    answered, temperature = predictions.calibrated(
        *(
            Answered(text_ids=rows.text_ids, classes=rows.classes, raw=raw[split])
            for split, rows in ((VALIDATION, splits.validation), (TEST, splits.test))
        )
    )
    candidate = Candidate(
        name=name,
        title=title,
        family=name,
        trained_rows=len(splits.train),
        training_seconds=seconds,
        training_instance=instance,
        size_bytes=size,
        texts_per_second=round(len(answered) / max(took, 1e-9), 1),
        is_deployable=False,
        details=details | {"temperature": temperature},
    )
    predictions.write(target, candidate, answered)
    scores = score(splits.validation.classes, answered.of(VALIDATION).probabilities)
    say(f"{title}: validation macro-F1 {scores.macro_f1:.3f}, accuracy {scores.accuracy:.3f}")


def run(*, features: Path, output: Path, seed: int, instance: str | None = None) -> None:
    splits = read_splits(features)
    say(f"{len(splits.train)} train, {len(splits.validation)} validation and {len(splits.test)} test rows")
    majority(splits, output / "majority", instance=instance)
    with warnings.catch_warnings():
        # Stopping early is another regularisation here, and the best strength is chosen by what it yields.
        warnings.filterwarnings("ignore", message="lbfgs failed to converge")
        tfidf(splits, output / "tfidf", seed=seed, instance=instance)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="training_code.candidates.baselines", description=__doc__.partition("\n")[0])
    parser.add_argument("--features", type=Path, required=True, help="folder with train/, validation/ and test/")
    parser.add_argument("--output", type=Path, required=True, help="folder for majority/ and tfidf/")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--instance", help="the instance that the job runs on, for its price")
    parser.add_argument("--message", type=Path, help="file that becomes the job's exit message on failure")
    arguments = vars(parser.parse_args(argv))
    message = arguments.pop("message")
    return run_job(lambda: run(**arguments), failure_file=message)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
