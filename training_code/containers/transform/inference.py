"""First container: request lines to tensors, cleaned and tokenised exactly as in training.

A line that cannot be used travels on as an error in its place. Knows nothing of models or labels.
"""

from __future__ import annotations

from training_code.containers.content_types import TENSORS
from training_code.containers.jsonlines import TextLine, parse_request
from training_code.containers.lines import Line
from training_code.containers.manifest import model_version
from training_code.containers.tensors import Message, pack
from training_code.containers.tokenization import Tokenization, pad

WARM_UP = "Warm-up: the first request must not be the slow one."


def model_fn(model_dir: str) -> Tokenization:
    model_version(model_dir, container="transform")
    tokenization = Tokenization.load(model_dir)
    tokenization.encode([WARM_UP])
    return tokenization


def input_fn(body: bytes | str, content_type: str) -> list[TextLine]:
    return parse_request(body, content_type)


def predict_fn(data: list[TextLine], model: Tokenization) -> Message:
    texts = [line.text for line in data if line.text is not None]
    input_ids, attention_mask = pad(model.encode(texts), pad_id=model.pad_id)
    rows = iter(range(len(texts)))
    lines = [Line(id=line.id, row=None if line.error else next(rows), error=line.error) for line in data]
    return Message(tensors={"input_ids": input_ids, "attention_mask": attention_mask}, lines=lines)


def output_fn(prediction: Message, accept: str) -> tuple[bytes, str]:
    """Always the binary type: the next container understands it, whatever the client accepts at the far end."""
    del accept
    return pack(prediction), TENSORS
