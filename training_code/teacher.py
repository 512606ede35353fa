"""A teacher for the training job: what TF-IDF and logistic regression say of each row, learned from the other rows.

A small network errs where words alone are plain, and the other way round; a mixture of the two errs less than either.
Taught with the mixture, one small model brings most of that: https://arxiv.org/abs/1503.02531. Knows nothing of torch.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from training_code.candidates.baselines import fitted, vectorizers
from training_code.metrics import Classes

TEACHERS = ("none", "tfidf")
FOLDS = 5
STRENGTH, PASSES = 1.0, 50


def taught(texts: Sequence[str], targets: Classes, *, of: int, share: float, seed: int) -> npt.NDArray[np.float32]:
    """float32 [rows, of]: the truth, and in `share` what a model that never saw the row's own target says of it."""
    from scipy.sparse import hstack  # type: ignore[import-untyped]
    from sklearn.linear_model import LogisticRegression

    matrix = hstack([fitted(vectorizer, texts) for vectorizer in vectorizers(len(texts))]).tocsr()
    said = np.zeros((len(targets), of), dtype=np.float32)
    fold_of = np.random.default_rng(seed).permutation(len(targets)) % FOLDS
    for fold in range(FOLDS):
        others, own = np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
        model = LogisticRegression(C=STRENGTH, max_iter=PASSES, tol=1e-3, random_state=seed)
        model.fit(matrix[others], targets[others])
        said[np.ix_(own, model.classes_)] = model.predict_proba(matrix[own])
    truth = np.eye(of, dtype=np.float32)[targets]
    mixed: npt.NDArray[np.float32] = ((1 - share) * truth + share * said).astype(np.float32)
    return mixed
