"""What SageMaker's BlazingText trains in supervised mode, here by fastText, whose algorithm it is.

    python3 -m local.sagemaker.builtin.blazingtext --opt-ml FOLDER

Reads the channels `train` and `validation` (text/plain: `__label__X` and tokens, a row a line, any number of files)
and the documented hyperparameters, and leaves model.bin in fastText's format, which is what AWS's image leaves too.
Runs single-threaded with a fixed seed: equal inputs make equal models. Word2Vec modes are refused with a sentence. A
rate so high that the loss is no number ends the job with a sentence, as nothing is tried again on AWS either.

Early stopping: fastText trains all passes in one call and its rate falls to nothing over them, so a run of n passes is
not the beginning of a run of more. The stand-in trains with `min_epochs` passes, then with `patience` more each time,
and stops when that is no better on validation rows; AWS's stops inside of one run. The better model is kept.

https://docs.aws.amazon.com/sagemaker/latest/dg/blazingtext_hyperparameters.html
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from training_code.failures import JobError, run_job
from training_code.progress import say

MODE = "supervised"
WORD2VEC_MODES = ("batch_skipgram", "skipgram", "cbow")
LABEL = "__label__"
SEED = 0


@dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """Those of text classification, with AWS's defaults."""

    buckets: int = 2_000_000
    early_stopping: bool = False
    epochs: int = 5
    learning_rate: float = 0.05
    min_count: int = 5
    min_epochs: int = 5
    patience: int = 4
    vector_dim: int = 100
    word_ngrams: int = 2


