"""What the built-in algorithms, Autopilot and Clarify read: the features' rows again, each in the form it asks for.

    python3 -m training_code.candidates.views --features DIR --output DIR

`--output` is the folder `views/` itself. Rows are streamed, so that memory does not grow with them, and written in the
order of the features, so that answers can be joined by place. Knows formats; knows no model.

https://docs.aws.amazon.com/sagemaker/latest/dg/blazingtext.html#blazingtext-data-formats-text-class
https://docs.aws.amazon.com/sagemaker/latest/dg/autopilot-datasets-problem-types.html
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO

from feedback.sentiment import LABELS
from training_code.candidates.tokens import tokenized
from training_code.failures import JobError, run_job
from training_code.feature_rows import batches, class_of
from training_code.progress import say

FOLDER = "views"
LABEL_PREFIX = "__label__"
TARGET = "sentiment"
"""The column that Autopilot learns to tell; its values are the labels."""
COLUMNS = ("text", "category")
"""What Autopilot tells it from."""
TRAIN, VALIDATION, TEST = "train", "validation", "test"


def write_views(features: Path, target: Path | None = None) -> dict[str, int]:
    """All views of the features into `target`, by default `views/` beside the rows; returns the rows of each split.

    - `blazingtext/{train,validation}/{split}.txt`: a label and a tokenised text a line
    - `autopilot/{train,validation}/{split}.csv`: header, text, category and sentiment
    - `autopilot/scoring/{validation,test}.csv`: text and category, no header, for the batch transform
    - `bias/dataset.csv` and `bias/analysis_config.json` for Clarify
    """
    target = target or features / FOLDER
    rows = {split: _write_split(features / split, target, split) for split in (TRAIN, VALIDATION, TEST)}
    # Only this job needs what bias is measured with.
    from training_code import bias

    bias.write_pretraining(features, target / "bias")
    return rows


def _write_split(folder: Path, target: Path, split: str) -> int:
    rows = 0
    with ExitStack() as stack:

        def file(*parts: str) -> TextIO:
            return stack.enter_context(_file(target.joinpath(*parts)))

        lines = labelled = scored = None
        if split != TEST:
            lines = file("blazingtext", split, f"{split}.txt")
            labelled = csv.writer(file("autopilot", split, f"{split}.csv"), lineterminator="\n")
            labelled.writerow([*COLUMNS, TARGET])
        if split != TRAIN:
            scored = csv.writer(file("autopilot", "scoring", f"{split}.csv"), lineterminator="\n")
        for text, category, label in _rows(folder, split):
            rows += 1
            if lines is not None and labelled is not None:
                lines.write(f"{LABEL_PREFIX}{label} {tokenized(text)}\n")
                labelled.writerow([text, category, label])
            if scored is not None:
                scored.writerow([text, category])
    if not rows:
        raise JobError(f"The {split} data has no rows.")
    return rows


def _rows(folder: Path, split: str) -> Iterator[tuple[str, str, str]]:
    """Text, category and label of each row. A record is a line wherever it is read, so a text is one line here."""
    for batch in batches(folder, ("text", "category", "sentiment"), split=split):
        for text, category, sentiment in zip(batch["text"], batch["category"], batch["sentiment"], strict=True):
            yield _one_line(text), _one_line(category), LABELS[class_of(sentiment, split=split)]


def _one_line(value: object) -> str:
    return " ".join(str(value).split()) if value is not None else ""


def _file(path: Path) -> TextIO:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("w", encoding="utf-8", newline="")


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="training_code.candidates.views", description=__doc__.partition("\n")[0])
    parser.add_argument("--features", type=Path, required=True, help="folder with train/, validation/ and test/")
    parser.add_argument("--output", type=Path, required=True, help="folder for the views")
    parser.add_argument("--message", type=Path, help="file that becomes the job's exit message on failure")
    arguments = parser.parse_args(argv)

    def job() -> None:
        rows = write_views(arguments.features, arguments.output)
        say("views of " + ", ".join(f"{count} {split} rows" for split, count in rows.items()))

    return run_job(job, failure_file=arguments.message)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
