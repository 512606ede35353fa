"""What a candidate hands to the comparison: `candidate.json`, and `predictions.parquet` with validation and test rows.

Writing and reading check the same: what does not fit is a JobError that names the folder and the fault. Needs numpy and
pyarrow alone. Knows nothing of models, of texts or of what is compared.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from feedback.sentiment import CLASSES, LABELS
from training_code.calibration import fit_temperature, softmax
from training_code.failures import JobError
from training_code.metrics import Classes, Probabilities

DESCRIPTION = "candidate.json"
PREDICTIONS = "predictions.parquet"
VALIDATION, TEST = "validation", "test"
SPLITS = (VALIDATION, TEST)
SCHEMA = pa.schema(
    [
        pa.field("text_id", pa.string(), nullable=False),
        pa.field("split", pa.string(), nullable=False),
        *(pa.field(label, pa.float64(), nullable=False) for label in LABELS),
        *(pa.field(f"raw_{label}", pa.float64(), nullable=False) for label in LABELS),
        pa.field("answer", pa.int64(), nullable=False),
    ]
)
SUM_TOLERANCE = 1e-3
LEAST_PROBABILITY = 1e-9
"""What a probability of 0 counts as where its logarithm is needed."""

Strings = npt.NDArray[np.str_]
Chosen = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One model of a run: who it is, and what it cost."""

    name: str
    title: str
    family: str
    trained_rows: int
    training_seconds: float
    training_instance: str | None
    size_bytes: int
    texts_per_second: float | None
    """As measured where the candidate was scored, in one process; None where nobody measured."""
    is_deployable: bool
    training_instances: int = 1
    """Of the type `training_instance`, all for as long as training took."""
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """A candidate's answers, a row per text of the validation and test rows."""

    text_ids: Strings
    """[rows]"""
    split: Strings
    """[rows], VALIDATION or TEST."""
    probabilities: Probabilities
    """[rows, classes] in class order, as served: after the candidate's own calibration."""
    raw: Probabilities
    """[rows, classes] before temperature scaling."""
    answers: Classes
    """[rows], the class index that the model decides for; it need not be the most probable one."""

    def __len__(self) -> int:
        return len(self.text_ids)

    def of(self, split: str) -> Predictions:
        """The rows of one split, in their order."""
        return self.where(self.split == split)

    def where(self, chosen: Chosen | npt.NDArray[np.int64]) -> Predictions:
        """The rows of a mask, or of places in the order given."""
        return Predictions(
            text_ids=self.text_ids[chosen],
            split=self.split[chosen],
            probabilities=self.probabilities[chosen],
            raw=self.raw[chosen],
            answers=self.answers[chosen],
        )

    def aligned(self, text_ids: Sequence[str] | Strings) -> Predictions:
        """The rows of these texts, in this order; JobError names the first text that was not answered."""
        place_of = {text_id: place for place, text_id in enumerate(self.text_ids.tolist())}
        wanted = [str(text_id) for text_id in text_ids]
        missing = next((text_id for text_id in wanted if text_id not in place_of), None)
        if missing is not None:
            raise JobError(f"The predictions hold no answer to the text {missing}.")
        return self.where(np.array([place_of[text_id] for text_id in wanted], dtype=np.int64))


@dataclass(frozen=True, kw_only=True)
class Answered:
    """One split as a model without calibration answers it: ids [rows], true classes [rows], raw [rows, classes]."""

    text_ids: Sequence[str] | Strings
    classes: Classes
    raw: Probabilities


def calibrated(validation: Answered, test: Answered) -> tuple[Predictions, float]:
    """Both splits after temperature scaling, and the temperature, which is fitted on validation rows alone.

    The answer is the most probable class.
    """
    temperature = fit_temperature(logits_of(validation.raw), validation.classes)
    raw = np.concatenate([validation.raw, test.raw])
    probabilities = softmax(logits_of(raw), temperature=temperature)
    predictions = Predictions(
        text_ids=np.array([*validation.text_ids, *test.text_ids], dtype=np.str_),
        split=np.repeat(np.array(SPLITS, dtype=np.str_), [len(validation.raw), len(test.raw)]),
        probabilities=probabilities,
        raw=raw,
        answers=probabilities.argmax(axis=1),
    )
    return predictions, temperature


def logits_of(probabilities: Probabilities) -> Probabilities:
    """Logits that these probabilities are the softmax of, up to a constant per row."""
    result: Probabilities = np.log(np.maximum(probabilities, LEAST_PROBABILITY))
    return result


def write(folder: Path, candidate: Candidate, predictions: Predictions) -> None:
    """Both files into `folder`; JobError when they do not fit together. Equal content gives equal bytes."""
    _check_candidate(candidate, where=str(folder))
    _check_predictions(predictions, where=str(folder))
    sentiment_of = np.array([int(sentiment) for sentiment in CLASSES], dtype=np.int64)
    columns: dict[str, object] = {"text_id": predictions.text_ids.tolist(), "split": predictions.split.tolist()}
    for index, label in enumerate(LABELS):
        columns[label] = predictions.probabilities[:, index]
        columns[f"raw_{label}"] = predictions.raw[:, index]
    columns["answer"] = sentiment_of[predictions.answers]
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table([columns[name] for name in SCHEMA.names], schema=SCHEMA), folder / PREDICTIONS)
    document = json.dumps(asdict(candidate) | {"details": dict(candidate.details)}, indent=2) + "\n"
    (folder / DESCRIPTION).write_text(document, encoding="utf-8")


