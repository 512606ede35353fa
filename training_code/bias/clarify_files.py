"""Writes what a Clarify bias job reads: `dataset.csv` without a header line, and `analysis_config.json`.

Reads features in batches, so memory does not grow with the rows. Every data set has a facet: where neither the
recorded ones nor the length can be compared, it is `half`, which means nothing and shows what chance does. Knows
nothing of metrics, and no review text leaves through it.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from feedback.sentiment import Sentiment
from training_code.bias import clarify_config
from training_code.bias.facets import HALF, LENGTH, RECORDED, Facet, half, length_band, usable
from training_code.failures import JobError
from training_code.feature_rows import batches

SPLITS = ("train", "validation", "test")

_Row = dict[str, str | None]


def write_pretraining(features: Path, target: Path) -> None:
    """From the parquet files under `features/{train,validation,test}`, write both files into the folder `target`."""
    counts: dict[str, Counter[str | None]] = {}
    sentiments: Counter[int] = Counter()
    for sentiment, row in _feature_rows(features):
        sentiments[sentiment] += 1
        for name, value in row.items():
            counts.setdefault(name, Counter())[value] += 1
    if not sentiments:
        raise JobError(f"There are no rows under {features} whose bias could be measured.")
    chosen = _chosen(counts)
    config = clarify_config.pretraining_config(
        facets=[facet.name for facet in chosen],
        favoured=clarify_config.favoured_label(sentiments),
        group=_group(chosen),
    )
    rows = (
        [Sentiment(sentiment).label, *(facet.value(row.get(facet.name)) for facet in chosen)]
        for sentiment, row in _feature_rows(features)
    )
    _write(target, config, rows)


def write_posttraining(
    target: Path,
    *,
    facets: Mapping[str, Sequence[str | None]],
    truth: Sequence[int],
    answers: Sequence[int],
    text_ids: Sequence[str],
) -> None:
    """Write both files for a model's answers (-1, 0, 1) to rows whose sentiments are `truth`, in the same order.

    `facets` holds what is recorded of each row, by name: `category`, `channel`, `age_band`, and `length` as
    `length_band` says it. ValueError where the numbers of rows differ.
    """
    if not len(truth) == len(answers) == len(text_ids) or any(len(v) != len(truth) for v in facets.values()):
        raise ValueError("facets, truth, answers and text ids must have a value for every row")
    if len(truth) == 0:
        raise JobError("There are no answers whose bias could be measured.")
    recorded = {**facets, HALF: [half(text_id) for text_id in text_ids]}
    chosen = _chosen({name: Counter(values) for name, values in recorded.items()})
    config = clarify_config.posttraining_config(
        facets=[facet.name for facet in chosen],
        favoured=clarify_config.favoured_label(
            {int(sentiment) for sentiment in truth}, {int(answer) for answer in answers}
        ),
        group=_group(chosen),
    )
    rows = (
        [Sentiment(int(truth[place])).label, Sentiment(int(answers[place])).label]
        + [facet.value(recorded[facet.name][place]) for facet in chosen]
        for place in range(len(truth))
    )
    _write(target, config, rows)


def _feature_rows(features: Path) -> Iterator[tuple[int, _Row]]:
    """The sentiment of each row, and what is recorded of it; a facet whose column is not there is left out."""
    for split in SPLITS:
        if not any((features / split).rglob("*.parquet")):
            continue
        for columns in batches(features / split, ("text_id", "sentiment"), split=split, optional=(*RECORDED, "words")):
            sentiments, text_ids = columns.pop("sentiment"), columns.pop("text_id")
            if "words" in columns:
                columns[LENGTH] = [length_band(words) for words in columns.pop("words")]
            columns[HALF] = [half(text_id) for text_id in text_ids]
            for place, sentiment in enumerate(sentiments):
                yield sentiment, {name: values[place] for name, values in columns.items()}


def _chosen(counts: Mapping[str, Mapping[str | None, int]]) -> list[Facet]:
    found = [facet for name in counts if name != HALF and (facet := usable(name, counts[name]))]
    return found or [Facet(name=HALF, kept=frozenset(str(value) for value in counts[HALF]))]


def _group(chosen: Sequence[Facet]) -> str | None:
    """What rows are made comparable by for the conditional metrics: their length, where there are several."""
    return LENGTH if any(facet.name == LENGTH for facet in chosen) else None


def _write(target: Path, config: Mapping[str, object], rows: Iterator[list[str]]) -> None:
    target.mkdir(parents=True, exist_ok=True)
    with (target / clarify_config.DATASET_FILE).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    document = json.dumps(config, indent=2) + "\n"
    (target / clarify_config.CONFIG_FILE).write_text(document, encoding="utf-8")
