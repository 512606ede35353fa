"""The explanation job: why the model answers as it does, and whether it answers some customers worse than others.

    python3 -m training_code.explain --model RELEASE --features DIR --bias DIR --output DIR [--comparison DIR]

Reads both bias analyses (`pretraining/` and `posttraining/analysis.json` under `--bias`; a run goes on where the first
has failed) with the data sets they were made from, and asks the packed containers of the release about texts with
words taken away. Writes `bias.json`, `bias.html`, `explanations.json` and `explanations.html`. It states figures and
judges none.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training_code.bias import bias_report, findings
from training_code.explanations import explanation_report, sample, served
from training_code.explanations.attributions import Attribution, Text, attributions, within
from training_code.failures import JobError, run_job
from training_code.progress import say

EVALUATIONS_PER_TEXT = 256
TEXTS = 60
SECONDS = 600
SEED = 7
TEXTS_BETWEEN_LINES = 10


def explain(
    *,
    model: Path,
    features: Path,
    bias: Path,
    output: Path,
    comparison: Path | None = None,
    texts: int = TEXTS,
    seconds: float = SECONDS,
    seed: int = SEED,
) -> None:
    """Write the four files; JobError where an input is missing or does not fit."""
    output.mkdir(parents=True, exist_ok=True)
    found = _bias(features, bias, comparison)
    _write(output, "bias", found, bias_report.page_of(found))
    say(f"bias of {len(found['facets'])} groups is written")
    chosen = sample.drawn(features / "test", texts=texts, seed=seed)
    explained = _explained(model, chosen, seconds=seconds, seed=seed)
    document = explanation_report.document(explained, drawn=len(chosen), seed=seed)
    _write(output, "explanations", document, explanation_report.page_of(document))


def _bias(features: Path, bias: Path, comparison: Path | None) -> dict[str, Any]:
    before = bias / "pretraining" / findings.ANALYSIS_FILE
    pretraining = None
    if before.is_file():
        data = _data([bias / "pretraining", features / "views" / "bias"], "pre-training")
        pretraining = findings.read_stage("pretraining", analysis_file=before, data=data)
    else:
        say("there is no analysis from before training, so the report is of the answers alone")
    elsewhere = [] if comparison is None else [comparison / "posttraining", comparison]
    posttraining = findings.read_stage(
        "posttraining",
        analysis_file=bias / "posttraining" / findings.ANALYSIS_FILE,
        data=_data([bias / "posttraining", *elsewhere], "post-training"),
    )
    return findings.document(pretraining, posttraining)


def _data(places: Sequence[Path], what: str) -> Path:
    """The folder with the data set that Clarify read: beside its analysis, or where it was written."""
    for place in places:
        if (place / findings.DATASET_FILE).is_file():
            return place
    looked = " or ".join(str(place) for place in places)
    raise JobError(f"There is no {findings.DATASET_FILE} of the {what} analysis in {looked}.")


def _explained(model: Path, texts: Sequence[Text], *, seconds: float, seed: int) -> list[Attribution]:
    say(f"explaining {len(texts)} texts, {EVALUATIONS_PER_TEXT} questions to the model for each at most")
    explained: list[Attribution] = []
    with (
        tempfile.TemporaryDirectory(prefix="earshot-explain-") as scratch,
        served.answering(model, Path(scratch)) as ask,
    ):
        found = attributions(
            texts, ask, evaluations_per_text=EVALUATIONS_PER_TEXT, batch_size=served.LINES_PER_REQUEST, seed=seed
        )
        for attribution in within(seconds, found):
            explained.append(attribution)
            if len(explained) % TEXTS_BETWEEN_LINES == 0:
                say(f"{len(explained)} of {len(texts)} texts explained")
    if len(explained) < len(texts):
        say(f"the time of {seconds:.0f} s is over after {len(explained)} of {len(texts)} texts")
    return explained


def _write(output: Path, name: str, document: object, page: str) -> None:
    (output / f"{name}.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    (output / f"{name}.html").write_text(page, encoding="utf-8")


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="training_code.explain", description=__doc__.partition("\n")[0])
    parser.add_argument("--model", type=Path, required=True, help="folder of a release: the three artifacts")
    parser.add_argument("--features", type=Path, required=True, help="the features: test/ and views/bias/")
    parser.add_argument("--bias", type=Path, required=True, help="folder with both analyses")
    parser.add_argument("--comparison", type=Path, help="folder of the comparison, with posttraining/dataset.csv")
    parser.add_argument("--output", type=Path, required=True, help="folder for the reports")
    parser.add_argument("--texts", type=int, default=TEXTS, help="how many texts are explained")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long texts are explained at most")
    parser.add_argument("--seed", type=int, default=SEED, help="which texts are explained")
    parser.add_argument("--message", type=Path, help="file that becomes the job's exit message on failure")
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    arguments = vars(_arguments(argv))
    message = arguments.pop("message")
    return run_job(lambda: explain(**arguments), failure_file=message)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
