"""Second container: token ids to logits, in micro-batches of like length.

Where the artifact holds a cascade, its gate answers the rows that it is sure of, and the model the others. Knows
nothing of texts, labels or calibration. Errors of single lines pass through untouched.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training_code.containers import selftest
from training_code.containers.artifact import open_artifact
from training_code.containers.cascade import Cascade
from training_code.containers.content_types import TENSORS, media_type
from training_code.containers.errors import RequestError, answering, malformed
from training_code.containers.lines import Line
from training_code.containers.manifest import read_json
from training_code.containers.micro_batches import Logits, MicroBatches
from training_code.containers.ragged import Ragged
from training_code.containers.tensors import Expected, Message, pack, pack_text, unpack

MOST_TOKENS = 2**31 - 1
EXPECTED = {"ids": Expected("I32", counts_rows=False), "lengths": Expected("I32")}


@dataclass(frozen=True)
class Classifier:
    """A loaded graph, what may go in, and the gate before it, if there is one."""

    batches: MicroBatches
    longest: int
    vocabulary: int
    cascade: Cascade | None

    def logits(self, ragged: Ragged, lines: list[Line]) -> Logits:
        """float32 [rows, 3]; RequestError for ids that the model has never seen and for logits that are no numbers."""
        if len(ragged) and not 0 <= int(ragged.ids.min()) <= int(ragged.ids.max()) < self.vocabulary:
            raise malformed("A token id is beyond the vocabulary of the model.")
        if len(ragged) and int(ragged.lengths.max()) > self.longest:
            raise malformed(f"A row has more than the {self.longest} tokens that the model reads.")
        logits = self._gated(ragged, lines)
        if not np.isfinite(logits).all():
            raise RequestError(500, "The model gave no finite numbers.")
        return logits

    def _gated(self, ragged: Ragged, lines: list[Line]) -> Logits:
        rows = ragged.rows()
        if self.cascade is None or not rows:
            return self.batches.logits(rows)
        logits, undecided = self.cascade.split(ragged)
        # A text is compared with its variants only where one and the same model judged them all.
        explained = [row for line in lines if line.words is not None for row in line.rows]
        asked = sorted({*map(int, undecided), *explained})
        logits[asked] = self.batches.logits([rows[row] for row in asked])
        return logits


def model_fn(model_dir: str) -> Classifier:
    open_artifact(model_dir, container="classify")
    classifier = load_classifier(Path(model_dir))
    # The model itself: a gate before it would answer for it.
    selftest.check_classify(model_dir, lambda rows: classifier.batches.logits(Ragged.of(rows).rows()))
    return classifier


def load_classifier(model_dir: Path) -> Classifier:
    """From the files of an artifact, or of a trained model; RuntimeError in one sentence when they cannot be used."""
    # The library under it is importable only once the artifact is open.
    from training_code.containers.classify.runtime import find_graph, load_forward

    tokens = read_json(str(model_dir), "tokenization.json")
    forward = load_forward(find_graph(model_dir))
    return Classifier(
        batches=MicroBatches(forward, pad_id=_size(tokens, "pad_id", least=0)),
        longest=_size(tokens, "max_length", least=1),
        vocabulary=_size(tokens, "vocabulary_size", least=1),
        cascade=Cascade.load(model_dir),
    )


def _size(values: dict[str, object], name: str, *, least: int) -> int:
    value = values.get(name)
    if type(value) is not int or not least <= value <= MOST_TOKENS:
        raise RuntimeError(f"tokenization.json in the model artifact states no usable {name}.")
    return value


@answering
def input_fn(body: bytes | str, content_type: str) -> Message:
    return unpack(body, content_type, EXPECTED)


@answering
def predict_fn(data: Message, model: Classifier) -> Message:
    try:
        ragged = Ragged(ids=data.tensors["ids"].astype(np.int32), lengths=data.tensors["lengths"].astype(np.int32))
    except ValueError:
        raise malformed("The lengths of the rows are not those of the ids.") from None
    return Message(tensors={"logits": model.logits(ragged, data.lines)}, lines=data.lines, is_single=data.is_single)


@answering
def output_fn(prediction: Message, accept: str) -> tuple[bytes, str] | bytes | str:
    """The binary type where it is welcome, else the same message as JSON text.

    AWS's Hugging Face toolkit sends whatever this returns under the type that was accepted, JSON when none was, and
    takes no (body, type) pair; the next toolkit decodes text types before our code sees them. So binary must not
    travel under a text type:
    https://github.com/aws/sagemaker-huggingface-inference-toolkit/blob/main/src/sagemaker_huggingface_inference_toolkit/handler_service.py
    """
    kind = media_type(accept)
    if kind == TENSORS:
        return pack(prediction)
    if kind in ("", "*/*"):  # no toolkit asks so: each puts a default of its own there
        return pack(prediction), TENSORS
    return pack_text(prediction)