def read(folder: Path) -> tuple[Candidate, Predictions]:
    """What `write` wrote; JobError says what is missing, unreadable or does not fit."""
    return read_candidate(folder), read_predictions(folder)


def read_candidate(folder: Path) -> Candidate:
    path = folder / DESCRIPTION
    if not path.is_file():
        raise JobError(f"The candidate {folder.name} has no {DESCRIPTION} in {folder}.")
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise JobError(f"{path} is no JSON: {error}.") from error
    names = {entry.name for entry in fields(Candidate)}
    if not isinstance(document, dict) or set(document) != names:
        found = set(document) if isinstance(document, dict) else set()
        wrong = [f"lacks {name}" for name in sorted(names - found)] + [f"has {n}" for n in sorted(found - names)]
        raise JobError(f"{path} describes no candidate: it {', '.join(wrong) or 'is no object'}.")
    candidate = Candidate(**document)
    _check_candidate(candidate, where=str(folder))
    return candidate


def read_predictions(folder: Path) -> Predictions:
    path = folder / PREDICTIONS
    if not path.is_file():
        raise JobError(f"The candidate {folder.name} has no {PREDICTIONS} in {folder}.")
    try:
        table = pq.read_table(path, columns=SCHEMA.names, partitioning=None).cast(SCHEMA)
        missing = [name for name in SCHEMA.names if table.column(name).null_count]
    except (pa.ArrowException, OSError, KeyError, ValueError) as error:
        raise JobError(f"{path} cannot be read as predictions: {str(error).partition(chr(10))[0][:300]}") from error
    if missing:
        raise JobError(f"{path} has rows without {missing[0]}.")
    class_of = {int(sentiment): sentiment.class_index for sentiment in CLASSES}
    answers = table.column("answer").to_pylist()
    unknown = sorted(set(answers) - set(class_of))
    if unknown:
        raise JobError(f"{path} answers {unknown[0]}, which is no sentiment.")
    predictions = Predictions(
        text_ids=np.array(table.column("text_id").to_pylist(), dtype=np.str_),
        split=np.array(table.column("split").to_pylist(), dtype=np.str_),
        probabilities=np.stack([table.column(label).to_numpy() for label in LABELS], axis=1),
        raw=np.stack([table.column(f"raw_{label}").to_numpy() for label in LABELS], axis=1),
        answers=np.array([class_of[answer] for answer in answers], dtype=np.int64),
    )
    _check_predictions(predictions, where=str(folder))
    return predictions


def _check_candidate(candidate: Candidate, *, where: str) -> None:
    """Every value of its type: the file may come from another version of this product."""
    is_text: Callable[[object], bool] = lambda value: isinstance(value, str) and bool(value)  # noqa: E731
    claims: dict[str, bool] = {
        "name": is_text(candidate.name),
        "title": is_text(candidate.title),
        "family": is_text(candidate.family),
        "trained_rows": _is_number(candidate.trained_rows) and isinstance(candidate.trained_rows, int),
        "training_seconds": _is_number(candidate.training_seconds),
        "training_instance": candidate.training_instance is None or is_text(candidate.training_instance),
        "training_instances": _is_number(candidate.training_instances)
        and isinstance(candidate.training_instances, int),
        "size_bytes": _is_number(candidate.size_bytes) and isinstance(candidate.size_bytes, int),
        "texts_per_second": candidate.texts_per_second is None or _is_number(candidate.texts_per_second),
        "is_deployable": isinstance(candidate.is_deployable, bool),
        "details": isinstance(candidate.details, Mapping),
    }
    wrong = next((name for name, is_right in claims.items() if not is_right), None)
    if wrong is not None:
        raise JobError(f"The candidate in {where} states no usable {wrong}: {getattr(candidate, wrong)!r}.")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) and value >= 0


def _check_predictions(predictions: Predictions, *, where: str) -> None:
    rows = len(predictions.text_ids)
    shapes = {
        "split": (predictions.split.shape, (rows,)),
        "probabilities": (predictions.probabilities.shape, (rows, len(CLASSES))),
        "raw probabilities": (predictions.raw.shape, (rows, len(CLASSES))),
        "answers": (predictions.answers.shape, (rows,)),
    }
    for name, (found, expected) in shapes.items():
        if found != expected:
            raise JobError(f"The {name} in {where} have the shape {found}, and {rows} texts need {expected}.")
    for split in SPLITS:
        if not (predictions.split == split).any():
            raise JobError(f"The predictions in {where} have no {split} row.")
    unknown = sorted(set(predictions.split.tolist()) - set(SPLITS))
    if unknown:
        raise JobError(f"The predictions in {where} have rows of the split '{unknown[0]}', which is not compared.")
    if len(set(predictions.text_ids.tolist())) != rows:
        raise JobError(f"The predictions in {where} answer some text twice.")
    if ((predictions.answers < 0) | (predictions.answers >= len(CLASSES))).any():
        raise JobError(f"The predictions in {where} hold an answer that is no class.")
    for name, values in (("probabilities", predictions.probabilities), ("raw probabilities", predictions.raw)):
        if not (np.isfinite(values).all() and (values >= 0).all() and (values <= 1 + SUM_TOLERANCE).all()):
            raise JobError(f"The {name} in {where} are not all numbers from 0 to 1.")
        if (np.abs(values.sum(axis=1) - 1) > SUM_TOLERANCE).any():
            raise JobError(f"The {name} in {where} do not sum to 1 in every row.")