def _whole(at_least: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        number = int(text)
        if number < at_least:
            raise ValueError(text)
        return number

    return read


def _rate(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise ValueError(text)
    return number


def _truth(text: str) -> bool:
    return {"true": True, "false": False}[text.lower()]


_READERS: Mapping[str, tuple[Callable[[str], Any], str]] = {
    "buckets": (_whole(1), "a whole number above 0"),
    "early_stopping": (_truth, "True or False"),
    "epochs": (_whole(1), "a whole number above 0"),
    "learning_rate": (_rate, "a number above 0"),
    "min_count": (_whole(0), "a whole number, not below 0"),
    "min_epochs": (_whole(1), "a whole number above 0"),
    "patience": (_whole(1), "a whole number above 0"),
    "vector_dim": (_whole(1), "a whole number above 0"),
    "word_ngrams": (_whole(1), "a whole number above 0"),
}


def read_hyperparameters(given: Mapping[str, str]) -> Hyperparameters:
    """The typed hyperparameters; JobError for one that is unknown, has a wrong value, or another mode."""
    # A name that begins so is the platform's own: a tuning job's objective.
    own = {name: value for name, value in given.items() if not name.startswith("_")}
    mode = own.pop("mode", None)
    if mode in WORD2VEC_MODES:
        raise JobError(f"BlazingText's mode {mode!r} is not built here; {MODE!r} is.")
    if mode != MODE:
        raise JobError(f"The hyperparameter 'mode' must be one of {', '.join((MODE, *WORD2VEC_MODES))}, not {mode!r}.")
    known = {field.name for field in fields(Hyperparameters)}
    unknown = sorted(set(own) - known)
    if unknown:
        raise JobError(
            f"BlazingText has no hyperparameter {unknown[0]!r} in mode {MODE!r}; it has {', '.join(sorted(known))}."
        )
    values: dict[str, Any] = {}
    for name, text in own.items():
        read, rule = _READERS[name]
        try:
            values[name] = read(text)
        except (ValueError, KeyError):
            raise JobError(f"The hyperparameter {name!r} must be {rule}, not {text!r}.") from None
    return Hyperparameters(**values)


@dataclass(frozen=True)
class Rows:
    """One channel as fastText reads it: a file with a row a line, and how many there are."""

    file: Path
    count: int
    labels: frozenset[str]


def gather(channel: Path, target: Path) -> Rows:
    """Write all files of a channel into one; JobError names the file and line of a row that is none."""
    labels: set[str] = set()
    count = 0
    with target.open("w", encoding="utf-8", newline="\n") as whole:
        for place, line in _lines(channel):
            words = line.split()
            if not words:
                continue
            own = [word for word in words if word.startswith(LABEL)]
            if words[0] not in own:
                raise JobError(f"{place} does not begin with a label ({LABEL}...).")
            labels.update(own)
            # As it is: fastText parts tokens at ASCII whitespace only.
            whole.write(line.rstrip("\r\n") + "\n")
            count += 1
    if not count:
        raise JobError(f"The channel {channel.name!r} has no rows.")
    return Rows(target, count, frozenset(labels))


def _lines(channel: Path) -> Iterator[tuple[str, str]]:
    for file in sorted(path for path in channel.rglob("*") if path.is_file()):
        try:
            with file.open(encoding="utf-8") as content:
                for number, line in enumerate(content, start=1):
                    yield f"Line {number} of {file.relative_to(channel)} in the channel {channel.name!r}", line
        except UnicodeDecodeError as error:
            raise JobError(f"{file.relative_to(channel)} in the channel {channel.name!r} is no UTF-8 text.") from error


def run(opt_ml: Path) -> None:
    """The training of one job whose /opt/ml is this folder."""
    started = time.monotonic()
    given = json.loads((opt_ml / "input" / "config" / "hyperparameters.json").read_text(encoding="utf-8"))
    wanted = read_hyperparameters(given)
    data, work = opt_ml / "input" / "data", opt_ml / "output" / "intermediate"
    work.mkdir(parents=True, exist_ok=True)
    if not (data / "train").is_dir():
        raise JobError("BlazingText needs the channel 'train'.")
    train = gather(data / "train", work / "train.txt")
    validation = gather(data / "validation", work / "validation.txt") if (data / "validation").is_dir() else None
    if len(train.labels) < 2:
        raise JobError(f"The channel 'train' has one label only ({min(train.labels)}); a classifier needs two.")
    say(f"Number of train examples: {train.count}, labels: {len(train.labels)}")
    if not wanted.early_stopping:
        model = _fit(wanted, train, wanted.epochs)
    elif validation is None:
        raise JobError("The hyperparameter 'early_stopping' needs the channel 'validation'.")
    else:
        model = _fit_in_steps(wanted, train, validation)
    say(f"Training finished in {time.monotonic() - started:.2f} seconds")
    say(f"#train_accuracy: {_accuracy(model, train):.4f}")
    say(f"Number of train examples: {train.count}")
    if validation:
        say(f"#validation_accuracy: {_accuracy(model, validation):.4f}")
        say(f"Number of validation examples: {validation.count}")
    target = opt_ml / "model"
    target.mkdir(parents=True, exist_ok=True)
    model.save_model(str(target / "model.bin"))


def _fit_in_steps(wanted: Hyperparameters, train: Rows, validation: Rows) -> Any:
    passes = min(wanted.min_epochs, wanted.epochs)
    best, best_accuracy = None, -1.0
    while True:
        model = _fit(wanted, train, passes)
        accuracy = _accuracy(model, validation)
        say(f"{passes} passes: validation accuracy {accuracy:.4f}")
        if accuracy <= best_accuracy:
            say(f"Early stopping: no better than {best_accuracy:.4f}")
            return best
        best, best_accuracy = model, accuracy
        if passes >= wanted.epochs:
            return best
        passes = min(passes + wanted.patience, wanted.epochs)


def _fit(wanted: Hyperparameters, train: Rows, passes: int) -> Any:
    import fasttext

    try:
        return fasttext.train_supervised(
            input=str(train.file),
            lr=wanted.learning_rate,
            epoch=passes,
            dim=wanted.vector_dim,
            wordNgrams=wanted.word_ngrams,
            minCount=wanted.min_count,
            bucket=wanted.buckets,
            loss="softmax",
            thread=1,
            seed=SEED,
            verbose=0,
        )
    except (RuntimeError, ValueError) as error:
        if "NaN" in str(error):
            raise JobError(
                f"The loss is no number any more at the learning_rate {wanted.learning_rate:g}: take a lower one."
            ) from error
        raise JobError(f"BlazingText did not train on the channel 'train': {error}") from error


def _accuracy(model: Any, rows: Rows) -> float:
    """The share of rows whose first answer is one of their labels."""
    return float(model.test(str(rows.file))[1])


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="local.sagemaker.builtin.blazingtext", description="BlazingText's stand-in.")
    parser.add_argument("--opt-ml", type=Path, default=Path("/opt/ml"), help="the folder that stands for /opt/ml")
    opt_ml = parser.parse_args(argv).opt_ml
    return run_job(lambda: run(opt_ml), failure_file=opt_ml / "output" / "failure")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
