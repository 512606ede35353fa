"""The comparison job: all candidates of a run on the same frozen test rows, and the champion among them.

    python3 -m training_code.compare --candidates DIR --features DIR --run RUN --output DIR [--current DIR]
        [--failed JSON]...

Writes `comparison.json`, `comparison.html`, `model_card.json`, and under `posttraining/` what a
Clarify job measures the bias of the champion's answers from. Says the champion's name in the job's exit message. Judges
no model: that is the gate's.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from feedback.sentiment import CLASSES
from training_code.bias.clarify_files import write_posttraining
from training_code.candidates import predictions
from training_code.candidates.predictions import TEST, VALIDATION
from training_code.comparison import comparison_page, model_card
from training_code.comparison.contenders import Contender, SplitFacts, read_contenders, read_facts, read_failures
from training_code.comparison.document import champion_of, document
from training_code.failures import run_job
from training_code.feature_rows import fingerprint_of
from training_code.progress import say

FACETS_OF_BIAS = ("category", "channel", "age_band", "length")


def compare(
    *, candidates: Path, features: Path, run: str, output: Path, current: Path | None, failed: Sequence[str]
) -> dict[str, Any]:
    """Compare, write, and return what `comparison.json` says."""
    failures = read_failures(failed)
    validation, test = (read_facts(features, split) for split in (VALIDATION, TEST))
    contenders = read_contenders(candidates, validation, test)
    champion = champion_of(contenders, validation.truth)
    say(f"comparing {len(contenders)} candidates on {len(test)} test rows")
    found = document(
        run=run,
        fingerprint=fingerprint_of(features / TEST),
        contenders=contenders,
        champion=champion,
        failures=failures,
        validation=validation,
        test=test,
        current=predictions.read(current) if current is not None else None,
    )
    output.mkdir(parents=True, exist_ok=True)
    _write(output / "comparison.json", found)
    (output / "comparison.html").write_text(comparison_page.page_of(found), encoding="utf-8")
    _write(output / "model_card.json", model_card.content(found))
    _write_posttraining(output / "posttraining", champion, test)
    return found


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def _write_posttraining(target: Path, champion: Contender, test: SplitFacts) -> None:
    sentiment_of = [int(sentiment) for sentiment in CLASSES]
    write_posttraining(
        target,
        facets={name: test.facets[name] for name in FACETS_OF_BIAS},
        truth=[sentiment_of[place] for place in test.truth],
        answers=[sentiment_of[place] for place in champion.test.answers],
        text_ids=test.text_ids,
    )


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="training_code.compare", description=__doc__.partition("\n")[0])
    parser.add_argument("--candidates", type=Path, required=True, help="a folder with the folder of each candidate")
    parser.add_argument("--features", type=Path, required=True, help="the features: validation/ and test/")
    parser.add_argument("--run", required=True, help="the pipeline run")
    parser.add_argument("--output", type=Path, required=True, help="folder for the reports")
    parser.add_argument("--current", type=Path, help="the candidate folder of the approved model's own run")
    parser.add_argument("--failed", action="append", default=[], help="a candidate that failed: JSON with name, reason")
    parser.add_argument("--message", type=Path, help="file that becomes the job's exit message")
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    arguments = vars(_arguments(argv))
    message: Path | None = arguments.pop("message")

    def job() -> None:
        found = compare(**arguments)
        for one in found["candidates"]:
            if one["status"] == "scored":
                metrics = one["metrics"]
                say(
                    f"{one['name']}: macro-F1 {metrics['macro_f1']:.3f}, accuracy {metrics['accuracy']:.3f}, "
                    f"negative recall {metrics['negative_recall']:.3f}"
                )
            else:
                say(f"{one['name']}: not scored")
        say(f"the champion is {found['champion']}")
        if message is not None:
            message.parent.mkdir(parents=True, exist_ok=True)
            message.write_text(found["champion"], encoding="utf-8")

    return run_job(job, failure_file=message)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
