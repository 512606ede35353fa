"""The `analysis_config.json` of SageMaker Clarify's bias analyses.

Written after AWS's page "Analysis Configuration Files". The favoured outcome (`label_values_or_threshold`) is a
feedback heard as negative: being heard is what a customer with a complaint gains or loses. Knows nothing of rows.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from feedback.sentiment import Sentiment

CONFIG_FILE: Final = "analysis_config.json"
DATASET_FILE: Final = "dataset.csv"
LABEL: Final = "sentiment"
PREDICTED_LABEL: Final = "predicted_sentiment"

PRETRAINING_METHODS: Final = ("CDDL", "CI", "DPL", "JS", "KL", "KS", "LP", "TVD")
POSTTRAINING_METHODS: Final = ("AD", "CDDPL", "DAR", "DCA", "DCR", "DI", "DPPL", "DRR", "GE", "RD", "SD", "TE")
"""All but FT, the flip test, which needs numeric features to find neighbours by; a text has none."""
_NEED_A_GROUP = frozenset({"CDDL", "CDDPL"})

_FAVOURED = (Sentiment.NEGATIVE, Sentiment.POSITIVE, Sentiment.NEUTRAL)


def favoured_label(*occurring: Collection[int]) -> str:
    """The outcome that is followed: negative, or where one of the collections has none, the next that all have.

    A label that no row has leaves Clarify without anything to compare, and ends its job.
    """
    for sentiment in _FAVOURED:
        if all(int(sentiment) in sentiments for sentiments in occurring):
            return sentiment.label
    last = set(occurring[-1])
    return next(sentiment for sentiment in _FAVOURED if int(sentiment) in last).label


def pretraining_config(*, facets: Sequence[str], favoured: str, group: str | None) -> dict[str, object]:
    """For a data set of the columns `LABEL` and the facets in their order; the group is one of the facets."""
    return _config(
        headers=[LABEL, *facets],
        facets=facets,
        favoured=favoured,
        group=group,
        method="pre_training_bias",
        metrics=PRETRAINING_METHODS,
        title="Bias of the training data",
    )


def posttraining_config(*, facets: Sequence[str], favoured: str, group: str | None) -> dict[str, object]:
    """The same with `PREDICTED_LABEL` as the second column: the model's answers, so Clarify need not ask a model."""
    config = _config(
        headers=[LABEL, PREDICTED_LABEL, *facets],
        facets=facets,
        favoured=favoured,
        group=group,
        method="post_training_bias",
        metrics=POSTTRAINING_METHODS,
        title="Bias of the model's answers",
    )
    return config | {"predicted_label": PREDICTED_LABEL}


def _config(
    *,
    headers: list[str],
    facets: Sequence[str],
    favoured: str,
    group: str | None,
    method: str,
    metrics: Sequence[str],
    title: str,
) -> dict[str, object]:
    config: dict[str, object] = {
        "version": "1.0",
        "dataset_type": "text/csv",
        "headers": headers,
        "label": LABEL,
        "label_values_or_threshold": [favoured],
        # Without value_or_threshold, every value is compared with all the others.
        "facet": [{"name_or_index": name} for name in facets],
        "methods": {
            method: {"methods": [name for name in metrics if group is not None or name not in _NEED_A_GROUP]},
            "report": {"name": "report", "title": title},
        },
    }
    if group is not None:
        config["group_variable"] = group
    return config
